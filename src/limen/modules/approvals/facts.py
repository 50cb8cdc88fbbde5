"""What happens to questions. What exactly was asked is in none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.facts import Fact
from limen.kernel.ids import ApprovalId, ClientId, SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAsked(Fact):
    """An app asks a person who is not at it."""

    name: ClassVar[str] = "approvals.approval_asked"
    approval: ApprovalId
    client: ClientId
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalGiven(Fact):
    """She said yes. `session` is empty where she answered in none of ours."""

    name: ClassVar[str] = "approvals.approval_given"
    approval: ApprovalId
    client: ClientId
    session: SessionId | None
    acr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDenied(Fact):
    """She said no."""

    name: ClassVar[str] = "approvals.approval_denied"
    approval: ApprovalId
    client: ClientId
    session: SessionId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalExpired(Fact):
    """She did not answer in time."""

    name: ClassVar[str] = "approvals.approval_expired"
    approval: ApprovalId
    client: ClientId


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalsCleared(Fact):
    """What she allowed and was not done yet will not be: all her sessions were ended."""

    name: ClassVar[str] = "approvals.approvals_cleared"
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingLimited(Fact):
    """She was not asked, since it would have been too much; `reason` says of what."""

    name: ClassVar[str] = "approvals.asking_limited"
    client: ClientId
    reason: str
