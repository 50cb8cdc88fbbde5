"""What a job is, and how it may fail. No I/O."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from limen.kernel import secrets
from limen.kernel.errors import LimenError
from limen.kernel.ids import JobId, TenantId
from limen.platform.duties import Settings
from limen.platform.sql import Database

P = TypeVar("P", bound=msgspec.Struct)

_JITTER_OCTETS: Final = 2


ITS_RUNNER_DIED: Final = "its_runner_died"
TIMED_OUT: Final = "timed_out"
_STEPS: Final = {
    ITS_RUNNER_DIED: "The process that ran it ended, each time: look into its log for why, then retry or drop.",
    TIMED_OUT: "What it needs does not answer in time: see to that, then retry.",
}
_HOPELESS: Final = "It cannot succeed as things stand: mend what the error names and retry, or drop it."
_TRIED: Final = "It failed each time it was tried: mend what the error names, then retry."


class JobState(enum.Enum):
    """A job that is done without an idempotency key has no row any more."""

    WAITING = "waiting"
    """To be run when due; while a runner holds it, `due` is the end of its lease."""
    DONE = "done"
    """Kept without its payload until `due`, so that its key is not taken again."""
    DEAD = "dead"
    """Given up; kept until `due` for an operator to replay or drop."""


class GiveUp(LimenError):
    """Raised by a job that can never succeed: it becomes a dead letter at once. `reason` is a code, never personal data."""

    code = "gave_up"

    def __init__(self, reason: str) -> None:
        super().__init__(operator=reason)
        self.reason = reason


class Later(LimenError):
    """Raised by a job that failed for a known reason, a code; `after` overrides the back-off."""

    code = "later"

    def __init__(self, reason: str, *, after: timedelta | None = None) -> None:
        super().__init__(operator=reason)
        self.reason = reason
        self.after = after


@dataclass(frozen=True, slots=True)
class Job(Generic[P]):
    """One run of a job. It may be run again after a crash between the doing and the recording, so it must be idempotent by `id`."""

    db: Database
    settings: Settings
    tenant: TenantId
    id: JobId
    attempt: int
    """1 for the first."""
    payload: P


@dataclass(frozen=True, slots=True)
class Errand:
    """What the runner hands to a kind: a `Job` whose payload is still octets."""

    db: Database
    settings: Settings
    tenant: TenantId
    id: JobId
    attempt: int
    body: bytes


class AnyKind(Protocol):
    """A `JobKind` of whatever payload, as the runner sees it."""

    @property
    def name(self) -> str: ...
    @property
    def attempts(self) -> int: ...
    @property
    def timeout(self) -> timedelta: ...
    @property
    def at_once(self) -> int: ...
    @property
    def every(self) -> timedelta | None: ...
    async def perform(self, errand: Errand, /) -> None: ...
    def pause(self, attempt: int, /) -> timedelta: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind(Generic[P]):
    """A sort of job: what it carries, what it does, and how patient it is. Put it into `JOBS` of the module's `jobs.py`."""

    name: str
    """`<module>.<what>`; rows carry it, so it never changes meaning."""
    payload: type[P]
    run: Callable[[Job[P]], Awaitable[None]]
    attempts: int = 12
    """Then it is a dead letter; with the pauses below after about two hours and a half."""
    first_pause: timedelta = timedelta(seconds=5)
    longest_pause: timedelta = timedelta(hours=1)
    timeout: timedelta = timedelta(seconds=60)
    """A run that takes longer is cancelled, left behind, and counts as failed."""
    at_once: int = 8
    """Runs in parallel per process; each kind has places of its own, so a hanging one cannot hold up the others."""
    every: timedelta | None = None
    """Ordered by the runners themselves, for the server, once in each such stretch of time. Its payload needs no values."""

    async def perform(self, errand: Errand, /) -> None:
        """Decode the payload and run; msgspec.ValidationError where its shape is not ours."""
        payload = msgspec.json.decode(errand.body, type=self.payload)
        await self.run(Job(errand.db, errand.settings, errand.tenant, errand.id, errand.attempt, payload))

    def pause(self, attempt: int, /) -> timedelta:
        """Return how long to wait after the failed `attempt` (from 1): doubled each time up to the longest, between half and all of it."""
        whole = min(self.first_pause * 2.0 ** min(attempt - 1, 20), self.longest_pause)
        share = int.from_bytes(secrets.octets(_JITTER_OCTETS)) / 2 ** (8 * _JITTER_OCTETS)
        return timedelta(seconds=whole.total_seconds() * (1 + share) / 2)


@dataclass(frozen=True, slots=True)
class Listed:
    """A job as an operator sees it: no payload."""

    tenant: TenantId
    id: JobId
    kind: str
    state: JobState
    created: datetime
    due: datetime
    attempts: int
    holder: str
    """The runner that holds it now, else empty."""
    last_error: str
    """A code, never personal data."""
    first_tried: datetime | None = None
    last_tried: datetime | None = None

    @property
    def next_step(self) -> str:
        """What an operator can do about a dead letter."""
        return _STEPS.get(self.last_error) or (_HOPELESS if self.attempts <= 1 else _TRIED)
