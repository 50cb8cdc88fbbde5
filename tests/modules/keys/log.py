"""Reading the log in tests: on PostgreSQL facts get their positions a moment after the commit."""

from __future__ import annotations

import asyncio

from limen.kernel.ids import TenantId
from limen.platform.sql import StoredFact, facts_after
from tests.conftest import World


async def facts_of(world: World, tenant: TenantId, count: int) -> list[StoredFact]:
    """Return the tenant's facts of keys, once there are `count`, or what there is after five seconds."""
    found: list[StoredFact] = []
    for _ in range(100):
        async with world.db.read(tenant) as read:
            found = [fact for fact in await facts_after(read, 0, 500) if fact.name.startswith("keys.") and fact.tenant == tenant]
        if len(found) >= count:
            break
        await asyncio.sleep(0.05)
    return found
