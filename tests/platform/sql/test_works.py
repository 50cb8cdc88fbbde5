"""Works: all or nothing, facts with their data, nobody in anybody's way. Everything here runs on both databases."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from limen.kernel.facts import SYSTEM, Actor, ActorKind
from limen.platform.sql import CommitFailed, Conflict, Outrun, Reader, StoredFact, Work, WorkMisused, bind, facts_after, insert_of, open_database, statement
from tests.conftest import World
from tests.platform.sql.things import (
    ACME,
    ADD,
    ADD_NEW,
    COUNT,
    EVERYTHING,
    GET,
    GROW,
    GROW_FROM,
    HOLD,
    OTHER,
    PUT,
    ThingMade,
    ThingSeen,
    count_facts,
    ids,
    make,
    opened,
)

_E = EVERYTHING.c
WRITE = statement(lambda dialect: insert_of(dialect)(EVERYTHING).values(tenant=bind("tenant"), id=bind("id"), text=bind("text"), truth=bind("truth")))
READ = statement(sa.select(_E.text, _E.truth).where(_E.tenant == bind("tenant"), _E.id == bind("id")))


class Stop(Exception):
    """Raised by a Work that is to be rolled back."""


async def test_a_work_is_durable_when_its_block_ends(world: World) -> None:
    """What a Work wrote is seen by every Read that begins after it."""
    async with world.work() as work:
        await make(work, "a", 1)
    async with world.read() as read:
        assert await read.one(GET, id="a") == 1
    assert await count_facts(world.db) == 1


async def test_an_exception_undoes_data_and_facts(world: World) -> None:
    """A broken precondition leaves nothing behind."""
    with pytest.raises(Stop):
        async with world.work() as work:
            await make(work, "a")
            raise Stop
    with pytest.raises(Stop):
        async with world.work() as work:
            work.record(ThingMade(thing="b"))
            raise Stop
    assert await ids(world.db) == []
    assert await count_facts(world.db) == 0


async def test_a_work_without_anything_is_nothing(world: World) -> None:
    """Opening a Work costs no transaction until it does something."""
    async with world.work() as work:
        assert not work.tx.begun
    assert await count_facts(world.db) == 0


async def test_one_instant_per_work(world: World) -> None:
    """All that a Work does happens at one instant, and the clock is the database's."""
    world.advance(3600)
    async with world.work() as work:
        before = work.now
        await make(work, "a")
        assert work.now is before
    async with world.work() as later:
        assert later.now > before


async def test_reads_never_see_what_is_not_committed(database_url: str, world: World) -> None:
    """A Read beside a suspended Work sees the state before it, on the same database object and on another."""
    async with opened(database_url, world.keyring) as db:
        async with db.work(ACME, SYSTEM) as work:
            await make(work, "a", 1)
        inside, go_on = asyncio.Event(), asyncio.Event()

        async def slow() -> None:
            async with db.work(ACME, SYSTEM) as work:
                await work.run(GROW, id="a")
                inside.set()
                await go_on.wait()

        task = asyncio.create_task(slow())
        await inside.wait()
        async with db.read(ACME) as read:
            assert await read.one(GET, id="a") == 1
        async with world.read() as read:
            assert await read.one(GET, id="a") == 1
        go_on.set()
        await task
        async with db.read(ACME) as read:
            assert await read.one(GET, id="a") == 2


async def test_a_snapshot_does_not_move(world: World) -> None:
    """All statements of a snapshot see the database as of its first, a plain Read the newest."""
    async with world.work() as work:
        await make(work, "a", 1)

    async def grow() -> None:
        async with world.work() as work:
            await work.run(GROW, id="a")

    async with world.db.read(ACME, snapshot=True) as frozen:
        assert await frozen.one(GET, id="a") == 1
        await asyncio.create_task(grow())
        assert await frozen.one(GET, id="a") == 1
    async with world.read() as read:
        assert await read.one(GET, id="a") == 2


