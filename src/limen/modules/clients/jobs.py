"""Outbox work: applications that anybody may have registered, and nobody let in, leave; and secrets that clients sign with follow the tenant's keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from limen.kernel.facts import SYSTEM
from limen.modules import keys
from limen.modules.clients.model import SECRETS
from limen.modules.clients.service import drop_unused, unused
from limen.modules.clients.store import clients as store
from limen.platform.outbox import Job, JobKind
from limen.platform.sql import Work

AT_ONCE: Final = 100


class DropUnused(msgspec.Struct, frozen=True):
    """Drop them, of all tenants."""


async def _drop_unused(job: Job[DropUnused]) -> None:
    found = AT_ONCE
    while found == AT_ONCE:
        async with job.db.read(job.tenant) as read:
            due = await unused(read, AT_ONCE)
        for tenant, client in due:
            async with job.db.work(tenant, SYSTEM) as work:
                await drop_unused(work, client)
        found = len(due)


async def _reseal(work: Work, after: str) -> keys.Page:
    box, found, changed = await keys.tenant_box(work, SECRETS), await store.sealed(work, after, AT_ONCE), 0
    for client, sealed in found:
        place = store.secret_place(work, client)
        if not box.is_current(sealed):
            await store.reseal(work, client, box.seal(box.open(sealed, place), place))
            changed += 1
    return keys.Page(changed, found[-1][0] if len(found) == AT_ONCE else None)


DROP_UNUSED: Final = JobKind(name="clients.drop_unused", payload=DropUnused, run=_drop_unused, at_once=1, every=timedelta(hours=1))

JOBS: Final = (DROP_UNUSED,)
KEPT: Final[keys.Keeping] = {SECRETS: _reseal}
