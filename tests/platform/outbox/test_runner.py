"""Running jobs: one at a time each, again when they fail, others' when their runner died."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import msgspec
import pytest

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import SERVER, JobId
from limen.platform import outbox
from limen.platform.duties import Settings
from limen.platform.outbox import AnyKind, Job, JobKind, JobState, Later, Runner, store
from limen.platform.outbox.runner import LEASE
from limen.platform.sql import Database, open_database
from tests.conftest import World


class Number(msgspec.Struct):
    value: int


class Script:
    """A job whose behaviour each test sets; counts what ran, and how often at once."""

    def __init__(self) -> None:
        self.ran: Counter[JobId] = Counter()
        self.now: Counter[JobId] = Counter()
        self.most_at_once = 0
        self.overlapped = False
        self.seconds = 0.0
        self.fail: Exception | None = None
        self.deaf = False

    async def run(self, job: Job[Number]) -> None:
        self.ran[job.id] += 1
        self.now[job.id] += 1
        self.overlapped |= self.now[job.id] > 1
        self.most_at_once = max(self.most_at_once, self.now.total())
        try:
            until = time.monotonic() + self.seconds
            while (left := until - time.monotonic()) > 0:
                try:
                    await asyncio.sleep(left)
                except asyncio.CancelledError:
                    if not self.deaf:
                        raise
            if self.fail:
                raise self.fail
        finally:
            self.now[job.id] -= 1

    def kind(self, name: str = "test.script", *, attempts: int = 12, timeout: float = 60, at_once: int = 8) -> JobKind[Number]:
        return JobKind(name=name, payload=Number, run=self.run, attempts=attempts, timeout=timedelta(seconds=timeout), at_once=at_once)


@pytest.fixture
def script() -> Script:
    return Script()


async def order(world: World, kind: JobKind[Number], count: int = 1) -> list[JobId]:
    async with world.work() as work:
        return [await outbox.enqueue(work, kind, Number(number)) for number in range(count)]


async def the_job(world: World) -> outbox.Listed:
    (job,) = await outbox.list_jobs(world.db)
    return job


@asynccontextmanager
async def serving(db: Database, *kinds: AnyKind) -> AsyncIterator[Runner]:
    runner = Runner(db, Settings([]), kinds)
    task = asyncio.create_task(runner.serve())
    await asyncio.sleep(0.05)
    try:
        yield runner
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: object, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator] # a callable
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)


async def test_parallel_runners_share_the_work(world: World, script: Script) -> None:
    """Three runners, on PostgreSQL each with a pool of its own as in three processes: every job runs once, never twice at once."""
    script.seconds = 0.002
    kind = script.kind()
    jobs = await order(world, kind, 120)
    more = [await open_database(world.url, world.keyring, world.clock) for _ in range(2)] if world.db.dialect == "postgresql" else []
    try:
        async with serving(world.db, kind), serving(more[0] if more else world.db, kind), serving(more[1] if more else world.db, kind):
            await until(lambda: len(script.ran) == 120 and not script.now.total())
            await asyncio.sleep(0.2)
    finally:
        for db in more:
            await db.close()
    assert script.ran == Counter(jobs)
    assert not script.overlapped
    assert await outbox.list_jobs(world.db) == []


async def test_bound_on_runs_at_once(world: World, script: Script) -> None:
    """A kind runs as many at once as it says, and no more."""
    script.seconds = 0.02
    kind = script.kind(at_once=3)
    await order(world, kind, 20)
    async with serving(world.db, kind):
        await until(lambda: len(script.ran) == 20 and not script.now.total())
    assert script.most_at_once == 3


async def test_wakes_at_once(world: World, script: Script) -> None:
    """What this process orders runs right after its commit, not at the next look."""
    kind = script.kind()
    async with serving(world.db, kind):
        for round_ in range(3):
            start = time.monotonic()
            await order(world, kind)
            await until(lambda wanted=round_ + 1: len(script.ran) == wanted)
            assert time.monotonic() - start < 0.5


async def test_looks_once_a_second_for_what_others_ordered(world: World, script: Script) -> None:
    """A job that another process put in is found without a signal."""
    kind = script.kind()
    other = await open_database(world.url, world.keyring, world.clock)
    try:
        async with serving(world.db, kind):
            async with other.work(world.tenant, SYSTEM) as work:
                await outbox.enqueue(work, kind, Number(1))
            await until(lambda: len(script.ran) == 1, 3)
    finally:
        await other.close()


async def test_lease_of_a_dead_runner_ends(world: World, script: Script) -> None:
    """A job taken by a runner that died runs again once the lease is over, not before, and counts as an attempt."""
    kind = script.kind()
    (job,) = await order(world, kind)
    async with world.db.work(SERVER, SYSTEM) as work:
        (dead,) = await store.lease(work, "run_dead", kind.name, until=work.now + LEASE, places=9, running=[])
    runner = Runner(world.db, Settings([]), [kind])
    world.advance(LEASE.total_seconds() - 2)
    assert await runner.run_due() == 0
    world.advance(3)
    assert await runner.run_due() == 1
    assert script.ran == {job: 1}
    async with world.db.work(world.tenant, SYSTEM) as work:
        assert not await store.finish(work, dead, "run_dead", work.now)


@pytest.mark.slow
async def test_leases_are_renewed(world: World, script: Script) -> None:
    """A long run keeps its lease as long as its process lives, though the clock leaps."""
    script.seconds = 2.5
    kind = script.kind()
    await order(world, kind)
    second = Runner(world.db, Settings([]), [kind])
    async with serving(world.db, kind):
        await until(lambda: script.now.total() == 1)
        for _ in range(2):
            world.advance(LEASE.total_seconds() - 1)
            await asyncio.sleep(1.1)
            assert await second.run_due() == 0
        await until(lambda: script.now.total() == 0)
    assert script.ran.total() == 1


@pytest.mark.slow
async def test_clock_that_leaps_past_the_lease(world: World, script: Script) -> None:
    """A runner never takes again what it is running itself, even when dev mode turns the clock on by hours."""
    script.seconds = 1.5
    kind = script.kind()
    await order(world, kind)
    async with serving(world.db, kind):
        await until(lambda: script.now.total() == 1)
        world.advance(7200)
        await until(lambda: script.now.total() == 0)
        await asyncio.sleep(0.3)
    assert script.ran.total() == 1
    assert await outbox.list_jobs(world.db) == []


async def test_pauses_double_and_end_in_a_dead_letter(world: World, script: Script) -> None:
    """Each failure waits about twice as long as the one before; after the last attempt the job is dead, with the reason and a fact."""
    script.fail = Later("relay_away")
    kind = script.kind(attempts=6)
    await order(world, kind)
    runner = Runner(world.db, Settings([]), [kind])
    pauses = []
    for attempt in range(1, 6):
        assert await runner.run_due() == 1
        job = await the_job(world)
        assert (job.attempts, job.last_error, job.state) == (attempt, "relay_away", JobState.WAITING)
        pauses.append((job.due - world.clock.now()).total_seconds())
        assert await runner.run_due() == 0
        world.advance(pauses[-1] + 0.01)
    for number, pause in enumerate(pauses):
        assert 2.4 * 2**number < pause < 5.1 * 2**number
    assert await runner.run_due() == 1
    job = await the_job(world)
    assert (job.state, job.last_error) == (JobState.DEAD, "relay_away")
    world.advance(86_400)
    assert await runner.run_due() == 0


def test_pause_has_a_ceiling_and_jitter(script: Script) -> None:
    """Pauses never pass the longest, and two jobs that failed together do not come back together."""
    kind = script.kind()
    late = {kind.pause(500) for _ in range(50)}
    assert all(timedelta(minutes=30) <= pause <= timedelta(hours=1) for pause in late)
    assert len(late) > 10


async def test_reason_may_set_the_pause(world: World, script: Script) -> None:
    """A job that knows when to come back says so."""
    script.fail = Later("slow_down", after=timedelta(minutes=7))
    kind = script.kind()
    await order(world, kind)
    await Runner(world.db, Settings([]), [kind]).run_due()
    assert timedelta(minutes=6, seconds=50) < (await the_job(world)).due - world.clock.now() <= timedelta(minutes=7)


async def test_unexpected_error_tells_its_type_only(world: World, script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    """An error's words may hold what the payload held: neither table nor log get them."""
    script.fail = ValueError("anna@example.com")
    kind = script.kind()
    await order(world, kind)
    await Runner(world.db, Settings([]), [kind]).run_due()
    assert (await the_job(world)).last_error == "ValueError"
    out = capsys.readouterr()
    assert "anna" not in out.out + out.err


