"""Notices: what people are told by message: the messages there are, in every language and in the tenant's brand, and how many may go out.

Knows no factor, session or journey: whoever has something to say orders it by `send`, with a `may_send` before it where strangers can
cause it. Delivery is a job of the outbox; in dev mode messages lie under `/dev/mailbox`.
"""

from __future__ import annotations

from limen.modules.notices.errors import IncompleteNotice, UnknownNotice
from limen.modules.notices.facts import MessageOrdered, MessageRefused, MessageSent, SendingLimited
from limen.modules.notices.model import EMAIL, NOTICES, Recipient
from limen.modules.notices.service import may_send, send

__all__ = [
    "EMAIL",
    "NOTICES",
    "IncompleteNotice",
    "MessageOrdered",
    "MessageRefused",
    "MessageSent",
    "Recipient",
    "SendingLimited",
    "UnknownNotice",
    "may_send",
    "send",
]
