"""Outbox work: codes past their time, and counters of identifiers nobody has, leave their tables."""

from __future__ import annotations

from typing import Final

import msgspec

from limen.kernel.facts import SYSTEM
from limen.modules import keys
from limen.modules.factors import store
from limen.modules.factors.model import UNKNOWN, UNKNOWN_KEPT
from limen.platform.outbox import Job, JobKind, order_hourly
from limen.platform.sql import Work

AT_ONCE: Final = 500


class Sweep(msgspec.Struct, frozen=True):
    """Drop what is past its time."""


async def _sweep(job: Job[Sweep]) -> None:
    gone = AT_ONCE
    while gone >= AT_ONCE:
        async with job.db.work(job.tenant, SYSTEM) as work:
            gone = await store.drop_outdated(work, work.now - UNKNOWN_KEPT, AT_ONCE)
    async with job.db.work(job.tenant, SYSTEM) as work:
        if await store.any_left(work):
            await order_sweep(work)


async def order_sweep(work: Work) -> None:
    """See to it that a sweep runs within two hours; it orders the one after itself while there is anything to find."""
    await order_hourly(work, SWEEP, Sweep())


SWEEP: Final = JobKind(name="factors.sweep", payload=Sweep, run=_sweep, at_once=1)

JOBS: Final = (SWEEP,)
KEPT: Final[keys.Keeping] = {UNKNOWN: None}
