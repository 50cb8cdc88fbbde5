"""Outbox work: what is kept follows a tenant's keys, and signing keys rotate when their time has come. Both while everything serves."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import msgspec
import structlog

from limen.kernel.errors import Kind, LimenError
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import SERVER, TenantId
from limen.modules import tenants
from limen.modules.keys import store
from limen.modules.keys.model import TenantKey, Use
from limen.modules.keys.port import Indexed, Keeping
from limen.modules.keys.service import decryption, keeping, rotation, signing
from limen.modules.keys.service.following import Walk, step
from limen.modules.keys.service.wrapping import keep_epoch
from limen.platform.crypto import KeyringError
from limen.platform.duties import Running
from limen.platform.outbox import Job, JobKind, enqueue
from limen.platform.sql import Work

_LOG: Final = structlog.get_logger("limen.keys")

SETTLES: Final = timedelta(minutes=1)
"""So long after a rotation every process seals and indexes under the new key, and Works begun before have ended: the walk begins then."""
STEPS: Final = 50
"""Pages in one run: some seconds at most, far from a job's time."""
LOOKS_EVERY: Final = timedelta(minutes=5)
EPOCH_EVERY: Final = timedelta(hours=1)
"""How often one looks whether the epoch has lasted its time; and how long wrapping everybody's key anew may take before it goes on an hour later."""
_TENANTS_AT_ONCE: Final = 200

LOGGED: Final = Indexed(
    name="keys.log",
    fades=timedelta(),
    why="the log is never written anew: an index in it can be compared with others of its key's time only",
)
"""What stands in facts alone."""


async def order_walk(work: Work, current: TenantKey, *, last: bool, delay: timedelta = timedelta()) -> None:
    """Order a walk for the key that is current, unless it is under way."""
    walk = Walk(use=current.use, key=current.id, last=last)
    await enqueue(work, FOLLOW, walk, key=f"{current.id}|{'last' if last else 'first'}", delay=delay)


async def _follow(job: Job[Walk]) -> None:
    walk = job.payload
    for _ in range(STEPS):
        async with job.db.work(job.tenant, SYSTEM) as work:
            further = await step(work, walk)
        if further is None:
            return
        walk = further
    async with job.db.work(job.tenant, SYSTEM) as work:
        await enqueue(work, FOLLOW, walk, key=job.id)  # run again, this one comes here again, and orders nothing twice


class Look(msgspec.Struct, frozen=True):
    """Look what is to be done for the keys of tenants after a name."""

    after: TenantId = SERVER


async def _look(job: Job[Look]) -> None:
    after = job.payload.after
    names = await tenants.all_names(job.db, after, _TENANTS_AT_ONCE)
    for name in names:
        await asyncio.sleep(0)  # others come in between
        try:
            await _look_at(job, name)
        except LimenError as error:  # one tenant's trouble is not the others'
            if error.kind is Kind.UNAVAILABLE:
                raise
            _LOG.error("signing keys cannot be looked after", tenant=name, error=error.code, reason=error.operator)
    if names:
        await _end_rotations(job, after, names[-1])
    if len(names) == _TENANTS_AT_ONCE:
        async with job.db.work(SERVER, SYSTEM) as work:
            await enqueue(work, LOOK, Look(names[-1]), key=job.id)


async def _look_at(job: Job[Look], tenant: TenantId) -> None:
    async with job.db.read(tenant, snapshot=True) as read:  # what a snapshot reads is kept by no cache: idle tenants stay out of memory
        due = await rotation.due(read, dev=job.settings.of(Running).dev)
    for alg in due.rotate:
        await rotation.rotate(job.db, tenant, alg, dev=job.settings.of(Running).dev)
    if due.advance:
        async with job.db.work(tenant, SYSTEM) as work:
            await rotation.advance(work)
    await decryption.keep(job.db, tenant)


async def _end_rotations(job: Job[Look], after: TenantId, last: TenantId) -> None:
    """Order the last walk where nothing needs a previous key any more, and the first one where it has got lost."""
    async with job.db.read(SERVER) as read:
        rotating = await store.rotating(read, after, last)
    for tenant, use in rotating:
        async with job.db.work(tenant, SYSTEM) as work:
            await _end_rotation(work, use)


async def _end_rotation(work: Work, use: Use) -> None:
    current, *previous = await store.tenant_keys(work, use)
    if not previous:
        return
    if previous[0].renewed is None:
        await order_walk(work, current, last=False)
    elif keeping.needed_until(current) <= work.now:
        await order_walk(work, current, last=True)


class Epoch(msgspec.Struct, frozen=True):
    """Look whether the epoch has lasted its time."""


async def _keep_epoch(job: Job[Epoch]) -> None:
    """Begin an epoch where that is due. A folder that cannot be written is told of in the log, each time, and makes no dead letter of each hour."""
    if not job.db.keyring.place.by_itself:
        return
    try:
        rotated = await keep_epoch(job.db)
    except (KeyringError, OSError) as error:
        reason = error.operator if isinstance(error, KeyringError) else str(error)
        _LOG.error("the epoch cannot be ended; see `limen check`", error=type(error).__name__, reason=reason)
        return
    if rotated is not None:
        _LOG.info("an epoch began", epoch=rotated.key, destroyed=list(rotated.destroyed), rewrapped=rotated.rewrapped)


FOLLOW: Final = JobKind(name="keys.follow", payload=Walk, run=_follow, at_once=1)
LOOK: Final = JobKind(name="keys.look", payload=Look, run=_look, at_once=1, timeout=LOOKS_EVERY, every=LOOKS_EVERY)
EPOCH: Final = JobKind(name="keys.epoch", payload=Epoch, run=_keep_epoch, at_once=1, timeout=EPOCH_EVERY, every=EPOCH_EVERY)

JOBS: Final = (FOLLOW, LOOK, EPOCH)
KEPT: Final[Keeping] = {signing.SIGNING: signing.reseal, decryption.DECRYPTION: decryption.reseal, LOGGED: None}
