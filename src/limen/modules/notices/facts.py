"""What happens to messages. The address is never in a fact; an account is, where there is one."""

from __future__ import annotations

import enum
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


class Reason(enum.StrEnum):
    """Why a telephone number was not written to or called."""

    REGION = "region"
    """It is in none of the tenant's countries."""
    COSTLY = "costly"
    """Whoever owns it earns by being reached."""
    RANGE = "range"
    """Its range of neighbours had its messages for the hour."""
    TENANT = "tenant"
    """All numbers together had theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRefused(Fact):
    """A message to a telephone was not ordered; told of once an hour for each country and reason, range, or tenant.

    `region` is the number's country, empty where it has none; `reason` is `region`, `costly`, `range` or `tenant`.
    """

    name: ClassVar[str] = "notices.number_refused"
    channel: str
    region: str
    reason: str
