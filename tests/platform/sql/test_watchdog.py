"""Test mode: mistakes that would only hurt under load, or only on one of the databases, fail in tests."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from limen.platform.sql import WorkMisused
from tests.conftest import World
from tests.platform.sql.things import ADD, GET, SOME, Colour, ThingMade, count_facts, ids, make


@pytest.mark.parametrize("begun", [True, False])
async def test_awaiting_something_else_fails(world: World, begun: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    """A Work that gives the loop a turn for anything but the database is rolled back and told why."""
    with pytest.raises(WorkMisused, match="awaited"):
        async with world.work() as work:
            if begun:
                await make(work, "a")
            await asyncio.sleep(0)
            work.record(ThingMade())
    assert await ids(world.db) == []
    assert await count_facts(world.db) == 0


async def test_awaiting_before_a_statement_fails_there(world: World) -> None:
    """The mistake is reported at the next statement, near its place."""
    with pytest.raises(WorkMisused, match="awaited"):
        async with world.work() as work:
            await asyncio.sleep(0.001)
            await work.run(ADD, id="a", n=1)
    assert await ids(world.db) == []


async def test_using_the_processor_too_long_fails(world: World) -> None:
    """Over 20 ms of processor in a Work's own code fail: nobody else ran meanwhile."""
    with pytest.raises(WorkMisused, match="processor"):
        async with world.work() as work:
            await make(work, "a")
            until = time.thread_time() + 0.03
            while time.thread_time() < until:
                pass
    assert await ids(world.db) == []


async def test_the_database_may_take_its_time(world: World) -> None:
    """Waiting for the database, or a hundred statements, is no fault."""
    async with world.work() as work:
        for number in range(100):
            await work.run(ADD, id=f"{number:03}", n=number)
    assert len(await ids(world.db)) == 100


async def test_an_error_of_the_body_is_not_hidden(world: World) -> None:
    """A Work that misbehaves and raises shows what it raised."""
    with pytest.raises(ZeroDivisionError):
        async with world.work():
            await asyncio.sleep(0)
            _ = 1 / 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"id": 5, "n": 1}, "`id` takes str, not int"),
        ({"id": "a", "n": "1"}, "`n` takes int, not str"),
        ({"id": "a", "n": True}, "`n` takes int, not bool"),
        ({"id": "a", "n": 1.0}, "`n` takes int, not float"),
        ({"id": b"a", "n": 1}, "`id` takes str, not bytes"),
        ({"id": Colour.RED, "n": 1}, "`id` takes str, not Colour"),
        ({"id": "a\0", "n": 1}, "U+0000"),
        ({"id": "a"}, "lacks n"),
        ({"id": "a", "n": 1, "m": 2}, "has no m"),
        ({"id": "a", "n": 1, "tenant": "other"}, "has no tenant"),
    ],
)
async def test_wrong_binds_fail(world: World, words: dict[str, Any], says: str) -> None:
    """SQLite takes `id=5` for a text column and finds nothing, PostgreSQL refuses: in tests both refuse (trap 12)."""
    with pytest.raises(WorkMisused) as refused:
        async with world.work() as work:
            await work.run(ADD, **words)
    assert says in str(refused.value)
    assert await ids(world.db) == []


async def test_wrong_binds_fail_in_reads_too(world: World) -> None:
    """Reads and lists are checked likewise."""
    async with world.read() as read:
        with pytest.raises(WorkMisused):
            await read.one(GET, id=datetime(2026, 1, 1, tzinfo=UTC))
        with pytest.raises(WorkMisused):
            await read.all(SOME, ids="abc")
        with pytest.raises(WorkMisused):
            await read.all(SOME, ids=["a", 1])
