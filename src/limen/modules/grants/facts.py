"""What happens to grants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.facts import Fact
from limen.kernel.ids import ClientId, GrantId, SessionId
from limen.modules.grants.model import Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantMade(Fact):
    """A code was redeemed: the app has tokens now."""

    name: ClassVar[str] = "grants.grant_made"
    grant: GrantId
    client: ClientId
    session: SessionId
    scopes: tuple[str, ...]
    refreshable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantEnded(Fact):
    """Every token of the grant is dead."""

    name: ClassVar[str] = "grants.grant_ended"
    grant: GrantId
    client: ClientId
    session: SessionId
    """Where it came from; empty where there was none."""
    offline: bool
    """Whether it was to outlive that session."""
    reason: Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantNarrowed(Fact):
    """The person took scopes back; the grant stands with the others."""

    name: ClassVar[str] = "grants.grant_narrowed"
    grant: GrantId
    client: ClientId
    session: SessionId
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshReplayed(Fact):
    """An old refresh token came back after its time: somebody has a copy. The grant ends with it."""

    name: ClassVar[str] = "grants.refresh_replayed"
    grant: GrantId
    client: ClientId
    presented: int
    current: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AllEnded(Fact):
    """Every grant of the account is dead from now on, save those of the session `kept`; beyond a hundred their own facts follow by job."""

    name: ClassVar[str] = "grants.all_ended"
    kept: SessionId | None = None
