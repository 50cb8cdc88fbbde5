"""Rotating a tenant's own keys, as an operator and the servers do: begun, brought along, ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from limen.modules import keys, tenants
from limen.modules.keys import store
from limen.modules.keys.jobs import JOBS, LOOKS_EVERY, SETTLES
from limen.modules.keys.service import keeping
from limen.platform.duties import Running, Settings
from limen.platform.outbox import Runner
from limen.platform.sql import Database
from tests.conftest import World

AT_ONCE = timedelta()


def runner(db: Database, *, dev: bool = False) -> Runner:
    """Return what runs the jobs of keys."""
    return Runner(db, settings(dev=dev), JOBS)


def settings(*, dev: bool = False) -> Settings:
    """Return what such jobs are told of the server."""
    return Settings([Running(dev=dev)])


async def begin(world: World, use: keys.Use) -> str:
    """Rotate a key; return the new one's id. The tenant is saved if it is not."""
    if await tenants.by_name(world.db, world.tenant) is None:
        async with world.work() as work:
            await tenants.save(work, tenants.plain(world.tenant))
    async with world.work() as work:
        return await keys.rotate_tenant_key(work, use)


async def bring_along(world: World) -> None:
    """Let the servers seal and index anew, a minute later."""
    world.advance(SETTLES.total_seconds() + 1)
    await runner(world.db).run_due()


async def look(world: World, *, dev: bool = False) -> None:
    """Let the servers look what is due, and do it."""
    running = runner(world.db, dev=dev)
    await running.order_turns()
    await running.run_due()


async def end(world: World, use: keys.Use) -> None:
    """Let the time pass until nothing needs the previous key any more, and the servers look."""
    async with world.read() as read:
        current, *previous = await store.tenant_keys(read, use)
    assert previous, "no rotation is under way"
    world.advance((keeping.needed_until(current) + LOOKS_EVERY - world.clock.now()).total_seconds())
    await look(world)


async def count(world: World, use: keys.Use) -> int:
    """Return how many keys of a use the tenant has."""
    async with world.read() as read:
        return len(await store.tenant_keys(read, use))


async def until(ask: Callable[[], Awaitable[object]], wanted: object) -> bool:
    """Ask again and again until the answer is the one wanted: another process hears of a change within a second or so."""
    for _ in range(200):
        if await ask() == wanted:
            return True
        await asyncio.sleep(0.05)
    return False