@pytest.mark.slow
@pytest.mark.parametrize("deaf", [False, True])
async def test_hung_job_is_timed_out_and_blocks_nobody(world: World, *, deaf: bool) -> None:
    """A job that hangs, even one that does not heed its cancellation, is counted as failed; others run meanwhile."""
    hanging, brisk = Script(), Script()
    hanging.seconds, hanging.deaf = 4, deaf
    slow, fast = hanging.kind("test.slow", timeout=0.3, at_once=1), brisk.kind("test.fast")
    await order(world, slow, 2)
    async with serving(world.db, slow, fast):
        await until(lambda: hanging.now.total() == 1)
        await order(world, fast, 3)
        await until(lambda: len(brisk.ran) == 3, 0.25)
        await until(lambda: len(hanging.ran) == 2, 3)
        for _ in range(300):
            if {job.last_error for job in await outbox.list_jobs(world.db)} == {"timed_out"}:
                break
            await asyncio.sleep(0.01)
    assert [job.last_error for job in await outbox.list_jobs(world.db)] == ["timed_out", "timed_out"]
    hanging.deaf = False


async def test_job_that_kills_its_process_ends_too(world: World, script: Script) -> None:
    """Attempts count when a job is taken: one that takes its process with it each time becomes a dead letter without another run."""
    kind = script.kind(attempts=2)
    await order(world, kind)
    for _ in range(2):
        async with world.db.work(SERVER, SYSTEM) as work:
            await store.lease(work, "run_dead", kind.name, until=work.now + LEASE, places=9, running=[])
        world.advance(21)
    assert await Runner(world.db, Settings([]), [kind]).run_due() == 1
    assert (await the_job(world)).last_error == "its_runner_died"
    assert script.ran.total() == 0


