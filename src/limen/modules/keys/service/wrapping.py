"""Rotation of what wraps all other keys: the master key and the epoch key. Commands and jobs call it, never a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Final, TypeAlias

from limen.kernel.facts import SYSTEM, Actor, Fact
from limen.kernel.ids import SERVER
from limen.modules.keys import store
from limen.modules.keys.errors import DamagedKey, StillInUse
from limen.modules.keys.facts import EpochRotated, MasterRotated
from limen.modules.keys.model import Spot, Use
from limen.modules.keys.store import Wrapped
from limen.platform.crypto import EpochBegan, KeyringError, Unsealable
from limen.platform.sql import Database, Work

START: Final = Spot(SERVER, "")
PAGE: Final = 100
"""Rows re-wrapped in one Work: a few milliseconds of the one writer."""
SETTLE: Final = 2.0
"""Seconds after which every process seals under the new key (each looks once a second) and Works begun before have ended."""

_FRESH: Final = timedelta(days=1)
"""So long after an epoch began one looks whether everybody's key was wrapped anew: looking costs a walk over all of them."""

Told: TypeAlias = Callable[[int], None]
_Rewrap: TypeAlias = Callable[[Database, Spot], Awaitable[tuple[Spot | None, int]]]


@dataclass(frozen=True, slots=True)
class Rotated:
    """A wrapping key after its rotation: its id, those destroyed, and how many keys were wrapped anew."""

    key: str
    destroyed: tuple[str, ...]
    rewrapped: int


async def rewrap_subjects(db: Database, after: Spot) -> tuple[Spot | None, int]:
    """Wrap a page of living people's keys under the current epoch key; return where to go on (None: all done) and how many it were."""
    ring = db.keyring
    epoch = ring.current_epoch
    async with db.read(SERVER) as read:
        found = await store.stale_subject_keys(read, epoch, after, PAGE)

    def anew(old: Wrapped) -> bytes:
        place = store.subject_place(old.tenant, old.row)
        return ring.epoch_wrap(ring.epoch_unwrap(old.blob, place), place)

    return await _store_page(db, found, anew, store.rewrap_subject_key)


async def rewrap_tenants(db: Database, after: Spot) -> tuple[Spot | None, int]:
    """Wrap a page of tenants' keys under the current master key; return where to go on (None: all done) and how many it were."""
    ring = db.keyring
    master = ring.master
    async with db.read(SERVER) as read:
        found = await store.stale_tenant_keys(read, master, after, PAGE)

    def anew(old: Wrapped) -> bytes:
        use, _, id_ = old.row.partition("|")
        place = store.tenant_place(old.tenant, Use(use), id_)
        return ring.master_wrap(ring.master_unwrap(old.blob, place), place)

    following, count = await _store_page(db, found, anew, store.rewrap_tenant_key)
    return (Spot(following.tenant, following.row.partition("|")[2]) if following else None), count


async def rotate_epoch(db: Database, *, destroy_previous: bool = False, actor: Actor = SYSTEM, told: Told | None = None) -> Rotated:
    """Begin an epoch: every living person's key is wrapped anew, and the epoch key before the previous one is destroyed.

    With `destroy_previous` the previous one goes too, after a pause in which all processes turn to the new one: backups from before
    cannot be restored, and jobs and journeys under way are lost. `told` hears how many keys were wrapped so far.
    """
    ring = db.keyring
    seen = ring.epochs()[0].id
    count = await _rewrap_all(db, rewrap_subjects, told)
    await _refuse_stale(db, rewrap_subjects)
    gone = ring.rotate_epoch(db.clock.now(), seen)
    count += await _rewrap_all(db, rewrap_subjects, told)
    if destroy_previous:
        await asyncio.sleep(SETTLE)
        count += await _rewrap_all(db, rewrap_subjects, told)
        await _refuse_stale(db, rewrap_subjects)
        gone += ring.destroy_previous()
    await _record(db, actor, EpochRotated(epoch=ring.current_epoch, destroyed=gone, rewrapped=count))
    return Rotated(ring.current_epoch, gone, count)


async def keep_epoch(db: Database) -> Rotated | None:
    """Begin an epoch if the present one has lasted its time, or finish what a rotation that was cut short left; None where there was nothing to do.

    Any number of processes may do so at once: one begins the epoch, the others find it begun. However long none did, one epoch begins.
    """
    ring = db.keyring
    current = ring.epochs()[0]
    age = db.clock.now() - current.created
    if age >= ring.place.epoch:
        with suppress(EpochBegan):
            return await rotate_epoch(db)
    elif age <= _FRESH and (count := await _rewrap_all(db, rewrap_subjects, None)):
        await _record(db, SYSTEM, EpochRotated(epoch=current.id, destroyed=(), rewrapped=count))
        return Rotated(current.id, (), count)
    return None


async def rotate_master(db: Database, *, destroy_previous: bool = False, actor: Actor = SYSTEM, told: Told | None = None) -> Rotated:
    """Make a new master key and wrap every tenant's keys under it; the previous one stays in the file for backups from before.

    Where the master key comes from the environment (`new,old`), only the wrapping is done here. With `destroy_previous` the previous
    one is removed, after a pause as in `rotate_epoch`.
    """
    ring = db.keyring
    count = await _rewrap_all(db, rewrap_tenants, told)
    await _refuse_stale(db, rewrap_tenants)
    gone: tuple[str, ...] = ()
    if not ring.master_is_elsewhere:
        gone = ring.rotate_master(db.clock.now())
        count += await _rewrap_all(db, rewrap_tenants, told)
    if destroy_previous:
        await asyncio.sleep(SETTLE)
        count += await _rewrap_all(db, rewrap_tenants, told)
        await _refuse_stale(db, rewrap_tenants)
        gone += ring.destroy_previous_master()
    await _record(db, actor, MasterRotated(master=ring.master, destroyed=gone, rewrapped=count))
    return Rotated(ring.master, gone, count)


async def _store_page(
    db: Database, found: Sequence[Wrapped], anew: Callable[[Wrapped], bytes], put: Callable[[Work, Wrapped, str, bytes], Awaitable[int]]
) -> tuple[Spot | None, int]:
    count = 0
    for tenant, rows in groupby(found, key=lambda row: row.tenant):
        fresh = [(row, _anew(row, anew)) for row in rows]
        async with db.work(tenant, SYSTEM) as work:
            for row, blob in fresh:
                count += await put(work, row, db.keyring.epoch_of(blob), blob)
    last = found[-1] if len(found) == PAGE else None
    return (Spot(last.tenant, last.row) if last else None), count


def _anew(row: Wrapped, anew: Callable[[Wrapped], bytes]) -> bytes:
    try:
        return anew(row)
    except (KeyringError, Unsealable) as error:
        raise DamagedKey(operator=f"the key {row.row} of {row.tenant or 'the server'} cannot be wrapped anew: {error.operator}") from error


async def _rewrap_all(db: Database, page: _Rewrap, told: Told | None) -> int:
    spot: Spot | None = START
    count = 0
    while spot is not None:
        spot, done = await page(db, spot)
        count += done
        if told is not None:
            told(count)
    return count


async def _refuse_stale(db: Database, page: _Rewrap) -> None:
    """Look once more before a key is destroyed: nothing living may be wrapped under it."""
    for _ in range(2):
        _, late = await page(db, START)
        if not late:
            return
    raise StillInUse(operator="keys are still being wrapped under an older key: is a server with another keyring running on this database?")


async def _record(db: Database, actor: Actor, fact: Fact) -> None:
    async with db.work(SERVER, actor) as work:
        work.record(fact)