async def test_many_works_fail_alone(world: World, database_url: str) -> None:
    """Half of 200 concurrent Works raise after writing, some after being suspended: exactly the others are stored."""
    async with opened(database_url, world.keyring) as db:

        async def one(number: int, *, fails: bool) -> None:
            async with db.work(ACME, SYSTEM) as work:
                await make(work, f"{'b' if fails else 'g'}{number}")
                if number % 7 == 0:
                    await asyncio.sleep(0.001)
                if fails:
                    raise Stop

        results = await asyncio.gather(*(one(number, fails=fails) for number in range(100) for fails in (False, True)), return_exceptions=True)
        assert sum(result is None for result in results) == 100
        assert sum(isinstance(result, Stop) for result in results) == 100
        assert await ids(db) == sorted(f"g{number}" for number in range(100))
        assert await count_facts(db) == 100


async def test_mixed_works_add_up(world: World, database_url: str) -> None:
    """Fact-only Works, writing Works and failing ones together: counter and facts are exact."""
    async with opened(database_url, world.keyring) as db:
        async with db.work(ACME, SYSTEM) as work:
            await work.run(ADD, id="n", n=0)

        async def one(number: int) -> None:
            async with db.work(ACME, SYSTEM) as work:
                work.record(ThingMade(n=number))
                if number % 3 == 1:
                    await work.run(GROW, id="n")
                if number % 5 == 4:
                    raise Stop

        results = await asyncio.gather(*(one(number) for number in range(600)), return_exceptions=True)
        good = [number for number, result in enumerate(results) if result is None]
        assert len(good) == 480
        async with db.read(ACME) as read:
            assert await read.one(GET, id="n") == sum(number % 3 == 1 for number in good)
        assert await count_facts(db) == len(good)


async def test_held_rows_count_exactly(world: World) -> None:
    """Twenty tasks that each hold the row and write what they read plus one lose no count."""
    async with world.work() as work:
        await work.run(ADD, id="n", n=0)

    async def guess() -> None:
        async with world.work() as work:
            found = await work.one(HOLD, id="n")
            assert found is not None
            await work.run(PUT, id="n", n=found + 1)

    await asyncio.gather(*(guess() for _ in range(20)))
    async with world.read() as read:
        assert await read.one(GET, id="n") == 20


async def test_a_conflict_undoes_only_its_own_work(world: World) -> None:
    """Of two Works that insert the same key one gets Conflict, the other and a third are stored."""

    async def add(name: str) -> None:
        async with world.work() as work:
            await make(work, name)

    results = await asyncio.gather(add("z"), add("z"), add("y"), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "NoneType", "NoneType"]
    assert await ids(world.db) == ["y", "z"]
    assert await count_facts(world.db) == 2


async def test_what_is_put_is_written_at_the_end(world: World) -> None:
    """With its facts or without, one thing or several of one table, which the later ones see; an exception leaves nothing of it."""
    async with world.work() as work:
        work.put(ADD, id="a", n=1)
        work.record(ThingMade(thing="a"))
        assert not work.tx.begun
    async with world.work() as work:
        work.put(ADD, id="b", n=1)
        work.put(GROW, id="b")
        work.put(GROW, id="b")
        work.record(ThingMade(thing="b"))
    async with world.work() as work:
        work.put(ADD, id="c", n=7)
    with pytest.raises(Stop):
        async with world.work() as work:
            work.put(ADD, id="d", n=1)
            raise Stop
    async with world.read() as read:
        assert await numbers(read, "abcd") == [1, 3, 7, None]
    assert await count_facts(world.db) == 2


async def test_things_of_two_tables_are_put_together(world: World) -> None:
    """Each with its own words, beside a statement that ran before."""
    async with world.work() as work:
        await work.run(ADD, id="a", n=1)
        work.put(GROW, id="a")
        work.put(WRITE, id="x", text="y", truth=True)
        work.record(ThingMade(thing="a", n=2))
        work.record(ThingMade(thing="x"))
    async with world.read() as read:
        assert await read.one(GET, id="a") == 2
        assert await read.one(READ, id="x") == ("y", True)
    assert await count_facts(world.db) == 2


