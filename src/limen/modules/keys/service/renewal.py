"""Rotating a tenant's own keys: its data key and the key of its blind index."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from limen.kernel.facts import SYSTEM, Actor
from limen.kernel.ids import TenantId
from limen.modules import tenants
from limen.modules.keys import store
from limen.modules.keys.jobs import SETTLES, order_walk
from limen.modules.keys.model import Use
from limen.modules.keys.service import wrapping
from limen.modules.keys.service.following import Walk, step
from limen.modules.keys.service.tenant import begin_rotation
from limen.platform.sql import Database, Work


async def rotate_tenant_key(work: Work, use: Use) -> str:
    """Begin the rotation of a key; return the new one's id. RotationUnfinished while the previous one is still needed; NoSuchTenant.

    From now on the new key seals (or indexes) and both open (or find). Jobs bring along what the old one made, and drop it when nothing
    needs it any more.
    """
    await tenants.find(work)
    fresh = await begin_rotation(work, use)
    await order_walk(work, fresh, last=False, delay=SETTLES)
    return fresh.id


async def replace_data_key(db: Database, tenant: TenantId, *, actor: Actor = SYSTEM, told: Callable[[int], None] | None = None) -> str:
    """Rotate the data key and drop those before it now, with whatever only they can open; return the new one's id.

    For a key that got into wrong hands. What can be is sealed anew first, after a pause in which all processes turn to the new key;
    `told` hears how much that was. What fades is lost.
    """
    await _finish(db, tenant, actor, told)
    async with db.work(tenant, actor) as work:
        fresh = await rotate_tenant_key(work, Use.DATA)
    await _finish(db, tenant, actor, told)
    return fresh


async def _finish(db: Database, tenant: TenantId, actor: Actor, told: Callable[[int], None] | None) -> None:
    """End the rotation in hand, if there is one."""
    async with db.read(tenant) as read:
        present = await store.tenant_keys(read, Use.DATA)
    if len(present) < 2:  # noqa: PLR2004 - the current key and the previous one
        return
    await asyncio.sleep(wrapping.SETTLE)
    walk: Walk | None = Walk(use=Use.DATA, key=present[0].id, last=True)
    while walk is not None:
        async with db.work(tenant, actor) as work:
            walk = await step(work, walk)
        if walk is not None and told is not None:
            told(walk.changed)
