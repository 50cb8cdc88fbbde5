"""The privacy duty of every module that keeps something about a person: hand it out, and forget it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from limen.kernel.ids import AccountId


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing about the account is left here."""


@dataclass(frozen=True, slots=True)
class More:
    """Some was forgotten; call again, in a new Work."""


@dataclass(frozen=True, slots=True)
class Pending:
    """It cannot be forgotten yet: `why` is a reason code such as `legal_hold`, kept in the log."""

    why: str


Forgotten = Done | More | Pending
"""How far forgetting has come."""

Plain = str | int | float | bool | None
"""What an exported record may hold."""


@dataclass(frozen=True, slots=True)
class ExportPage:
    """A page of what is held. `records` are flat and readable by a person; `after` is None on the last page."""

    records: Sequence[Mapping[str, Plain]]
    after: str | None = None


ReaderT_contra = TypeVar("ReaderT_contra", contravariant=True)
WorkT_contra = TypeVar("WorkT_contra", contravariant=True)


class Holder(Protocol[ReaderT_contra, WorkT_contra]):
    """A module's answer to "what do you know about her" and "forget her", run as jobs, page by page, until all are done.

    Use it as `Holder[Reader, Work]`; this package stands below the one those two come from.
    """

    @property
    def name(self) -> str:
        """The heading over its records in an export: the module's name."""
        ...

    async def export(self, read: ReaderT_contra, account: AccountId, after: str | None) -> ExportPage:
        """Return up to a few hundred records after the position `after` (None: from the start)."""
        ...

    async def forget(self, work: WorkT_contra, account: AccountId) -> Forgotten:
        """Delete what may go, at most a few thousand rows a call; calling it again changes nothing."""
        ...
