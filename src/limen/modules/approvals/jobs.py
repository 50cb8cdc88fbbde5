"""Outbox work: what nobody answered expires, and old questions leave the table."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import ApprovalId
from limen.modules.approvals import store
from limen.modules.approvals.facts import ApprovalExpired
from limen.modules.approvals.model import REMEMBERED
from limen.platform.outbox import Job, JobKind, enqueue, order_hourly
from limen.platform.sql import Work

AT_ONCE: Final = 500


class Expire(msgspec.Struct, frozen=True):
    """The time of a question is over."""

    approval: ApprovalId


class Sweep(msgspec.Struct, frozen=True):
    """Drop what is long past."""


async def _expire(job: Job[Expire]) -> None:
    async with job.db.work(job.tenant, SYSTEM) as work:
        over = await store.expire(work, job.payload.approval)
        if over is not None:
            work.record(ApprovalExpired(subject=over.account, approval=over.id, client=over.client))


async def _sweep(job: Job[Sweep]) -> None:
    gone = AT_ONCE
    while gone == AT_ONCE:
        async with job.db.work(job.tenant, SYSTEM) as work:
            gone = await store.drop_old(work, work.now - REMEMBERED, AT_ONCE)
    async with job.db.work(job.tenant, SYSTEM) as work:
        if await store.any_left(work):
            await order_hourly(work, SWEEP, Sweep())


async def order(work: Work, approval: ApprovalId, lives: timedelta) -> None:
    """See to it that a question expires, and that it leaves the table one day."""
    await enqueue(work, EXPIRE, Expire(approval), delay=lives)
    await order_hourly(work, SWEEP, Sweep())


EXPIRE: Final = JobKind(name="approvals.expire", payload=Expire, run=_expire)
SWEEP: Final = JobKind(name="approvals.sweep", payload=Sweep, run=_sweep, at_once=1)
JOBS: Final = (EXPIRE, SWEEP)
