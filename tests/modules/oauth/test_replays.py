"""What may be shown once, and nonces, by themselves: one memory and one mind in all processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from limen.app.ground import reactions
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import SERVER, TenantId
from limen.modules import keys
from limen.modules.oauth import nonces, store
from limen.modules.oauth.jobs import JOBS
from limen.modules.oauth.replays import first_time
from limen.modules.oauth.store import ReplayKind
from limen.platform.duties import Settings
from limen.platform.outbox import Runner
from limen.platform.sql import Database, open_database
from tests.conftest import ACME, World
from tests.rig import rotating

pytestmark = pytest.mark.anyio

RIVAL = TenantId("rival")
MINUTE = timedelta(minutes=1)
FIVE = timedelta(minutes=5)


@pytest.fixture
async def other(world: World) -> AsyncIterator[Database]:
    """What a second process has of the same database."""
    opened = await open_database(world.url, world.keyring, world.clock, reactions(), test_mode=True)
    try:
        yield opened
    finally:
        await opened.close()


async def show(db: Database, name: str, *, owner: str = "key", tenant: TenantId = ACME, kind: ReplayKind = ReplayKind.DPOP) -> bool:
    """Show something once more."""
    async with db.work(tenant, SYSTEM) as work:
        return await first_time(work, kind, owner, name, work.now + MINUTE)


async def test_once_is_once_in_every_process(world: World, other: Database) -> None:
    """What one process was shown is old to every other, and nothing else is."""
    assert await show(world.db, "a")
    assert not await show(world.db, "a")
    assert not await show(other, "a")
    assert await show(other, "b")
    assert not await show(world.db, "b")
    assert await show(other, "a", owner="another key")
    assert await show(other, "a", tenant=RIVAL)
    assert await show(other, "a", kind=ReplayKind.CLIENT_ASSERTION)
    assert await show(other, "", owner="keya")
    assert await show(other, "keya" * 10_000, owner="")


async def test_of_many_at_once_one_is_first(world: World, other: Database) -> None:
    """Two processes are shown the same thing eight times each, in the same moment: one of them was first."""
    for number in range(10):
        found = await asyncio.gather(*(show(db, str(number)) for db in (world.db, other) for _ in range(8)))
        assert found.count(True) == 1


async def test_what_was_rolled_back_was_never_shown(world: World) -> None:
    """A command that fails gave nothing for what it was shown, so it may be shown again."""
    with pytest.raises(LookupError):
        async with world.work() as work:
            assert await first_time(work, ReplayKind.DPOP, "key", "a", work.now + MINUTE)
            raise LookupError
    assert await show(world.db, "a")


async def test_it_is_forgotten_when_it_is_too_old_anyway(world: World) -> None:
    """One job for all tenants clears away what is past its time, however much it is, and leaves the rest."""
    for number in range(3):
        await show(world.db, f"old {number}")
        await show(world.db, f"old {number}", tenant=RIVAL)
    world.advance(59)
    await show(world.db, "young")
    world.advance(2)
    async with world.db.work(SERVER, SYSTEM) as work:
        assert await store.drop_shown(work, 4) == 4
    runner = Runner(world.db, Settings([]), JOBS)
    await runner.order_turns()
    await runner.run_due()
    assert await show(world.db, "old 1")
    assert not await show(world.db, "young")


async def nonce(db: Database, *, lives: timedelta = FIVE, tenant: TenantId = ACME) -> str:
    """Return the nonce that a process gives now."""
    async with db.read(tenant) as reader:
        return await nonces.current(reader, lives)


async def accepted(db: Database, text: str, *, lives: timedelta = FIVE, tenant: TenantId = ACME) -> bool:
    """Whether a process takes a nonce now."""
    async with db.read(tenant) as reader:
        return await nonces.accepts(reader, text, lives)


async def test_a_nonce_lives_in_every_process_for_its_time(world: World, other: Database) -> None:
    """It is accepted for one life at least and two at most, wherever it was given."""
    world.advance(-(world.clock.now().timestamp() % FIVE.total_seconds()) + 1)  # a second after a stretch began
    first = await nonce(world.db)
    assert len(first) == 22
    assert await nonce(other) == first
    assert await accepted(other, first)
    world.advance(297)
    assert await nonce(other) == first
    world.advance(4)
    second = await nonce(other)
    assert second != first
    assert await accepted(world.db, first)
    assert await accepted(world.db, second)
    world.advance(300)
    assert not await accepted(world.db, first)
    assert not await accepted(other, first)
    assert await accepted(other, second)


async def test_a_nonce_of_a_process_whose_clock_is_ahead(world: World) -> None:
    """A nonce of the next stretch, given a second before it begins here, is taken; a later one is not."""
    world.advance(-(world.clock.now().timestamp() % FIVE.total_seconds()) - 0.5)
    world.advance(1)
    ahead = await nonce(world.db)
    world.advance(-1)
    assert await nonce(world.db) != ahead
    assert await accepted(world.db, ahead)
    world.advance(-300)
    assert not await accepted(world.db, ahead)


async def test_a_nonce_is_one_tenants_and_one_settings(world: World) -> None:
    """Nonces of another tenant, of another life, and made-up ones are none."""
    mine = await nonce(world.db)
    assert not await accepted(world.db, await nonce(world.db, tenant=RIVAL))
    assert not await accepted(world.db, mine, lives=MINUTE)
    for text in ("", mine[:-1], mine + "=", mine.swapcase(), "\ud800", "é" * 22):
        assert not await accepted(world.db, text)


async def test_a_nonce_outlives_a_rotation(world: World) -> None:
    """While the tenant's index key rotates, nonces made under the one before are taken."""
    before = await nonce(world.db)
    await rotating.begin(world, keys.Use.INDEX)
    assert await nonce(world.db) != before
    assert await accepted(world.db, before)