async def test_a_statement_sees_what_was_put_before_it(world: World) -> None:
    """Whatever waits for the end is written before the next statement runs."""
    async with world.work() as work:
        work.put(ADD, id="a", n=1)
        assert await work.one(GET, id="a") == 1
        work.put(GROW, id="a")
        assert await work.run(GROW, id="a") == 1
        assert await work.all(GET, id="a") == [3]


async def test_what_cannot_be_put_undoes_the_work(world: World) -> None:
    """Conflict comes from the end, and nothing else of the Work stays; a word that is missing is refused at once."""
    await add_one(world)
    with pytest.raises(Conflict):
        async with world.work() as work:
            await work.run(ADD, id="b", n=1)
            work.put(ADD, id="a", n=2)
            work.record(ThingMade(thing="a"))
    with pytest.raises(WorkMisused, match="lacks"):
        async with world.work() as work:
            work.put(ADD, id="c")
    async with world.read() as read:
        assert await numbers(read, "abc") == [1, None, None]
    assert await count_facts(world.db) == 1


async def test_one_that_puts_what_exists_fails_alone(world: World, database_url: str) -> None:
    """Of Works that only put and end together, the one whose key exists gets Conflict and leaves no fact; the others are stored."""
    async with opened(database_url, world.keyring) as db:

        async def put(name: str) -> None:
            async with db.work(ACME, SYSTEM) as work:
                work.put(ADD, id=name, n=1)
                work.record(ThingMade(thing=name))

        await put("a")
        results = await asyncio.gather(*(put(name) for name in "bcadef"), return_exceptions=True)
        assert [type(result).__name__ for result in results] == ["NoneType", "NoneType", "Conflict", "NoneType", "NoneType", "NoneType"]
        assert await ids(db) == list("abcdef")
        assert await count_facts(db) == 6


async def test_a_look_holds_nothing(world: World) -> None:
    """It sees what is committed and begins nothing; in a Work that has begun, or put something, it sees what that did."""
    await add_one(world)
    async with world.work() as work:
        assert await work.look(GET, id="a") == 1
        assert await work.look(GET, id="b") is None
        assert not work.tx.begun
        work.put(GROW, id="a")
        assert await work.look(GET, id="a") == 2
        await work.run(GROW, id="a")
        assert await work.look(GET, id="a") == 3


async def test_a_claim_that_finds_nothing_undoes_its_work_alone(world: World, database_url: str) -> None:
    """Outrun, and nothing of that Work stays, whether the claim comes first or last, with facts or none; those beside it are stored."""
    async with opened(database_url, world.keyring) as db:
        async with db.work(ACME, SYSTEM) as work:
            work.put(ADD, id="a", n=1)

        async def claim(name: str, before: int, *, last: bool, facts: bool) -> None:
            async with db.work(ACME, SYSTEM) as work:
                if last:
                    work.put(WRITE, id=name, text=name, truth=True)
                work.claim(GROW_FROM, id="a", before=before)
                if not last:
                    work.put(WRITE, id=name, text=name, truth=True)
                if facts:
                    work.record(ThingMade(thing=name))

        cases = [(f"{before}{last}{facts}", before, last, facts) for before in (1, 7) for last in (False, True) for facts in (False, True)]
        results = await asyncio.gather(*(claim(name, before, last=last, facts=facts) for name, before, last, facts in cases), return_exceptions=True)
        done = [case for case, result in zip(cases, results, strict=True) if result is None]
        assert [before for _, before, _, _ in done] == [1]
        assert [type(result) for result in results if result is not None] == [Outrun] * 7
        async with db.read(ACME) as read:
            assert await read.one(GET, id="a") == 2
            assert [name for name, *_ in cases if await read.one(READ, id=name) is not None] == [done[0][0]]
        assert await count_facts(db) == done[0][3]


