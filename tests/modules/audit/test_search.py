"""The log, searched and followed."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import pytest

from limen.kernel.facts import SYSTEM, Actor, ActorKind, Fact
from limen.kernel.ids import AccountId, TenantId
from limen.modules import audit
from limen.modules.audit import BadPosition, BadSearch, Entry, Position, Search
from tests.conftest import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Came(Fact):
    name: ClassVar[str] = "door.came"
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Went(Fact):
    name: ClassVar[str] = "door.went"
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rang(Fact):
    name: ClassVar[str] = "doorbell.rang"
    number: int


ADA, BOB = AccountId("acc_ada"), AccountId("acc_bob")
KINDS = (Came, Went, Rang)
ACTORS = (SYSTEM, Actor(ActorKind.CUSTOMER, "acc_ada"), Actor(ActorKind.CLIENT, "shop"), Actor(ActorKind.OPERATOR, "acc_op"))


async def fill(world: World, count: int = 60) -> None:
    """Record facts that go round through kinds, subjects and actors; two share each instant."""
    for number in range(0, count, 2):
        async with world.work(ACTORS[number // 2 % len(ACTORS)]) as work:
            for each in (number, number + 1):
                work.record(KINDS[each % 3](number=each, subject=(ADA, BOB, None)[each % 5 % 3]))
        world.advance(10)


async def found(world: World, wanted: Search, limit: int = 7) -> list[Entry]:
    """Return all pages, one after the other."""
    entries: list[Entry] = []
    after: Position | None = None
    while True:
        async with world.read() as read:
            page = await audit.search(read, wanted, after, limit)
        assert len(page.entries) <= limit
        entries += page.entries
        if page.after is None:
            return entries
        after = Position.parse(str(page.after))


def numbers(entries: list[Entry]) -> list[object]:
    return [entry.data["number"] for entry in entries]


async def test_all_searches_agree_with_a_plain_filter(world: World) -> None:
    """Every combination of subject, kind, actor and time gives what a filter over the whole log gives, newest first, none twice."""
    await fill(world)
    everything = await found(world, Search())
    assert numbers(everything) == list(range(59, -1, -1))
    instants = (everything[45].at, everything[10].at)
    subjects = (None, ADA, BOB, AccountId("acc_nobody"))
    kinds = ("", "door.", "door", "door.went", "doorbell.rang", "x")
    actors = ("", "system", "customer:acc_ada", "client:shop", "operator:acc_op", "operator:acc_ada")
    for subject, kind, actor, bounded in itertools.product(subjects, kinds, actors, (False, True)):
        bounds = {"since": instants[0], "until": instants[1]} if bounded else {}
        wanted = Search(subject=subject, kind=kind, actor=actor, **bounds)
        expected = [
            entry
            for entry in everything
            if (subject is None or entry.subject == subject)
            and entry.name.startswith(kind)
            and actor in ("", entry.actor)
            and (not bounded or instants[0] <= entry.at < instants[1])
        ]
        assert await found(world, wanted) == expected, wanted


async def test_sparse_search_leads_on_in_short_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no index helps, a page looks at a bounded part of the log, and its position leads on to the rest."""
    monkeypatch.setattr("limen.modules.audit.service._SCANNED", 10)
    monkeypatch.setattr("limen.modules.audit.service._AT_ONCE", 4)
    await fill(world)
    async with world.read() as read:
        page = await audit.search(read, Search(actor="client:nobody"), None, 3)
    assert page.entries == ()
    assert page.after is not None
    assert await found(world, Search(actor="client:nobody"), 3) == []
    assert len(await found(world, Search(actor="client:shop"), 3)) == 14


async def test_a_tenant_sees_its_own_facts_only(world: World) -> None:
    """Neither by kind nor by subject is another tenant's fact found."""
    await fill(world, 4)
    async with world.db.work(TenantId("other"), SYSTEM) as work:
        work.record(Came(number=99, subject=ADA))
    for wanted in (Search(), Search(subject=ADA), Search(kind="door."), Search(actor="system")):
        assert 99 not in numbers(await found(world, wanted))


async def test_pages_do_not_shift_while_facts_come(world: World) -> None:
    """New facts between two pages neither repeat nor hide older ones."""
    await fill(world, 20)
    async with world.read() as read:
        first = await audit.search(read, Search(kind="door"), None, 5)
    await fill(world, 10)
    async with world.read() as read:
        second = await audit.search(read, Search(kind="door"), first.after, 50)
    assert numbers([*first.entries, *second.entries]) == list(range(19, -1, -1))


@pytest.mark.parametrize("text", ["", "1", "1-", "-1", "1-2-3", "a-b", "999999999999999999999-1", "\u0663-\u0661", " 1-2"])
def test_foreign_position_is_refused(text: str) -> None:
    """Only a position that a page gave is taken."""
    with pytest.raises(BadPosition):
        Position.parse(text)


@pytest.mark.parametrize("limit", [0, -1, 501])
async def test_limit_is_bounded(world: World, limit: int) -> None:
    """Nobody asks for the whole log at once."""
    async with world.read() as read:
        with pytest.raises(BadSearch):
            await audit.search(read, Search(), None, limit)


async def test_tail_shows_the_last_and_follows(world: World) -> None:
    """The last facts in the order they came; followed, each further one once."""
    await fill(world, 6)
    seen: list[object] = []

    async def follow() -> None:
        async for fact in audit.tail(world.db, last=4, follow=True):
            seen.append(fact.data["number"])

    for _ in range(200):  # on PostgreSQL the last facts get their place a moment after the commit
        if [fact.data["number"] async for fact in audit.tail(world.db, last=2)] == [4, 5]:
            break
        await asyncio.sleep(0.01)
    assert [fact.data["number"] async for fact in audit.tail(world.db, last=6, kind="door.")] == [0, 1, 3, 4]
    following = asyncio.create_task(follow())
    try:
        await asyncio.sleep(0.1)
        async with world.work() as work:
            work.record(Rang(number=77))
        for _ in range(300):
            if 77 in seen:
                break
            await asyncio.sleep(0.01)
    finally:
        following.cancel()
    assert seen == [2, 3, 4, 5, 77]


async def test_time_bounds_are_half_open(world: World) -> None:
    """`since` is included, `until` is not."""
    await fill(world, 4)
    newest, *_, oldest = await found(world, Search())
    assert numbers(await found(world, Search(since=newest.at))) == [3, 2]
    assert numbers(await found(world, Search(until=newest.at))) == [1, 0]
    assert numbers(await found(world, Search(since=oldest.at, until=oldest.at + timedelta(microseconds=1)))) == [1, 0]
