"""Outbox work: ending very many sessions, writing down those whose time is over, and hashing addresses anew when that key rotates."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import AccountId
from limen.modules import keys
from limen.modules.sessions import store
from limen.modules.sessions.facts import SessionEnded
from limen.modules.sessions.model import ADDRESSES, EndReason
from limen.platform.crypto import Box
from limen.platform.outbox import Job, JobKind, order_hourly
from limen.platform.sql import Work

KEPT_AFTER_END: Final = timedelta(days=30)
"""Ended sessions stay this long, for the list of the privacy export and the desk."""
AT_ONCE: Final = 100
"""As many sessions end in one transaction; beyond, a job goes on."""

_HASHED_AT_ONCE: Final = 25


class EndAll(msgspec.Struct, frozen=True, kw_only=True):
    """More sessions of an account are to be ended than one transaction takes."""

    account: AccountId
    reason: EndReason
    floor: datetime


class Sweep(msgspec.Struct, frozen=True):
    """End what is past its time."""


async def end_some(work: Work, account: AccountId, reason: EndReason, floor: datetime) -> bool:
    """End a bounded number of an account's sessions that lie below its floor, each with its fact; True if there are more."""
    found = await store.open_of(work, account, floor, AT_ONCE + 1)
    ending = found[:AT_ONCE]
    if ending:
        await store.end_many(work, ending, reason)
    for session in ending:
        work.record(SessionEnded(subject=account, session=session, reason=reason))
    return len(found) > AT_ONCE


async def _end_all(job: Job[EndAll]) -> None:
    more = True
    while more:
        async with job.db.work(job.tenant, SYSTEM) as work:
            more = await end_some(work, job.payload.account, job.payload.reason, job.payload.floor)


async def _sweep(job: Job[Sweep]) -> None:
    more = True
    while more:
        async with job.db.work(job.tenant, SYSTEM) as work:
            more = await sweep(work)
    async with job.db.work(job.tenant, SYSTEM) as work:
        await store.drop_ended(work, work.now - KEPT_AFTER_END, AT_ONCE)
        if await store.any_open(work):
            await order_sweep(work)


async def sweep(work: Work) -> bool:
    """End a bounded number of sessions that are past their time, each with its fact; True if there may be more."""
    found = await store.outdated(work, AT_ONCE)
    if not found:
        return False
    await store.end_many(work, [session for session, _ in found], EndReason.EXPIRED)
    for session, account in found:
        work.record(SessionEnded(subject=account, session=session, reason=EndReason.EXPIRED))
    return len(found) == AT_ONCE


async def rehash(work: Work, after: str) -> keys.Page:
    """Bring the hashes of a page of sessions' addresses under the current index key; who is forgotten has none to bring."""
    page = await store.placed(work, after, _HASHED_AT_ONCE)
    boxes: dict[AccountId, Box | None] = {}
    changed = 0
    for kept, before in page:
        account = kept.session.account
        if account not in boxes:
            boxes[account] = await _box_of(work, account)
        if (box := boxes[account]) is None:
            continue
        now = await keys.blind(work, ADDRESSES, "address", store.unsealed(work, box, kept).address)
        if now != before:
            changed += await store.rehash(work, kept.session.id, before, now)
    return keys.Page(changed, page[-1][0].session.id if len(page) == _HASHED_AT_ONCE else None)


async def _box_of(work: Work, account: AccountId) -> Box | None:
    try:
        return await keys.subject_box(work, account)
    except keys.Forgotten:
        return None


async def order_sweep(work: Work) -> None:
    """See to it that a sweep runs in the next hour. It orders the one after itself while any session is open."""
    await order_hourly(work, SWEEP, Sweep())


END_ALL: Final = JobKind(name="sessions.end_all", payload=EndAll, run=_end_all)
SWEEP: Final = JobKind(name="sessions.sweep", payload=Sweep, run=_sweep, at_once=1)

JOBS: Final = (END_ALL, SWEEP)
KEPT: Final[keys.Keeping] = {ADDRESSES: rehash}
