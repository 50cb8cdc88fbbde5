"""A database that goes away while jobs run, and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from limen.kernel.clock import SystemClock
from limen.kernel.errors import LimenError
from limen.platform import outbox
from limen.platform.crypto import Keyring
from limen.platform.sql import open_database
from tests.conftest import World
from tests.platform.outbox.test_runner import Script, order, serving, until
from tests.rig import databases
from tests.rig.postgres import Cluster


@pytest.fixture
async def world(cluster: Cluster, keyring: Keyring, clock: SystemClock) -> AsyncIterator[World]:
    """A world on PostgreSQL, which can be away while its clients live."""
    async with databases.postgres_copy(cluster) as url:
        db = await open_database(url, keyring, clock)
        try:
            yield World(db, clock, keyring, url)
        finally:
            await db.close()


async def close_down(cluster: Cluster, world: World, *, allow: bool) -> None:
    """Shut everybody out of the world's database, or let them in again."""
    name = world.url.rpartition("/")[2]
    admin = await asyncpg.connect(cluster.url())
    try:
        await admin.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {allow}")
        if not allow:
            await admin.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    finally:
        await admin.close()


@pytest.mark.slow
async def test_outage_while_a_job_runs(world: World, cluster: Cluster) -> None:
    """A job done while the database is away is written down when it is back, and not done again; the runner goes on by itself."""
    script = Script()
    script.seconds = 0.4
    kind = script.kind()
    await order(world, kind)
    async with serving(world.db, kind):
        await until(lambda: script.now.total() == 1)
        await close_down(cluster, world, allow=False)
        await until(lambda: script.now.total() == 0)
        await asyncio.sleep(1.5)
        await close_down(cluster, world, allow=True)
        script.seconds = 0
        for _ in range(50):
            try:
                await order(world, kind)
                break
            except LimenError:
                await asyncio.sleep(0.1)
        await until(lambda: len(script.ran) == 2)
        for _ in range(500):
            if not await outbox.list_jobs(world.db):
                break
            await asyncio.sleep(0.01)
    assert await outbox.list_jobs(world.db) == []
    assert set(script.ran.values()) == {1}
