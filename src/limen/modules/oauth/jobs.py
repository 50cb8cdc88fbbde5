"""Outbox work: requests nobody came back for leave the table."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from limen.kernel.facts import SYSTEM
from limen.modules.oauth import store
from limen.platform.outbox import Job, JobKind, enqueue
from limen.platform.sql import Work

SWEEP_EVERY: Final = timedelta(hours=1)
AT_ONCE: Final = 500


class Sweep(msgspec.Struct, frozen=True):
    """Drop what is past its time."""


async def _sweep(job: Job[Sweep]) -> None:
    gone = AT_ONCE
    while gone == AT_ONCE:
        async with job.db.work(job.tenant, SYSTEM) as work:
            gone = await store.drop_old(work, AT_ONCE)
    async with job.db.work(job.tenant, SYSTEM) as work:
        if await store.any_left(work):
            await order_sweep(work)


async def order_sweep(work: Work) -> None:
    """See to it that a sweep runs within two hours; it orders the one after itself while anything waits."""
    due = work.now + SWEEP_EVERY
    await enqueue(work, SWEEP, Sweep(), key=due.strftime("%Y-%m-%dT%H"), delay=SWEEP_EVERY)


SWEEP: Final = JobKind(name="oauth.sweep", payload=Sweep, run=_sweep, at_once=1)

JOBS: Final = (SWEEP,)
