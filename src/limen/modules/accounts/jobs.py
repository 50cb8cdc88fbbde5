"""Outbox work: writing every identifier's index anew after the key of the blind index has rotated."""

from __future__ import annotations

from typing import Final

import msgspec

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import AccountId
from limen.modules import keys
from limen.modules.accounts import service, store
from limen.modules.accounts.facts import IdentifiersReindexed
from limen.platform.outbox import Job, JobKind
from limen.platform.sql import Work

_AT_ONCE: Final = 25


class Reindex(msgspec.Struct, frozen=True):
    """Bring every identifier of the tenant under the current index key."""

    key: str


async def _reindex(job: Job[Reindex]) -> None:
    after, changed = "", 0
    while True:
        async with job.db.work(job.tenant, SYSTEM) as work:
            page = await service.list_of(work, after, _AT_ONCE)
            changed += await _reindex_some(work, [one.id for one in page])
            if len(page) < _AT_ONCE:
                work.record(IdentifiersReindexed(key=job.payload.key, changed=changed))
                return
        after = page[-1].id


async def _reindex_some(work: Work, accounts: list[AccountId]) -> int:
    changed = 0
    held = {kept.id: kept for kept in await store.identifiers(work, accounts)}
    for several in (await service.identifiers_of(work, accounts)).values():
        for one in several:
            blind = await keys.blind(work, one.kind, service.normalise(one.kind, one.value))
            if blind != held[one.id].blind:
                await store.reblind(work, held[one.id], blind)
                changed += 1
    return changed


REINDEX: Final = JobKind(name="accounts.reindex", payload=Reindex, run=_reindex, at_once=1)

JOBS: Final = (REINDEX,)
