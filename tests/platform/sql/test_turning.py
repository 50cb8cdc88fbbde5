"""The clock of dev mode."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from limen.kernel.clock import SystemClock
from limen.platform.sql import follow_clock, open_database, read_clock, turn_clock
from tests.conftest import World


async def test_every_process_follows(world: World) -> None:
    """Who turns the clock sees it at once, a process that starts later from its start, one that runs within a second."""
    other = await open_database(world.url, world.keyring, SystemClock())
    following = asyncio.create_task(follow_clock(other))
    try:
        real = datetime.now(UTC)
        said = await turn_clock(world.db, by=timedelta(days=3))
        assert timedelta(days=3) <= said - real < timedelta(days=3, seconds=5)
        assert abs(world.clock.now() - said) < timedelta(seconds=1)
        await asyncio.sleep(1.1)
        assert abs(other.clock.now() - world.clock.now()) < timedelta(milliseconds=10)
    finally:
        following.cancel()
        await other.close()
    late = await open_database(world.url, world.keyring, SystemClock())
    try:
        await read_clock(late)
        assert abs(late.clock.now() - world.clock.now()) < timedelta(milliseconds=10)
    finally:
        await late.close()


async def test_turns_add_up_and_can_be_set(world: World) -> None:
    """Turns add up, back and forth; an instant sets it whatever was before."""
    await turn_clock(world.db, by=timedelta(hours=2))
    await turn_clock(world.db, by=timedelta(hours=-1))
    assert world.clock.offset == timedelta(hours=1)
    there = datetime(2030, 5, 6, 7, 8, tzinfo=UTC)
    said = await turn_clock(world.db, to=there)
    assert timedelta() <= said - there < timedelta(seconds=2)
    assert timedelta() <= world.clock.now() - there < timedelta(seconds=3)


async def test_only_a_turnable_clock_is_turned(world: World) -> None:
    """A clock of another kind is refused, not silently left."""

    class Stopped:
        def now(self) -> datetime:
            return datetime(2026, 1, 1, tzinfo=UTC)

    db = await open_database(world.url, world.keyring, Stopped())
    try:
        with pytest.raises(TypeError):
            await turn_clock(db, by=timedelta(1))
    finally:
        await db.close()