async def test_unknown_kind_is_left_alone(world: World, script: Script) -> None:
    """A job of a kind this process does not know waits for one that does."""
    kind = script.kind("test.newer")
    await order(world, kind)
    assert await Runner(world.db, Settings([]), [Script().kind("test.older")]).run_due() == 0
    assert await Runner(world.db, Settings([]), []).run_due() == 0
    assert await Runner(world.db, Settings([]), [kind]).run_due() == 1


async def test_stop_finishes_what_is_under_way(world: World, script: Script) -> None:
    """After `stop` nothing new is taken and what runs is finished."""
    script.seconds = 0.3
    kind = script.kind(at_once=1)
    await order(world, kind, 2)
    runner = Runner(world.db, Settings([]), [kind])
    task = asyncio.create_task(runner.serve())
    await until(lambda: script.now.total() == 1)
    runner.stop()
    await asyncio.wait_for(task, 5)
    assert script.ran.total() == 1
    assert [job.attempts for job in await outbox.list_jobs(world.db)] == [0]


async def test_cancelled_runner_gives_its_jobs_back(world: World, script: Script) -> None:
    """A job cut short by shutdown can be taken at once by the next process, and no attempt is lost."""
    script.seconds = 60
    kind = script.kind()
    await order(world, kind)
    async with serving(world.db, kind):
        await until(lambda: script.now.total() == 1)
    for _ in range(100):
        if (await the_job(world)).attempts == 0:
            break
        await asyncio.sleep(0.01)
    script.seconds = 0
    assert await Runner(world.db, Settings([]), [kind]).run_due() == 1
    assert await outbox.list_jobs(world.db) == []


async def test_old_payload_of_another_shape_fails_softly(world: World, script: Script) -> None:
    """A payload this version does not understand is a failed attempt like any other."""

    class Text(msgspec.Struct):
        text: str

    other = JobKind(name="test.script", payload=Text, run=lambda _: asyncio.sleep(0))
    async with world.work() as work:
        await outbox.enqueue(work, other, Text("x"))
    await Runner(world.db, Settings([]), [script.kind()]).run_due()
    assert (await the_job(world)).last_error == "ValidationError"
