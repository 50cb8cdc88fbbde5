"""Jobs that nobody orders: they run once in each stretch of time, however many processes there are."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec

from limen.kernel.clock import SystemClock
from limen.kernel.ids import SERVER, TenantId
from limen.platform.duties import Settings
from limen.platform.outbox import Job, JobKind, Runner, list_jobs
from limen.platform.sql import open_database
from tests.conftest import World
from tests.platform.outbox.test_runner import serving, until


class Nothing(msgspec.Struct):
    """A payload with a default alone."""

    words: str = "none"


class Regular:
    """A kind that runs every ten minutes, and what it was run with."""

    def __init__(self) -> None:
        self.ran: list[tuple[TenantId, str]] = []
        self.kind = JobKind(name="test.regular", payload=Nothing, run=self._run, every=timedelta(minutes=10))

    async def _run(self, job: Job[Nothing]) -> None:
        self.ran.append((job.tenant, job.payload.words))


def at_the_beginning_of_a_stretch(clock: SystemClock) -> None:
    """Turn the clock so that a test does not cross from one stretch into the next."""
    clock.offset += timedelta(seconds=600 - clock.now().timestamp() % 600)


async def test_it_runs_once_in_each_stretch(world: World) -> None:
    """Two runners that serve at once, and then the next stretch: one run each, for the server, without anybody asking."""
    at_the_beginning_of_a_stretch(world.clock)
    regular = Regular()
    other = await open_database(world.url, world.keyring, world.clock) if world.db.dialect == "postgresql" else world.db
    try:
        async with serving(world.db, regular.kind), serving(other, regular.kind):
            await until(lambda: regular.ran == [(SERVER, "none")])
            await asyncio.sleep(1.2)  # both look again
            assert len(regular.ran) == 1
            world.advance(600)
            await until(lambda: len(regular.ran) == 2)
            await asyncio.sleep(1.2)
            assert len(regular.ran) == 2
    finally:
        if other is not world.db:
            await other.close()


async def test_a_process_that_starts_anew_does_not_run_it_again(world: World) -> None:
    """What was done in this stretch is remembered in the database, not in the process."""
    at_the_beginning_of_a_stretch(world.clock)
    regular = Regular()
    for _ in range(2):
        runner = Runner(world.db, Settings([]), [regular.kind])
        await runner.order_turns()
        await runner.run_due()
    assert len(regular.ran) == 1
    assert await list_jobs(world.db) == []
