"""Mail: a message as a value, its delivery by SMTP with TLS, and in dev mode a mailbox in the database instead.

Knows nothing of who gets a message and why, of templates and languages; retrying is the outbox's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from limen.platform.mail.errors import MailDeferred, MailRejected
from limen.platform.mail.message import Mail
from limen.platform.mail.settings import Server
from limen.platform.mail.store import Dropped, drop_in, mailbox_of

if TYPE_CHECKING:
    from limen.platform.duties import Settings

__all__ = ["Dropped", "Mail", "MailDeferred", "MailRejected", "Server", "drop_in", "mailbox_of", "send"]


async def send(settings: Settings, mail: Mail) -> None:
    """Deliver `mail` to the relay of `[mail]`; returns once the relay has taken it over. MailDeferred (try again), MailRejected (never as it is)."""
    from limen.platform.mail import smtp  # noqa: PLC0415 - its library is only needed once something is sent, which in dev mode is never

    await smtp.send(settings, mail)
