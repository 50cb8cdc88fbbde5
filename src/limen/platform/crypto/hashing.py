"""A bounded pool of threads for slow hashing, its queue shared fairly per tenant and, within a tenant, per address.

Argon2 releases the GIL, so the threads use all cores while the event loop serves on. When the queue is full, the newest job
of whoever has queued most is refused: a flood from one address makes that address wait, nobody else.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeAlias, TypeVar, TypeVarTuple

from limen.platform.crypto.errors import Overloaded

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Lane: TypeAlias = tuple[str, str]
"""Tenant and address of whoever asks."""
Told: TypeAlias = Callable[[int, int], None]
"""Hears of a call when it is done: when it was queued and when a thread took it, in nanoseconds of Unix time."""

QUEUED_PER_THREAD: Final = 64
"""At 20 ms a hash, the last in a full queue waits a little over a second."""

_FIRST_GUESS: Final = 0.03
_WEIGHT: Final = 0.1


class _Task(Protocol):
    def work(self) -> Callable[[], None]: ...
    def refuse(self, error: Exception) -> None: ...


class _Job(Generic[T]):
    """One call, and the future of the loop that awaits it."""

    __slots__ = ("_call", "_loop", "future", "queued", "taken")

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self._loop.create_future()
        self.queued = self.taken = time.time_ns()

    def work(self) -> Callable[[], None]:
        """Run the call in the present thread; the result of this, when called, hands the outcome to the loop."""
        self.taken = time.time_ns()
        try:
            result = self._call()
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to whoever awaits
            refused = error
            return lambda: self.refuse(refused)
        return lambda: self._tell(lambda: self.future.set_result(result))

    def refuse(self, error: Exception) -> None:
        self._tell(lambda: self.future.set_exception(error))

    def _tell(self, settle: Callable[[], None]) -> None:
        def unless_gone() -> None:
            if not self.future.done():
                settle()

        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(unless_gone)


class _FairQueue:
    """Jobs by tenant and address; each tenant in turn, and within it each address in turn."""

    def __init__(self) -> None:
        self._tenants: OrderedDict[str, OrderedDict[str, deque[_Task]]] = OrderedDict()
        self._counts: dict[str, int] = {}
        self.size = 0

    def push(self, lane: Lane, job: _Task) -> None:
        tenant, address = lane
        self._tenants.setdefault(tenant, OrderedDict()).setdefault(address, deque()).append(job)
        self._count(tenant, 1)

    def pop(self) -> _Task:
        """Take the next job in turn; the queue is not empty."""
        tenant, lanes = next(iter(self._tenants.items()))
        address, jobs = next(iter(lanes.items()))
        job = jobs.popleft()
        self._tenants.move_to_end(tenant)
        lanes.move_to_end(address)
        self._tidy((tenant, address))
        return job

    def shed(self, newcomer: Lane) -> _Task:
        """Take out the newest job of the tenant, and in it the address, that queued most; among equals that of the newcomer."""
        tenant = max(self._counts, key=lambda name: (self._counts[name], name == newcomer[0]))
        lanes = self._tenants[tenant]
        address = max(lanes, key=lambda name: (len(lanes[name]), (tenant, name) == newcomer))
        job = lanes[address].pop()
        self._tidy((tenant, address))
        return job

    def discard(self, lane: Lane, job: _Task) -> None:
        """Take out a job nobody waits for any more, if it is still queued."""
        tenant, address = lane
        if tenant in self._tenants and job in (jobs := self._tenants[tenant].get(address, deque())):
            jobs.remove(job)
            self._tidy(lane)

    def _tidy(self, lane: Lane) -> None:
        tenant, address = lane
        lanes = self._tenants[tenant]
        if not lanes[address]:
            del lanes[address]
        self._count(tenant, -1)
        if not lanes:
            del self._tenants[tenant], self._counts[tenant]

    def _count(self, tenant: str, change: int) -> None:
        self._counts[tenant] = self._counts.get(tenant, 0) + change
        self.size += change


class HashPool:
    """`threads` at work and at most `queue_limit` waiting. Serves any event loop of the process."""

    def __init__(self, threads: int, queue_limit: int) -> None:
        self._threads = threads
        self._limit = queue_limit
        self._queue = _FairQueue()
        self._changed = threading.Condition()
        self._started = 0
        self._busy = 0
        self._closed = False
        self._seconds = _FIRST_GUESS
        self._spent = 0.0
        self.told: Told | None = None
        """Called in the task that waited for a call; a trace is told of the queue by it."""

    async def run(self, call: Callable[[*Ts], T], *args: *Ts, lane: Lane) -> T:
        """Return `call(*args)`, run in a thread when its turn comes; raises Overloaded with `retry_after` if the queue is too full for this lane."""
        job = _Job(lambda: call(*args))
        with self._changed:
            self._queue.push(lane, job)
            refused = self._queue.shed(lane) if self._queue.size > self._limit + self._idle else None
            self._start_thread()
            self._changed.notify()
        if refused is not None:
            refused.refuse(Overloaded("Too many sign-ins at the moment. Try again shortly.", operator="the hashing queue is full", retry_after=self.wait))
        try:
            done = await job.future
        except asyncio.CancelledError:
            with self._changed:
                self._queue.discard(lane, job)
            raise
        if self.told is not None:
            self.told(job.queued, job.taken)
        return done

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return self._queue.size

    @property
    def busy(self) -> int:
        """Threads at work."""
        return self._busy

    @property
    def spent(self) -> float:
        """CPU seconds its threads have used."""
        return self._spent

    @property
    def wait(self) -> int:
        """Seconds until what is queued now is done, at least one."""
        return max(1, math.ceil(self._queue.size * self._seconds / self._threads))

    def close(self) -> None:
        """Let the threads end after the job in hand; what is queued is dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def _idle(self) -> int:
        return self._threads - self._busy

    def _start_thread(self) -> None:
        if self._started < min(self._threads, self._busy + self._queue.size):
            self._started += 1
            threading.Thread(target=self._serve, name=f"hashing-{self._started}", daemon=True).start()

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not (self._queue.size or self._closed):
                    self._changed.wait()
                if self._closed:
                    return
                job = self._queue.pop()
                self._busy += 1
            began, used = time.perf_counter(), time.thread_time()
            tell = job.work()
            with self._changed:
                self._busy -= 1
                self._spent += time.thread_time() - used
                self._seconds += _WEIGHT * (time.perf_counter() - began - self._seconds)
            tell()


_POOLS: Final[dict[int, HashPool]] = {}


def pool() -> HashPool:
    """Return the pool of this process, with a thread for each core it may use; a forked process gets its own."""
    here = os.getpid()
    found = _POOLS.get(here)
    if found is None:
        cores = len(os.sched_getaffinity(0))
        found = _POOLS[here] = HashPool(cores, QUEUED_PER_THREAD * cores)
    return found
