"""Jobs that clear away are ordered by hot paths, so ordering them must cost nothing most of the time."""

from __future__ import annotations

import msgspec
import pytest

from limen.platform.outbox import Job, JobKind, list_jobs, order_hourly
from tests.conftest import World


class Nothing(msgspec.Struct):
    """No payload."""


async def _run(job: Job[Nothing]) -> None:
    del job


SWEEP = JobKind(name="test.sweep", payload=Nothing, run=_run)


async def _ordered_and_undone(world: World) -> None:
    async with world.work() as work:
        await order_hourly(work, SWEEP, Nothing())
        raise LookupError


async def test_an_hourly_job_is_ordered_once_an_hour(world: World) -> None:
    """Many calls in one hour order one job; the next hour orders the next; a Work that fails orders none."""
    with pytest.raises(LookupError):
        await _ordered_and_undone(world)
    assert await list_jobs(world.db) == []
    for _ in range(3):
        async with world.work() as work:
            await order_hourly(work, SWEEP, Nothing())
    assert len(await list_jobs(world.db)) == 1
    world.advance(3600)
    async with world.work() as work:
        await order_hourly(work, SWEEP, Nothing())
        await order_hourly(work, SWEEP, Nothing())
    assert len(await list_jobs(world.db)) == 2
