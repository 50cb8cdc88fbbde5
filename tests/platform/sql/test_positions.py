"""Positions of facts: dense, in an order that nothing later comes before, and taken once by each follower."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence

import pytest

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import SERVER
from limen.platform.sql import Database, Follower, StoredFact, Work, facts_after, facts_lag, last_position
from tests.conftest import World
from tests.platform.sql.things import ACME, ADD, COUNT, ThingMade, count_facts, make, opened


class Stop(Exception):
    """Raised by a Work that is to be rolled back."""


async def _numbered(db: Database, count: int) -> list[StoredFact]:
    """Return all facts once `count` of them have positions."""
    async with asyncio.timeout(10):
        while True:
            async with db.read(SERVER) as read:
                if await last_position(read) >= count:
                    return await facts_after(read, 0, count + 10)
            await asyncio.sleep(0.02)


async def test_positions_are_dense(world: World) -> None:
    """Facts of 60 concurrent Works, a third rolled back, stand at 1 to n without a gap, each Work's in its order."""

    async def one(number: int) -> None:
        async with world.work() as work:
            for step in range(3):
                work.record(ThingMade(thing=str(number), n=step))
            if number % 2:
                await work.run(ADD, id=str(number), n=0)
            if number % 3 == 0:
                raise Stop

    await asyncio.gather(*(one(number) for number in range(60)), return_exceptions=True)
    facts = await _numbered(world.db, 120)
    assert [fact.pos for fact in facts] == list(range(1, 121))
    for number in range(60):
        mine = [fact.data["n"] for fact in facts if fact.data["thing"] == str(number)]
        assert mine == ([] if number % 3 == 0 else [0, 1, 2])


async def test_pages(world: World) -> None:
    """`facts_after` walks the log in pages."""
    async with world.work() as work:
        for number in range(7):
            work.record(ThingMade(n=number))
    await _numbered(world.db, 7)
    async with world.db.read(SERVER) as read:
        seen: list[StoredFact] = []
        while page := await facts_after(read, seen[-1].pos if seen else 0, 3):
            seen += page
        assert [fact.data["n"] for fact in seen] == list(range(7))
        assert await facts_lag(read) == 0.0


async def test_a_follower_takes_each_fact_once(world: World) -> None:
    """What it writes and its position are one Work: a failure in between is repeated, a success never."""
    taken: list[int] = []
    fail = True

    async def take(work: Work, facts: Sequence[StoredFact]) -> None:
        nonlocal fail
        for fact in facts:
            await work.run(ADD, id=f"seen{fact.pos:03}", n=0)
        if fail:
            fail = False
            raise Stop
        taken.extend(fact.pos for fact in facts)

    follower = Follower(world.db, "test", take)
    async with world.work() as work:
        work.record(ThingMade())
        work.record(ThingMade())
    await _numbered(world.db, 2)
    async with world.db.read(SERVER) as read:
        assert await follower.lag(read) == 2
    with pytest.raises(Stop):
        await follower.step()
    assert await follower.step() == 2
    assert await follower.step() == 0
    assert taken == [1, 2]
    async with world.db.read(SERVER) as read:
        assert await read.one(COUNT) == 2
        assert await follower.lag(read) == 0


async def test_two_followers_of_one_name_share_the_work(world: World, database_url: str) -> None:
    """Two processes that follow under one name take each fact once between them."""
    taken: list[int] = []

    async def take(work: Work, facts: Sequence[StoredFact]) -> None:
        taken.extend(fact.pos for fact in facts)
        await work.run(ADD, id=f"{facts[0].pos}", n=0)

    async with opened(database_url, world.keyring) as other:
        tasks = [asyncio.create_task(Follower(db, "test", take).serve()) for db in (world.db, other)]
        for number in range(30):
            async with world.work() as work:
                work.record(ThingMade(n=number))
            await asyncio.sleep(0.002)
        async with asyncio.timeout(10):
            while len(taken) < 30:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    assert taken == list(range(1, 31))


async def test_a_follower_is_woken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fact reaches a follower in the same process long before it would look by itself."""
    monkeypatch.setattr(Follower, "PAUSE_SECONDS", 30.0)
    arrived = asyncio.Event()

    async def take(work: Work, facts: Sequence[StoredFact]) -> None:
        del work, facts
        arrived.set()

    task = asyncio.create_task(Follower(world.db, "test", take).serve())
    try:
        await asyncio.sleep(0.1)
        async with world.work() as work:
            work.record(ThingMade())
        async with asyncio.timeout(3):
            await arrived.wait()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _write(db: Database, number: int) -> None:
    """Write 15 Works of one to three facts, some with data, some with pauses, a fifth rolled back."""
    draw = random.Random(number)  # noqa: S311 -- the same course each time
    for turn in range(15):
        with contextlib.suppress(Stop):
            async with db.work(ACME, SYSTEM) as work:
                for step in range(draw.randint(1, 3)):
                    work.record(ThingMade(thing=f"{number}", n=turn))
                    if draw.random() < 0.5:
                        await make(work, f"{number}-{turn}-{step}")
                    if db.dialect == "postgresql":  # on SQLite the one writer would make everybody wait
                        await asyncio.sleep(draw.random() * 0.005)
                _perhaps_stop(draw)


def _perhaps_stop(draw: random.Random) -> None:
    if draw.random() < 0.2:
        raise Stop


async def test_twenty_writers_lose_nothing(world: World, database_url: str) -> None:
    """Followers in two processes beside twenty writers with pauses and rollbacks see every fact once, in one order."""
    seen: dict[str, list[int]] = {"one": [], "two": []}

    def follow(db: Database, name: str) -> Follower:
        async def take(work: Work, facts: Sequence[StoredFact]) -> None:
            del work
            seen[name].extend(fact.pos for fact in facts)

        return Follower(db, name, take)

    async with opened(database_url, world.keyring) as writers, opened(database_url, world.keyring) as other:
        following = [asyncio.create_task(follow(db, name).serve()) for db, name in ((writers, "one"), (other, "two"))]
        await asyncio.gather(*(_write(writers, number) for number in range(20)))
        total = await count_facts(writers)
        await _numbered(writers, total)
        async with asyncio.timeout(10):
            while min(len(each) for each in seen.values()) < total:
                await asyncio.sleep(0.05)
        for task in following:
            task.cancel()
        await asyncio.wait(following)
    assert total > 300
    assert seen == {"one": list(range(1, total + 1)), "two": list(range(1, total + 1))}
