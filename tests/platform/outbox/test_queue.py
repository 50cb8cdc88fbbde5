"""Ordering jobs, and what an operator can do with them."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta

import msgspec
import pytest

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import SERVER, JobId, TenantId
from limen.platform import outbox
from limen.platform.duties import Settings
from limen.platform.outbox import GiveUp, Job, JobKind, JobState, Runner
from limen.platform.sql import facts_after
from tests.conftest import World


class Word(msgspec.Struct):
    text: str


async def _nothing(_: Job[Word]) -> None:
    return


async def _never(_: Job[Word]) -> None:
    raise GiveUp("no_such_thing")


QUIET = JobKind(name="test.quiet", payload=Word, run=_nothing)
FATAL = JobKind(name="test.fatal", payload=Word, run=_never)


def runner(world: World) -> Runner:
    return Runner(world.db, Settings([]), [QUIET, FATAL])


async def order(world: World, kind: JobKind[Word], *, key: str = "", text: str = "w", delay: float = 0) -> JobId:
    async with world.work() as work:
        return await outbox.enqueue(work, kind, Word(text), key=key, delay=timedelta(seconds=delay))


async def names(world: World, count: int) -> list[str]:
    """Return the facts once they all have their place in the log."""
    found: list[str] = []
    for _ in range(300):
        async with world.db.read(SERVER) as read:
            found = [fact.name for fact in await facts_after(read, 0)]
        if len(found) >= count:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(found)


async def test_rolled_back_work_orders_nothing(world: World) -> None:
    """A job exists if and only if its Work commits."""

    async def fail() -> None:
        async with world.work() as work:
            await outbox.enqueue(work, QUIET, Word("lost"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await outbox.list_jobs(world.db) == []


async def test_key_is_taken_once_and_for_a_day(world: World) -> None:
    """The same key orders nothing a second time, not even after the job was done; another kind, tenant or day does."""
    first = await order(world, QUIET, key="hello")
    assert await order(world, QUIET, key="hello") == first
    assert await runner(world).run_due() == 1
    assert await order(world, QUIET, key="hello") == first
    assert await runner(world).run_due() == 0
    async with world.db.work(TenantId("other"), SYSTEM) as work:
        assert await outbox.enqueue(work, QUIET, Word("w"), key="hello") != first
    world.advance(86_401)
    serving = runner(world)
    await serving._sweep()
    assert await order(world, QUIET, key="hello") != first


async def test_no_payload_outlives_its_job(world: World) -> None:
    """Once done, a job leaves no row, or with a key a row without payload."""
    await order(world, QUIET)
    await order(world, QUIET, key="kept")
    await runner(world).run_due()
    done = await outbox.list_jobs(world.db, states=tuple(JobState))
    assert [job.state for job in done] == [JobState.DONE]
    if world.db.dialect == "sqlite":
        path = world.url.removeprefix("sqlite:///")
        with sqlite3.connect(path) as connection:
            assert connection.execute("SELECT count(payload) FROM outbox").fetchone() == (0,)


async def test_payload_is_sealed(world: World) -> None:
    """What a job carries is not readable in the database."""
    await order(world, QUIET, text="canary-3141592", delay=60)
    if world.db.dialect == "sqlite":
        path = world.url.removeprefix("sqlite:///")
        with sqlite3.connect(path) as connection:
            ((payload,),) = connection.execute("SELECT payload FROM outbox").fetchall()
        assert b"canary" not in payload


async def test_delay(world: World) -> None:
    """A delayed job waits for its time."""
    await order(world, QUIET, delay=60)
    assert await runner(world).run_due() == 0
    world.advance(61)
    assert await runner(world).run_due() == 1


async def test_dead_letter_is_listed_replayed_and_dropped(world: World) -> None:
    """A job that gave up is a dead letter with its reason; an operator sends it again or throws it away, and the log says so."""
    job = await order(world, FATAL)
    assert await runner(world).run_due() == 1
    (listed,) = await outbox.list_jobs(world.db, states=(JobState.DEAD,))
    assert (listed.tenant, listed.id, listed.kind, listed.attempts, listed.last_error) == ("acme", job, "test.fatal", 1, "no_such_thing")
    async with world.work() as work:
        assert await outbox.replay(work, job)
        assert not await outbox.replay(work, job)
    assert await runner(world).run_due() == 1
    async with world.work() as work:
        assert await outbox.drop(work, job)
        assert not await outbox.drop(work, job)
    assert await outbox.list_jobs(world.db) == []
    assert await names(world, 4) == ["outbox.job_died", "outbox.job_replayed", "outbox.job_died", "outbox.job_dropped"]


async def test_a_tenant_reaches_its_own_jobs_only(world: World) -> None:
    """Replay and drop do not see another tenant's job."""
    job = await order(world, FATAL)
    await runner(world).run_due()
    async with world.db.work(TenantId("other"), SYSTEM) as work:
        assert not await outbox.replay(work, job)
        assert not await outbox.drop(work, job)


async def test_list_has_pages(world: World) -> None:
    """Pages follow tenant and id, without gap or double."""
    for tenant in ("a", "b"):
        async with world.db.work(TenantId(tenant), SYSTEM) as work:
            for _ in range(3):
                await outbox.enqueue(work, QUIET, Word("w"))
    seen: list[tuple[TenantId, str]] = []
    while page := await outbox.list_jobs(world.db, after=seen[-1] if seen else (SERVER, ""), limit=2):
        seen += [(job.tenant, job.id) for job in page]
    assert len(seen) == 6
    assert seen == sorted(set(seen))


async def test_dead_letters_are_forgotten_after_a_month(world: World) -> None:
    """Nobody's payload lies there for ever."""
    await order(world, FATAL)
    await runner(world).run_due()
    world.advance(31 * 86_400)
    await runner(world)._sweep()
    assert await outbox.list_jobs(world.db) == []
