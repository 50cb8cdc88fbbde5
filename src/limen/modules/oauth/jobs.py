"""Outbox work: requests and devices nobody came back for leave the table, and so does what was shown once and is too old to be shown again.

And once a minute the token watch reads on in the log.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from limen.kernel.facts import SYSTEM
from limen.modules import keys
from limen.modules.oauth import backchannel, backchannel_delivery, store
from limen.modules.oauth.nonces import NONCES
from limen.modules.oauth.watch.following import keep_watch
from limen.modules.oauth.watch.networks import NETWORKS
from limen.platform.outbox import Job, JobKind, order_hourly
from limen.platform.sql import Work

AT_ONCE: Final = 500
FORGETS_EVERY: Final = timedelta(minutes=5)
"""Proofs live about a minute and assertions a few, and there are as many of them as requests: the table stays small."""
WATCHES_EVERY: Final = timedelta(minutes=1)
STRETCHES: Final = 10
"""Of the log in one run of the watch, far from a job's time: what is left is for the next."""
BACKCHANNEL_KEPT: Final = timedelta(hours=1)
"""So long after its time a back-channel request is known, so that a client that comes late is told so."""


class Sweep(msgspec.Struct, frozen=True):
    """Drop what is past its time."""


async def _sweep(job: Job[Sweep]) -> None:
    gone = AT_ONCE
    while gone == AT_ONCE:
        async with job.db.work(job.tenant, SYSTEM) as work:
            gone = max(
                await store.drop_old(work, AT_ONCE),
                await store.devices.drop_old(work, AT_ONCE),
                await store.backchannel.drop_old(work, work.now - BACKCHANNEL_KEPT, AT_ONCE),
            )
    async with job.db.work(job.tenant, SYSTEM) as work:
        if await store.any_left(work) or await store.devices.any_left(work) or await store.backchannel.any_left(work):
            await order_sweep(work)


async def order_sweep(work: Work) -> None:
    """See to it that a sweep runs within two hours; it orders the one after itself while anything waits."""
    await order_hourly(work, SWEEP, Sweep())


class Forget(msgspec.Struct, frozen=True):
    """Forget what was shown once, of all tenants."""


async def _forget(job: Job[Forget]) -> None:
    gone = AT_ONCE
    while gone == AT_ONCE:
        async with job.db.work(job.tenant, SYSTEM) as work:
            gone = await store.drop_shown(work, AT_ONCE)


class Watch(msgspec.Struct, frozen=True):
    """Look at what tokens were asked for and shown, of all tenants."""


async def _watch(job: Job[Watch]) -> None:
    for _ in range(STRETCHES):
        if not await keep_watch(job.db):
            return


SWEEP: Final = JobKind(name="oauth.sweep", payload=Sweep, run=_sweep, at_once=1)

FORGET: Final = JobKind(name="oauth.forget", payload=Forget, run=_forget, at_once=1, timeout=FORGETS_EVERY, every=FORGETS_EVERY)

WATCH: Final = JobKind(name="oauth.watch", payload=Watch, run=_watch, at_once=1, every=WATCHES_EVERY)

JOBS: Final = (SWEEP, FORGET, WATCH, *backchannel.JOBS, *backchannel_delivery.JOBS)
KEPT: Final[keys.Keeping] = {NONCES: None, store.devices.USER_CODES: None, NETWORKS: None}
