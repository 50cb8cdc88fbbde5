"""What a folder in `extensions/transports` must be: one `EXTENSION`, made of pure functions.

A transport sees no database, no network and no person. It says what to post or mail for a message, and what a gateway's answer means; the
host goes there with its own guard and clock, tries again, gives up and records, so that no transport can forget to or hang.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from limen.platform.mail import Mail

_TOO_OFTEN: Final = 429
_NOT_US: Final = frozenset({401, 402, 403, 407})
"""The gateway does not take our word or our credit: an operator can mend that, and the message then leaves."""
_BUSY: Final = frozenset({408, 425, _TOO_OFTEN})
_SERVER_TROUBLE: Final = 500
_LONGEST_WAIT: Final = 600
"""Seconds a gateway can have us wait: codes do not live longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One message to one telephone."""

    id: str
    """The same for each attempt, so that a gateway can tell a second delivery from a second message."""
    to: str
    """E.164: `+4915112345678`."""
    channel: str
    """`sms`, or `voice`: then `text` is to be spoken."""
    text: str
    language: str
    """BCP 47, as the page spoke: `en`, `de`, `ar`."""
    service: str
    """The tenant's name as customers know it."""
    at: datetime
    """When it was ordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A request to a gateway."""

    url: str
    body: bytes = field(repr=False)
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway answered; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Sent:
    """The gateway took it over; whether it reached her nobody knows."""


@dataclass(frozen=True, slots=True)
class TryLater:
    """It may work later. `reason` is a code, never personal data; `after` is what the gateway asked for."""

    reason: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """It will never work as it is."""

    reason: str


Outcome: TypeAlias = Sent | TryLater | Never


def by_status(answer: Answer) -> Outcome:
    """Judge an answer by its status alone (RFC 9110, section 15): what fits most gateways."""
    status = answer.status
    if 200 <= status < 300:  # noqa: PLR2004 - it took it
        return Sent()
    if status in _NOT_US:
        return TryLater(f"sign_in_refused {status}")
    if status in _BUSY or status >= _SERVER_TROUBLE:
        return TryLater(f"status {status}", _asked_wait(answer.headers.get("retry-after", "")))
    return Never(f"status {status}")


def _asked_wait(field_value: str) -> timedelta | None:
    """Return what Retry-After asks for, in seconds and within bounds; a date there is passed over, the pause is the host's then."""
    return timedelta(seconds=min(int(field_value), _LONGEST_WAIT)) if field_value.isascii() and field_value.isdigit() and len(field_value) < 10 else None  # noqa: PLR2004 - digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """One way to a telephone."""

    name: str
    """The folder's name, by which `[notices]` of `limen.toml` chooses it."""
    channels: frozenset[str]
    """Of `sms` and `voice`, those it can do."""
    settings: type[object]
    """Its section of `limen.toml`: `Server` in its `settings.py`. All defaults means: not set up."""
    trial: Callable[[str], object]
    """Settings for a trial with a gateway at an origin (`http://127.0.0.1:9000`): by these the contract test plays it."""
    write: Callable[[Text, object], Post | Mail | TryLater | Never]
    """Return what is to be posted or mailed; `TryLater("not_configured")` where its settings are not made."""
    judge: Callable[[Answer], Outcome] = by_status
