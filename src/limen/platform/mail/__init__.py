"""Mail: a message as a value, its delivery by SMTP with TLS, and in dev mode a mailbox in the database instead.

Knows nothing of who gets a message and why, of templates and languages; retrying is the outbox's business.
"""

from __future__ import annotations

from limen.platform.mail.errors import MailDeferred, MailRejected
from limen.platform.mail.message import Mail
from limen.platform.mail.settings import Server
from limen.platform.mail.smtp import send
from limen.platform.mail.store import Dropped, drop_in, mailbox_of

__all__ = ["Dropped", "Mail", "MailDeferred", "MailRejected", "Server", "drop_in", "mailbox_of", "send"]
