"""The hashing pool is fair, bounded and never holds up the event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from limen.kernel.errors import Kind
from limen.platform.crypto import HashPool, Overloaded, hash_password, pool


@pytest.fixture
def one() -> Iterator[HashPool]:
    made = HashPool(1, 4)
    yield made
    made.close()


class Gate:
    """A job that waits until it is let go, and notes the order in which jobs ran."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.taken = threading.Event()
        self.order: list[str] = []

    def job(self, name: str) -> str:
        self.taken.set()
        self.open.wait(5)
        self.order.append(name)
        return name


async def held(one: HashPool, gate: Gate) -> asyncio.Task[str]:
    """Occupy the only thread."""
    task = asyncio.create_task(one.run(gate.job, "first", lane=("z", "z")))
    await asyncio.sleep(0)
    await asyncio.to_thread(gate.taken.wait, 5)
    return task


async def test_results_and_errors_come_back(one: HashPool) -> None:
    """A result is returned, an exception is raised, and the pool serves on."""
    assert await one.run(divmod, 7, 2, lane=("acme", "1")) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await one.run(divmod, 7, 0, lane=("acme", "1"))
    assert await one.run(len, b"abc", lane=("acme", "1")) == 3


async def test_lanes_take_turns(one: HashPool) -> None:
    """Tenants take turns, and addresses within a tenant, however many jobs one of them brings."""
    gate = Gate()
    one._limit = 100
    tasks = [await held(one, gate)]
    jobs = [("a", "1", "a1"), ("a", "1", "a1'"), ("a", "1", "a1''"), ("a", "2", "a2"), ("b", "1", "b1"), ("b", "1", "b1'")]
    for tenant, address, name in jobs:
        tasks.append(asyncio.create_task(one.run(gate.job, name, lane=(tenant, address))))
        await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(*tasks)
    assert gate.order == ["first", "a1", "b1", "a2", "b1'", "a1'", "a1''"]


async def test_a_full_queue_refuses_whoever_fills_it(one: HashPool) -> None:
    """A flood from one address is refused with a time to come back; another address, and another tenant, still get in."""
    gate = Gate()
    first = await held(one, gate)
    flood = [asyncio.create_task(one.run(gate.job, "flood", lane=("a", "6.6.6.6"))) for _ in range(7)]
    await asyncio.sleep(0.01)
    good = [asyncio.create_task(one.run(gate.job, name, lane=lane)) for name, lane in (("same", ("a", "1")), ("other", ("b", "1")))]
    await asyncio.sleep(0.01)
    assert one.waiting == 4
    gate.open.set()
    outcomes = await asyncio.gather(*flood, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Overloaded)]
    assert len(refused) == 5
    assert all((error.retry_after or 0) >= 1 and error.kind is Kind.UNAVAILABLE for error in refused)
    assert await asyncio.gather(first, *good) == ["first", "same", "other"]


async def test_among_equals_the_last_comer_is_refused(one: HashPool) -> None:
    """When every lane waits with one job, whoever comes now has to come again; nobody already waiting is sent away."""
    gate = Gate()
    first = await held(one, gate)
    waiting = [asyncio.create_task(one.run(gate.job, str(n), lane=(f"t{n}", "1"))) for n in range(4)]
    await asyncio.sleep(0.01)
    with pytest.raises(Overloaded):
        await one.run(gate.job, "late", lane=("t9", "1"))
    gate.open.set()
    assert await asyncio.gather(first, *waiting) == ["first", "0", "1", "2", "3"]


async def test_whoever_leaves_gives_up_the_place(one: HashPool) -> None:
    """A job nobody waits for any more is taken out of the queue and never run."""
    gate = Gate()
    first = await held(one, gate)
    gone = asyncio.create_task(one.run(gate.job, "gone", lane=("a", "1")))
    await asyncio.sleep(0.01)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert one.waiting == 0
    gate.open.set()
    await first
    assert gate.order == ["first"]


async def test_hashing_does_not_hold_up_the_loop() -> None:
    """While all threads hash passwords, the loop turns on without a pause of the length of a hash."""
    worst, done = 0.0, False

    async def watch() -> None:
        nonlocal worst
        while not done:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, time.perf_counter() - began - 0.001)

    watcher = asyncio.create_task(watch())
    here = pool()
    hashes = await asyncio.gather(*(here.run(hash_password, "correct horse", lane=("acme", str(n))) for n in range(8)))
    done = True
    await watcher
    assert len(set(hashes)) == 8
    assert worst < 0.25


def test_the_pool_serves_several_loops() -> None:
    """The process's pool outlives an event loop that was closed with work in hand."""
    gate = Gate()
    here = HashPool(1, 4)

    async def leave() -> None:
        task = asyncio.create_task(here.run(gate.job, "left", lane=("a", "1")))
        await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(leave())
    gate.open.set()
    assert asyncio.run(here.run(len, "abc", lane=("a", "1"))) == 3
    here.close()
    assert pool() is pool()