@pytest.mark.parametrize("swallowed", [False, True])
async def test_a_claim_in_a_work_that_has_begun(world: World, *, swallowed: bool) -> None:
    """It is checked at the end, or before the next statement: then too the Work cannot be committed, whoever swallows the error."""
    await add_one(world)
    with pytest.raises(CommitFailed if swallowed else Outrun):
        async with world.work() as work:
            await work.run(ADD, id="b", n=1)
            work.claim(GROW_FROM, id="a", before=7)
            if swallowed:
                with pytest.raises(Outrun):
                    await work.one(GET, id="a")
    async with world.work() as work:
        await work.run(ADD, id="c", n=1)
        work.claim(GROW_FROM, id="a", before=1)
        work.claim(ADD_NEW, id="d", n=4)
        work.record(ThingMade(thing="c"))
    async with world.read() as read:
        assert await numbers(read, "abcd") == [2, None, 1, 4]
    assert await count_facts(world.db) == 2


async def test_claims_count_exactly(world: World, database_url: str) -> None:
    """Twenty tasks on two connections that look, claim, and begin anew when they are outrun lose no count and count nothing twice."""
    async with opened(database_url, world.keyring) as db, opened(database_url, world.keyring) as other:
        async with db.work(ACME, SYSTEM) as work:
            work.put(ADD, id="n", n=0)

        async def grow(number: int) -> int:
            outrun = 0
            while True:
                try:
                    async with (db, other)[number % 2].work(ACME, SYSTEM) as work:
                        found = await work.look(GET, id="n")
                        assert found is not None
                        work.claim(GROW_FROM, id="n", before=found)
                        work.record(ThingMade(n=number))
                except Outrun:
                    outrun += 1
                else:
                    return outrun

        outrun = await asyncio.gather(*(grow(number) for number in range(20)))
        assert sum(outrun) > 0
        async with db.read(ACME) as read:
            assert await read.one(GET, id="n") == 20
        assert await count_facts(db) == 20


async def numbers(read: Reader, names: str) -> list[int | None]:
    found: list[int | None] = []
    for name in names:
        number = await read.one(GET, id=name)
        found.append(number)
    return found


async def add_one(world: World) -> None:
    async with world.work() as work:
        await make(work, "a", 1)


async def test_a_swallowed_error_fails_the_work(world: World) -> None:
    """After a failed statement the Work cannot commit, on SQLite as on PostgreSQL, whose driver would report success (trap 1)."""
    async with world.work() as work:
        await make(work, "a")
    with pytest.raises(CommitFailed):
        async with world.work() as work:
            with pytest.raises(Conflict):
                await work.run(ADD, id="a", n=2)
            work.record(ThingMade(thing="token"))
    with pytest.raises(CommitFailed):
        async with world.work() as work:
            with pytest.raises(Conflict):
                await work.run(ADD, id="a", n=2)
            await work.run(ADD, id="b", n=2)
    assert await count_facts(world.db) == 1
    assert await ids(world.db) == ["a"]


async def test_no_work_inside_a_work(world: World) -> None:
    """A nested Work or Read is refused; in another task, or one after the other, they are fine."""
    async with world.work() as work:
        await make(work, "a")
        with pytest.raises(WorkMisused):
            async with world.work():
                pass
        with pytest.raises(WorkMisused):
            async with world.read():
                pass
    async with world.read() as read:
        assert await read.one(COUNT) == 1
        async with world.work() as second:
            await make(second, "b")
        assert await read.one(COUNT) == 2


async def test_cancelled_works_leave_nothing_and_harm_nobody(world: World, database_url: str) -> None:
    """Of six Works the first is cancelled in its body and the third while it waits: the other four are stored, and others follow."""
    async with opened(database_url, world.keyring) as db:

        async def one(number: int) -> None:
            async with db.work(ACME, SYSTEM) as work:
                await make(work, f"c{number}")
                await asyncio.sleep(0.02 if number == 0 else 0)

        tasks = [asyncio.create_task(one(number)) for number in range(6)]
        await asyncio.sleep(0.005)
        tasks[0].cancel()
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert tasks[0].cancelled()
        stored = set(await ids(db))
        assert stored >= {"c1", "c3", "c4", "c5"}
        assert "c0" not in stored
        async with asyncio.timeout(2):
            await one(7)
        assert await count_facts(db) == len(stored) + 1


