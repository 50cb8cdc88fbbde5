"""What happens to sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.facts import Fact
from limen.kernel.ids import SessionId
from limen.modules.sessions.model import EndReason


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened(Fact):
    """Somebody signed in."""

    name: ClassVar[str] = "sessions.session_opened"
    session: SessionId
    acr: str
    amr: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRenewed(Fact):
    """The same person signed in again or showed more; the cookie's secret changed, the id did not."""

    name: ClassVar[str] = "sessions.session_renewed"
    session: SessionId
    acr: str
    amr: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Fact):
    """One session ended."""

    name: ClassVar[str] = "sessions.session_ended"
    session: SessionId
    reason: EndReason


@dataclass(frozen=True, slots=True, kw_only=True)
class AllEnded(Fact):
    """Every session of the account is dead from now on, save `kept`; with more than a hundred their own facts follow by job."""

    name: ClassVar[str] = "sessions.all_ended"
    reason: EndReason
    kept: SessionId | None = None
