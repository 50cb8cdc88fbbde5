"""A runner's process killed in the middle of its jobs."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from limen.platform import outbox
from limen.platform.duties import Settings
from limen.platform.outbox import Runner
from limen.platform.outbox.runner import LEASE
from tests.conftest import World
from tests.platform.outbox.victim import AT_ONCE, MARK, Mark


def begin(world: World, folder: Path) -> subprocess.Popen[bytes]:
    """Start a process with a runner."""
    return subprocess.Popen([sys.executable, "-m", "tests.platform.outbox.victim", world.url, str(folder)])


async def kill_once(world: World, folder: Path, marks: Path, after: int) -> None:
    """Let a process of its own run jobs and kill it once it has begun some more."""
    begun = len(marks.read_text().splitlines()) if marks.exists() else 0
    victim = begin(world, folder)
    try:
        deadline = time.monotonic() + 60
        while not marks.exists() or len(marks.read_text().splitlines()) < begun + after:
            assert victim.poll() is None, "the process ended by itself"
            assert time.monotonic() < deadline, "it does not begin"
            await asyncio.sleep(0.001)
    finally:
        victim.send_signal(signal.SIGKILL)
        victim.wait()


async def prove(world: World, tmp_path: Path, *, rounds: int, count: int) -> str:
    """Kill so many processes over the jobs; return the line with the figures."""
    marks = tmp_path / "marks"
    jobs = []
    for _ in range(count):
        async with world.work() as work:
            jobs.append(await outbox.enqueue(work, MARK, Mark(str(marks))))
    for _ in range(rounds):
        await kill_once(world, world.keyring._settings.file.parent, marks, after=20)
    world.advance(LEASE.total_seconds() + 1)
    await Runner(world.db, Settings([]), [MARK]).run_due()
    lines = Counter(marks.read_text().splitlines())
    ended = Counter({line[1:]: count for line, count in lines.items() if line.startswith("-")})
    cut = lines.total() - 2 * ended.total()
    assert set(ended) == set(jobs), "a job was lost"
    again = sum(count - 1 for count in ended.values())
    assert again <= rounds * AT_ONCE, "a job that was settled ran again"
    assert await outbox.list_jobs(world.db) == []
    return f"{world.db.dialect}: {rounds} kills, {count} jobs, {cut} cut short and run again, none lost, {again} done twice"


@pytest.mark.slow
async def test_no_job_is_lost_by_a_kill(world: World, tmp_path: Path) -> None:
    """After SIGKILL every job runs once its lease is over; only those under way at that instant may run twice."""
    await prove(world, tmp_path, rounds=1, count=40)


@pytest.mark.soak
async def test_no_job_is_lost_by_many_kills(world: World, tmp_path: Path) -> None:
    """The same with twenty processes killed one after the other."""
    print(await prove(world, tmp_path, rounds=20, count=400))
