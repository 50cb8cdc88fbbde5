"""Notices: what people are told by message: the messages there are, in every language and in the tenant's brand, and how many may go out.

Knows no factor, session or journey: whoever has something to say orders it by `send`, with a `may_send` before it where strangers can
cause it. Delivery is a job of the outbox: by mail, or to a telephone by a transport that an extension brought; in dev mode messages lie under
`/dev/mailbox`.
"""

from __future__ import annotations

from limen.modules.notices.errors import IncompleteNotice, UnknownNotice, UnknownTransport
from limen.modules.notices.facts import MessageOrdered, MessageRefused, MessageSent, NumberRefused, SendingLimited
from limen.modules.notices.model import EMAIL, NOTICES, SMS, VOICE, Recipient
from limen.modules.notices.port import Answer, Never, Outcome, Post, Sent, Text, Transport, TryLater, by_status
from limen.modules.notices.service import flaws, install, may_send, send
from limen.modules.notices.settings import Server

__all__ = [
    "EMAIL",
    "NOTICES",
    "SMS",
    "VOICE",
    "Answer",
    "IncompleteNotice",
    "MessageOrdered",
    "MessageRefused",
    "MessageSent",
    "Never",
    "NumberRefused",
    "Outcome",
    "Post",
    "Recipient",
    "SendingLimited",
    "Sent",
    "Server",
    "Text",
    "Transport",
    "TryLater",
    "UnknownNotice",
    "UnknownTransport",
    "by_status",
    "flaws",
    "install",
    "may_send",
    "send",
]
