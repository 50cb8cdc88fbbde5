"""What others do with the outbox: put a job in, and as an operator look, replay and drop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary

import msgspec

from limen.kernel import ids
from limen.kernel.ids import SERVER, JobId, TenantId
from limen.platform.crypto import Place
from limen.platform.outbox import store
from limen.platform.outbox.facts import JobDropped, JobReplayed
from limen.platform.outbox.model import AnyKind, JobKind, JobState, Listed, P
from limen.platform.sql import Database, Reader, Work

_AT_ONCE: Final = timedelta()
_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NO_VALUES: Final = b"{}"
_MOST_ORDERED: Final = 50_000
_ORDERED: Final[WeakKeyDictionary[Database, dict[tuple[TenantId, str], str]]] = WeakKeyDictionary()
"""The hour for which this process last ordered an hourly job, by tenant and kind."""
_UNSETTLED: Final = (JobState.WAITING, JobState.DEAD)
_LISTENERS: Final[WeakKeyDictionary[Database, set[Callable[[], None]]]] = WeakKeyDictionary()


def listen(db: Database, wake: Callable[[], None]) -> Callable[[], None]:
    """Call `wake` whenever a job was put in by this process and is durable; returns how to stop it."""
    listeners = _LISTENERS.setdefault(db, set())
    listeners.add(wake)
    return lambda: listeners.discard(wake)


def _wake(db: Database) -> None:
    for wake in tuple(_LISTENERS.get(db, ())):
        wake()


def place(tenant: TenantId, job: JobId) -> Place:
    """Return where a payload is sealed for."""
    return Place("outbox", "payload", tenant, job)


async def enqueue(work: Work, kind: JobKind[P], payload: P, *, key: str = "", delay: timedelta = _AT_ONCE) -> JobId:
    """Order a job in this transaction: it runs if and only if the Work commits, `delay` later, at least once.

    With a `key` that this kind of the tenant already had (while waiting, dead, or done within a day) nothing is ordered and that job's id
    is returned. The payload is sealed under the epoch key and deleted as soon as the job is done.
    """
    added = await _add(work, kind.name, msgspec.json.encode(payload), key, delay)
    if delay <= _AT_ONCE:  # a runner looks once a second anyway
        db = work.tx.db
        work.tx.after_commit(lambda: _wake(db))
    return added


async def _add(work: Work, kind: str, body: bytes, key: str, delay: timedelta) -> JobId:
    job = JobId(ids.new("job", work.now))
    sealed = work.tx.db.keyring.seal(body, place(work.tenant, job))
    return await store.add(work, store.NewJob(id=job, kind=kind, key=key or job, payload=sealed, due=work.now + delay))


async def order_turn(work: Work, kind: AnyKind, every: timedelta) -> str:
    """Order the run of a regular kind for the stretch of time the Work stands in, unless another process did; return which stretch it is."""
    turn = turn_of(every, work.now)
    await _add(work, kind.name, _NO_VALUES, turn, _AT_ONCE)
    return turn


def turn_of(every: timedelta, now: datetime) -> str:
    """Return the name of the stretch of time an instant lies in."""
    return str((now - _EPOCH) // every)


async def order_hourly(work: Work, kind: JobKind[P], payload: P) -> None:
    """See to it that a job of this kind runs for the tenant within two hours, one an hour at most: for clearing away what is outdated.

    Hot paths call it, so a process orders once an hour and remembers that it did; all other calls cost a look into a dict.
    """
    due = work.now + _HOUR
    hour = due.strftime("%Y-%m-%dT%H")
    ordered = _ORDERED.setdefault(work.tx.db, {})
    spot = (work.tenant, kind.name)
    if ordered.get(spot) == hour:
        return
    await enqueue(work, kind, payload, key=hour, delay=_HOUR)
    if len(ordered) >= _MOST_ORDERED:
        ordered.clear()
    work.tx.after_commit(lambda: ordered.__setitem__(spot, hour))


async def list_jobs(db: Database, *, states: Sequence[JobState] = _UNSETTLED, after: tuple[TenantId, str] = store.BEGINNING, limit: int = 100) -> list[Listed]:
    """Return a page of jobs of all tenants, ordered by tenant and id; `after` is those two of the last one seen."""
    async with db.read(SERVER) as read:
        return await store.listed(read, states, after, limit)


async def dead_letters(reader: Reader, *, kind: str = "", after: str = "", limit: int = 100) -> list[Listed]:
    """Return a page of the tenant's dead letters, ordered by id, of kinds whose name begins so; `after` is the id of the last one seen."""
    return await store.dead_of(reader, kind, after, limit)


async def find(db: Database, job: JobId) -> Listed | None:
    """Return a job of any tenant by its id."""
    async with db.read(SERVER) as read:
        return await store.found(read, job)


async def count_dead(db: Database) -> int:
    """Return how many dead letters wait for an operator."""
    async with db.read(SERVER) as read:
        return await store.dead(read)


async def replay(work: Work, job: JobId) -> bool:
    """Send a dead letter of the tenant on its way again, with all its attempts; False if there is none of that id."""
    kind = await store.replay(work, job)
    if kind is None:
        return False
    work.record(JobReplayed(job=job, kind=kind))
    db = work.tx.db
    work.tx.after_commit(lambda: _wake(db))
    return True


async def drop(work: Work, job: JobId, *, dead: bool = False) -> bool:
    """Throw away a dead or waiting job of the tenant, with `dead` only a dead one; False if there is none of that id, or it is being run."""
    kind = await store.drop(work, job, dead=dead)
    if kind is None:
        return False
    work.record(JobDropped(job=job, kind=kind))
    return True
