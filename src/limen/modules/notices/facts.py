"""What happens to messages. The address is never in a fact; an account is, where there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.facts import Fact
from limen.kernel.ids import JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageOrdered(Fact):
    """A message is to go out."""

    name: ClassVar[str] = "notices.message_ordered"
    job: JobId
    template: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSent(Fact):
    """The relay took the message over; whether it reached her nobody knows."""

    name: ClassVar[str] = "notices.message_sent"
    job: JobId
    template: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRefused(Fact):
    """The message will not go out: `reason` is a code such as `smtp 550 5.1.1` or `too_late`."""

    name: ClassVar[str] = "notices.message_refused"
    job: JobId
    template: str
    channel: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingLimited(Fact):
    """An address has had the messages that whoever asked can cause in an hour; told of once an hour for each. `address` is its blind index, in hexadecimal."""

    name: ClassVar[str] = "notices.sending_limited"
    channel: str
    address: str
