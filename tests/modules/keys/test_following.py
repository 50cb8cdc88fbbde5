"""What is kept follows a tenant's keys: page by page, taken up wherever it was left, and the previous key goes when nothing needs it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from limen.modules import keys
from limen.modules.keys import jobs, store
from limen.modules.keys.service import keeping, wrapping
from limen.modules.keys.service.following import Walk
from limen.platform import outbox
from limen.platform.crypto import Keyring, KeyringSettings
from limen.platform.sql import Work, open_database
from tests.conftest import World
from tests.modules.keys.log import facts_of
from tests.rig import rotating

USE = keys.Use.INDEX
PAGES = 23


class Shelf:
    """Something kept in pages: counts which of them were brought along, and falls over when told to."""

    def __init__(self) -> None:
        self.pages: list[int] = []
        self.falls_at = -1

    async def anew(self, work: Work, after: str) -> keys.Page:
        await keys.blind(work, PAPERS, "paper", after)
        page = int(after or 0)
        if page == self.falls_at:
            self.falls_at = -1
            raise LookupError
        self.pages.append(page)
        return keys.Page(2, str(page + 1) if page + 1 < PAGES else None)


PAPERS = keys.Indexed(name="test.papers")
SMOKE = keys.Indexed(name="test.smoke", fades=timedelta(days=3), why="smoke is gone by itself")


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """One thing that is brought along, one that fades, and runs of five pages."""
    before = dict(keeping._INSTALLED)
    made = Shelf()
    keys.install([{PAPERS: made.anew}, {SMOKE: None, keys.LOGGED: None}])
    monkeypatch.setattr(jobs, "STEPS", 5)
    yield made
    keeping._INSTALLED.clear()
    keeping._INSTALLED.update(before)


async def names(world: World, count: int) -> list[str]:
    return [fact.name.removeprefix("keys.tenant_key_") for fact in await facts_of(world, world.tenant, count)]


async def test_from_beginning_to_end(world: World, shelf: Shelf) -> None:
    """A minute after the rotation all pages are walked, after the longest fading once more, then the previous key goes; the log tells each."""
    fresh = await rotating.begin(world, USE)
    await rotating.runner(world.db).run_due()
    assert shelf.pages == [], "other processes still write under the previous key"
    await rotating.bring_along(world)
    assert shelf.pages == list(range(PAGES))
    world.advance(3 * 86_400 - 120)
    await rotating.look(world)
    assert await rotating.count(world, USE) == 2, "smoke is still about"
    await rotating.end(world, USE)
    assert shelf.pages == [*range(PAGES), *range(PAGES)]
    assert await rotating.count(world, USE) == 1
    assert await names(world, 3) == ["rotated", "renewed", "dropped"]
    rotated, renewed, dropped = await facts_of(world, world.tenant, 3)
    assert (rotated.data["key"], renewed.data["key"], renewed.data["changed"]) == (fresh, fresh, 2 * PAGES)
    assert dropped.data["key"] != fresh
    assert await outbox.list_jobs(world.db) == []


async def test_a_walk_left_half_way_is_taken_up_by_another_process(world: World, shelf: Shelf, rings: KeyringSettings) -> None:
    """The process falls over at page 12; another one goes on from the run it was in, and neither loses a page nor begins anew."""
    await rotating.begin(world, USE)
    shelf.falls_at = 12
    await rotating.bring_along(world)
    assert shelf.pages == list(range(12))
    (waiting,) = await outbox.list_jobs(world.db)
    assert (waiting.kind, waiting.last_error) == ("keys.follow", "LookupError")
    other = await open_database(world.url, Keyring.load(rings, {}), world.clock, test_mode=True)
    try:
        world.advance(60)
        await rotating.runner(other).run_due()
    finally:
        await other.close()
    assert shelf.pages == [*range(12), *range(10, PAGES)]
    assert await names(world, 2) == ["rotated", "renewed"]
    await rotating.end(world, USE)
    assert await rotating.count(world, USE) == 1


async def test_a_run_that_is_done_twice_goes_on_once(world: World, shelf: Shelf) -> None:
    """A process killed after it had ordered the next run comes to the same order again: there is one walk, not two."""
    await rotating.begin(world, USE)
    world.advance(61)
    (job,) = await outbox.list_jobs(world.db)
    async with world.read() as read:
        current, _ = await store.tenant_keys(read, USE)
    once = outbox.Job(world.db, rotating.settings(), world.tenant, job.id, 1, Walk(use=USE, key=current.id, last=False))
    for _ in range(2):
        await jobs.FOLLOW.run(once)
    assert len(await outbox.list_jobs(world.db)) == 2
    assert shelf.pages == [*range(5), *range(5)]


async def test_a_walk_that_got_lost_is_ordered_again(world: World, shelf: Shelf) -> None:
    """An operator dropped the job: the next look orders it again, and it ends as ever."""
    await rotating.begin(world, USE)
    (job,) = await outbox.list_jobs(world.db)
    async with world.work() as work:
        assert await outbox.drop(work, job.id)
    await rotating.look(world)
    assert shelf.pages == list(range(PAGES))
    await rotating.end(world, USE)
    assert await rotating.count(world, USE) == 1


async def test_a_walk_of_a_rotation_that_is_over_does_nothing(world: World, shelf: Shelf) -> None:
    """Its key is not the current one, or there is no previous one any more: no page is touched and nothing dropped."""
    await keys.prepare(world.db, world.tenant)
    async with world.read() as read:
        (current,) = await store.tenant_keys(read, USE)
    async with world.work() as work:
        await jobs.order_walk(work, current, last=True)
    await rotating.runner(world.db).run_due()
    await rotating.begin(world, USE)
    async with world.work() as work:
        await outbox.enqueue(work, jobs.FOLLOW, Walk(use=USE, key=current.id, last=True))
    await rotating.runner(world.db).run_due()
    assert shelf.pages == []
    assert await rotating.count(world, USE) == 2


async def test_a_second_rotation_waits_for_the_first(world: World, shelf: Shelf) -> None:
    """The refusal says until when the previous key is needed; the list of keys says the same; afterwards it is possible."""
    del shelf
    await rotating.begin(world, USE)
    (until,) = [line.until for line in await keys.list_keys(world.db, world.tenant) if line.kind == "index" and line.until]
    with pytest.raises(keys.RotationUnfinished) as refused:
        await rotating.begin(world, USE)
    assert f"{until:%Y-%m-%d %H:%M} UTC" in refused.value.operator
    await rotating.bring_along(world)
    await rotating.end(world, USE)
    await rotating.begin(world, USE)


async def test_nothing_rotates_before_it_is_known_what_is_kept(world: World, shelf: Shelf) -> None:
    """A process that was told of nothing drops nothing: the walk fails, and waits for one that knows."""
    await rotating.begin(world, USE)
    known = dict(keeping._INSTALLED)
    keys.install([])
    await rotating.bring_along(world)
    (job,) = await outbox.list_jobs(world.db)
    assert job.last_error == "nobody_keeps"
    keeping._INSTALLED.update(known)
    world.advance(60)
    await rotating.runner(world.db).run_due()
    assert shelf.pages == list(range(PAGES))


@pytest.mark.parametrize(
    "listed",
    [
        [{PAPERS: None}],
        [{SMOKE: Shelf().anew}],
        [{SMOKE: None}, {SMOKE: None}],
    ],
)
def test_who_lists_half_a_thing_is_refused(shelf: Shelf, listed: list[keys.Keeping]) -> None:
    """Neither brought along nor fading, both, or listed twice: the server does not start."""
    del shelf
    with pytest.raises(keys.NobodyKeeps):
        keys.install(listed)


def test_what_fades_says_why() -> None:
    """A reason without a duration, or a duration without a reason, is a mistake."""
    for words in ({"fades": timedelta(1)}, {"why": "so"}):
        with pytest.raises(ValueError, match="says why"):
            keys.Sealed(name="test.half", **words)


async def test_a_stolen_data_key_is_replaced_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is sealed anew and both former keys are gone, the one of a rotation under way too; signing goes on with the same key."""
    monkeypatch.setattr(wrapping, "SETTLE", 0.0)
    await keys.ensure(world.db, world.tenant, "ES256")
    await rotating.begin(world, keys.Use.DATA)
    async with world.read() as read:
        stolen = [key.id for key in await store.tenant_keys(read, keys.Use.DATA)]
        kid = (await keys.signer(read)).kid
    told: list[int] = []
    fresh = await keys.replace_data_key(world.db, world.tenant, told=told.append)
    assert told[-1] == 1
    async with world.read() as read:
        assert [key.id for key in await store.tenant_keys(read, keys.Use.DATA)] == [fresh]
    assert fresh not in stolen
    world.db.caches.clear()
    async with world.read() as read:
        assert (await keys.signer(read)).kid == kid
    await rotating.bring_along(world)
    assert await rotating.count(world, keys.Use.DATA) == 1
    assert await names(world, 5) == ["keys.signing_key_made", "rotated", "dropped", "rotated", "dropped"]
