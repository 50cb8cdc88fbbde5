"""Cached values: a hit costs nothing, a change reaches every process, and nothing uncommitted is ever kept."""

from __future__ import annotations

import asyncio

import pytest

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import TenantId
from limen.platform.sql import Cached, Database, Reader
from limen.platform.sql.postgres import Postgres
from limen.platform.sql.sqlite import Sqlite
from tests.conftest import World
from tests.platform.sql.things import ACME, ADD, COUNT, GET, OTHER, PUT, ThingMade, opened

_LOADS: list[tuple[str, str]] = []


async def _load(reader: Reader, key: str) -> int | None:
    _LOADS.append((reader.tenant, key))
    return await reader.one(GET, id=key)


NUMBERS: Cached[str, int] = Cached("test_numbers", _load, limit=3)


class Stop(Exception):
    """Raised by a Work that is to be rolled back."""


@pytest.fixture(autouse=True)
def _no_loads() -> None:
    _LOADS.clear()


async def _put(db: Database, key: str, n: int, tenant: TenantId = ACME) -> None:
    async with db.work(tenant, SYSTEM) as work:
        await work.run(PUT, id=key, n=n)
        NUMBERS.changed(work, key)
    await _settle(db)


async def _settle(db: Database) -> None:
    """Let the process read its own notices, which drop a second time what it has dropped already."""
    if isinstance(db, Postgres):
        await db.notices.look()
    else:
        assert isinstance(db, Sqlite)
        db.notices.look()


async def _get(db: Database, key: str, tenant: TenantId = ACME) -> int | None:
    async with db.read(tenant) as read:
        return await NUMBERS.get(read, key)


async def test_a_value_is_loaded_once(world: World) -> None:
    """Later readers, Works among them, get the kept value; each tenant has its own."""
    await _put(world.db, "a", 1)
    await _put(world.db, "a", 7, OTHER)
    assert [await _get(world.db, "a"), await _get(world.db, "a"), await _get(world.db, "a", OTHER)] == [1, 1, 7]
    async with world.work() as work:
        assert await NUMBERS.get(work, "a") == 1
        work.record(ThingMade())
    assert _LOADS == [(ACME, "a"), (OTHER, "a")]


async def test_a_work_loads_into_the_cache_before_it_begins(world: World) -> None:
    """A Work that has run no statement fills the cache, so that a hot path that only works stays fast."""
    await _put(world.db, "a", 1)
    for _ in range(3):
        async with world.work() as work:
            assert await NUMBERS.get(work, "a") == 1
            work.record(ThingMade())
    assert len(_LOADS) == 1


async def test_a_change_is_seen_at_once(world: World) -> None:
    """After the Work that changed it, its own process reads the new value."""
    await _put(world.db, "a", 1)
    assert await _get(world.db, "a") == 1
    await _put(world.db, "a", 2)
    assert await _get(world.db, "a") == 2


async def test_a_change_reaches_the_other_process(world: World, database_url: str) -> None:
    """Another process follows within about a second."""
    await _put(world.db, "a", 1)
    async with opened(database_url, world.keyring) as other:
        assert await _get(other, "a") == 1
        await _put(world.db, "a", 2)
        async with asyncio.timeout(3):
            while await _get(other, "a") != 2:
                await asyncio.sleep(0.05)
        await _put(other, "a", 3)
        assert await _get(other, "a") == 3
        async with asyncio.timeout(3):
            while await _get(world.db, "a") != 3:
                await asyncio.sleep(0.05)


async def test_a_change_that_is_rolled_back(world: World) -> None:
    """A Work sees its own change, nobody else does, and when it is undone the old value is still right."""
    await _put(world.db, "a", 1)
    assert await _get(world.db, "a") == 1
    with pytest.raises(Stop):
        async with world.work() as work:
            await work.run(PUT, id="a", n=2)
            NUMBERS.changed(work, "a")
            assert await NUMBERS.get(work, "a") == 2
            raise Stop
    assert await _get(world.db, "a") == 1


async def test_uncommitted_values_are_never_kept(world: World) -> None:
    """What a Work reads after its first statement is not kept: it may be its own, and may be undone."""
    with pytest.raises(Stop):
        async with world.work() as work:
            await work.run(ADD, id="a", n=5)
            assert await NUMBERS.get(work, "a") == 5
            raise Stop
    assert await _get(world.db, "a") is None


async def test_what_is_not_there_is_not_kept(world: World) -> None:
    """A new value is found although somebody asked for it too early, even if nobody announced it."""
    assert await _get(world.db, "a") is None
    async with world.work() as work:
        await work.run(ADD, id="a", n=1)
    assert await _get(world.db, "a") == 1


async def test_a_snapshot_fills_no_cache(world: World) -> None:
    """A snapshot may be old; what it reads is not kept."""
    await _put(world.db, "a", 1)
    async with world.db.read(ACME, snapshot=True) as frozen:
        assert await frozen.one(COUNT) == 1
        await asyncio.create_task(_put(world.db, "a", 2))
        assert await NUMBERS.get(frozen, "a") == 1
    assert await _get(world.db, "a") == 2


async def test_a_value_read_before_a_notice_is_not_kept_after_it(world: World) -> None:
    """A change that lands while a value is being loaded does not leave the old one behind."""
    await _put(world.db, "a", 1)

    async def slow(reader: Reader, key: str) -> int | None:
        found = await reader.one(GET, id=key)
        if found == 1:
            await asyncio.create_task(_put(world.db, key, 2))
        return found

    cache: Cached[str, int] = Cached("test_numbers", slow)
    async with world.read() as read:
        assert await cache.get(read, "a") == 1
    assert await _get(world.db, "a") == 2


async def test_the_cache_is_bounded(world: World) -> None:
    """The value that was not asked for longest goes first."""
    for key in "abcd":
        await _put(world.db, key, 1)
    for key in "abca" + "d":
        await _get(world.db, key)
    assert len(_LOADS) == 4
    await _get(world.db, "a")
    await _get(world.db, "c")
    assert len(_LOADS) == 4
    await _get(world.db, "b")
    assert len(_LOADS) == 5


async def test_old_notices_go_away(world: World, database_url: str) -> None:
    """Notices older than an hour are deleted on the way, and later ones still arrive."""
    await _put(world.db, "a", 1)
    async with opened(database_url, world.keyring) as other:
        assert await _get(other, "a") == 1
        for number in range(3):
            world.advance(3700)
            await _put(world.db, "a", number + 2)
        async with asyncio.timeout(3):
            while await _get(other, "a") != 4:
                await asyncio.sleep(0.05)