async def test_cancelling_at_any_moment_is_safe(world: World, database_url: str) -> None:
    """Works cancelled after 0 to 3 ms are stored whole or not at all, and the database serves on."""
    async with opened(database_url, world.keyring) as db:

        async def one(number: int) -> None:
            async with db.work(ACME, SYSTEM) as work:
                await work.run(ADD, id=f"{number}a", n=0)
                await work.run(ADD, id=f"{number}b", n=0)
                work.record(ThingMade(n=number))

        for number in range(40):
            task = asyncio.create_task(one(number))
            await asyncio.sleep(number * 0.003 / 40)
            task.cancel()
            await asyncio.wait([task])
        async with asyncio.timeout(2):
            await one(999)
        stored = await ids(db)
        assert len(stored) == 2 * len({name[:-1] for name in stored}) == 2 * await count_facts(db)


async def test_reactions_run_in_the_same_work(world: World, database_url: str) -> None:
    """A reaction writes and records with the Work that caused it, is undone with it, and its own facts have reactions."""
    seen: list[str] = []

    async def on_made(work: Work, fact: ThingMade) -> None:
        await work.run(ADD, id=f"{fact.thing}-copy", n=fact.n)
        work.record(ThingSeen(thing=fact.thing))
        if fact.n < 0:
            raise Stop

    async def on_seen(work: Work, fact: ThingSeen) -> None:
        seen.append(f"{work.tenant}:{fact.thing}")

    db = await open_database(database_url, world.keyring, world.clock, {ThingMade.name: (on_made,), ThingSeen.name: (on_seen,)}, test_mode=True)
    try:
        async with db.work(ACME, SYSTEM) as work:
            await make(work, "a", 1)
        async with db.work(ACME, SYSTEM) as work:
            work.record(ThingMade(thing="b"))
        with pytest.raises(Stop):
            async with db.work(ACME, SYSTEM) as work:
                await make(work, "c", -1)
        assert await ids(db) == ["a", "a-copy", "b-copy"]
        assert seen == ["acme:a", "acme:b"]
        assert await count_facts(db) == 4
    finally:
        await db.close()


async def test_reactions_that_go_in_circles_are_stopped(world: World, database_url: str) -> None:
    """A reaction that causes itself ends with an error, not with a hung server."""

    async def again(work: Work, fact: ThingMade) -> None:
        work.record(fact)

    db = await open_database(database_url, world.keyring, world.clock, {ThingMade.name: (again,)})
    try:
        with pytest.raises(WorkMisused, match="circles"):
            async with db.work(ACME, SYSTEM) as work:
                work.record(ThingMade())
    finally:
        await db.close()


async def test_after_commit(world: World) -> None:
    """What waits for the commit runs once it is durable and before the block continues; never after a rollback."""
    called: list[str] = []
    async with world.work() as work:
        work.tx.after_commit(lambda: called.append("written"))
        await make(work, "a")
        assert called == []
    assert called == ["written"]
    async with world.work() as work:
        work.tx.after_commit(lambda: called.append("fact"))
        work.record(ThingMade())
    async with world.work() as work:
        work.tx.after_commit(lambda: called.append("nothing"))
    assert called == ["written", "fact", "nothing"]
    with pytest.raises(Stop):
        async with world.work() as work:
            work.tx.after_commit(lambda: called.append("never"))
            await make(work, "b")
            raise Stop
    assert len(called) == 3


async def test_facts_come_back_whole(world: World) -> None:
    """Tenant, instant, name, actor, own fields and sealed octets of a fact are read as they were recorded."""
    actor = Actor(ActorKind.OPERATOR, "acc_1")
    async with world.db.work(OTHER, actor) as work:
        work.record(ThingMade(thing="x\0y", n=5, private=b"\0sealed"))
        at = work.now
    async with asyncio.timeout(3):
        while not (facts := await _facts(world)):
            await asyncio.sleep(0.02)
    (fact,) = facts
    assert (fact.pos, fact.tenant, fact.at, fact.name, fact.subject, fact.actor) == (1, OTHER, at, "test.thing_made", None, "operator:acc_1")
    assert dict(fact.data) == {"thing": "x\ufffdy", "n": 5}
    assert fact.private == b"\0sealed"


async def _facts(world: World) -> list[StoredFact]:
    async with world.read() as read:
        return await facts_after(read, 0)
