"""The loop that takes jobs by lease and runs several at once.

A runner renews the leases of what it runs; those of one that died end within seconds, and another takes its jobs. Between the doing of a
job and the writing down lies an instant in which a crash means that it is done again: at least once, never exactly once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import structlog

from limen.kernel import ids
from limen.kernel.errors import LimenError
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import SERVER, JobId
from limen.platform.duties import Settings
from limen.platform.outbox import queue, store
from limen.platform.outbox.model import AnyKind
from limen.platform.outbox.run import Run
from limen.platform.outbox.store import Leased
from limen.platform.sql import Database
from limen.platform.telemetry import Repeats

_LOG: Final = structlog.get_logger("limen.outbox")

LEASE: Final = timedelta(seconds=20)
"""How long a job is this process's own without renewal: what a crash delays it by."""
_RENEW_EVERY: Final = timedelta(seconds=5)
_LOOK_SECONDS: Final = 1.0
_GRACE_SECONDS: Final = 5.0
_SWEEP_EVERY: Final = timedelta(minutes=10)


class Runner:
    """The jobs of one process. `kinds` are all that this process knows how to run; others are left alone."""

    def __init__(self, db: Database, settings: Settings, kinds: Iterable[AnyKind]) -> None:
        self._db = db
        self._settings = settings
        self._kinds = {kind.name: kind for kind in kinds}
        self._name = ids.new("run", db.clock.now())
        self._peek = store.peek_of(tuple(self._kinds)) if self._kinds else None
        self._wake = asyncio.Event()
        self._stopping = False
        self._away = False
        self._late = 0.0
        self._running: dict[JobId, tuple[Leased, asyncio.Task[None]]] = {}
        self._failures = Repeats(_LOG.info, "a job failed and will be tried again")
        self._turns: dict[str, str] = {}
        """The stretch of time for which this process last ordered each regular kind."""
        self._more: set[str] = set()
        """Kinds of which the last look found as many as there were places: there may be others waiting."""
        self._renewed = self._swept = db.clock.now() - _SWEEP_EVERY

    async def serve(self) -> None:
        """Run jobs as they fall due, until `stop` is called or the task is cancelled.

        It looks once a second, and at once when this process has put a job in. After `stop` the jobs under way have five seconds;
        what is left then is given back, to be run by whoever comes next.
        """
        deaf = queue.listen(self._db, self._wake.set)
        try:
            while not self._stopping:
                self._wake.clear()
                await self._sleep(await self._round())
            if self._running:
                await asyncio.wait(self._tasks(), timeout=_GRACE_SECONDS)
        finally:
            deaf()
            for task in self._tasks():
                task.cancel()
        if self._running:
            await asyncio.wait(self._tasks(), timeout=_GRACE_SECONDS)

    def stop(self) -> None:
        """Let `serve` take nothing more and return soon."""
        self._stopping = True
        self._wake.set()

    async def run_due(self) -> int:
        """Run everything that is due now, what these jobs enqueue included; return how many runs it took. For tests and commands."""
        runs = 0
        while taken := await self._take_due(await self._soonest()):
            runs += taken
            while self._running:
                await asyncio.wait(self._tasks())
        return runs

    def _tasks(self) -> set[asyncio.Task[None]]:
        return {task for _, task in self._running.values()}

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _round(self) -> float:
        """Take what is due; return the seconds until the next look. A database that is away is told of once."""
        try:
            await self.order_turns()
            soonest = await self._soonest()
            await self._take_due(soonest)
            await self._renew()
            await self._sweep()
        except LimenError as error:
            if not self._away:
                _LOG.error("the outbox stands still until the database answers", error=error.code, reason=error.operator)
            self._away = True
            return _LOOK_SECONDS
        except Exception:  # noqa: BLE001 - whatever it is: without its outbox a server would send nothing more, and nobody would know
            if not self._away:
                _LOG.exception("the outbox stands still")
            self._away = True
            return _LOOK_SECONDS
        if self._away:
            _LOG.info("the outbox goes on")
        self._away = False
        now = self._db.clock.now()
        return min([_LOOK_SECONDS, *((due - now).total_seconds() for due in soonest.values() if due > now)])

    @property
    def late_seconds(self) -> float:
        """How long the oldest job that is due has waited, as of the last look; 0 where none waits."""
        return self._late

    async def order_turns(self) -> None:
        """Order what runs regularly, once for each stretch of time, whichever process comes first."""
        now = self._db.clock.now()
        for kind in self._kinds.values():
            if kind.every is None or self._turns.get(kind.name) == queue.turn_of(kind.every, now):
                continue
            async with self._db.work(SERVER, SYSTEM) as work:
                turn = await queue.order_turn(work, kind, kind.every)
            self._turns[kind.name] = turn

    async def _soonest(self) -> dict[str, datetime]:
        """Return when the next job of each kind is due: the one cheap read of an idle runner."""
        if self._peek is None:
            return {}
        async with self._db.read(SERVER) as read:
            soonest = {kind: due for kind, due in await read.all(self._peek) if due is not None}
            self._late = max([0.0, *((read.now - due).total_seconds() for due in soonest.values())])
        return soonest

    async def _take_due(self, soonest: dict[str, datetime]) -> int:
        now = self._db.clock.now()
        return sum([await self._take(self._kinds[kind]) for kind, due in soonest.items() if due <= now and self._places(kind)])

    def _places(self, kind: str) -> int:
        return self._kinds[kind].at_once - Counter(job.kind for job, _ in self._running.values())[kind]

    async def _take(self, kind: AnyKind) -> int:
        async with self._db.work(SERVER, SYSTEM) as work:
            places, running = self._places(kind.name), list(self._running)
            jobs = await store.lease(work, self._name, kind.name, until=work.now + LEASE, places=places, running=running)
        (self._more.add if len(jobs) == places else self._more.discard)(kind.name)
        for job in jobs:
            run = Run(self._db, self._settings, kind, job, self._name, self._failures)
            task = asyncio.create_task(run.go(), name=job.id)
            self._running[job.id] = (job, task)
            task.add_done_callback(self._over)
        return len(jobs)

    def _over(self, task: asyncio.Task[None]) -> None:
        job, _ = self._running[JobId(task.get_name())]
        if job.kind in self._more:
            self._wake.set()
        del self._running[job.id]
        if not task.cancelled() and (error := task.exception()):
            _LOG.error("a job could not be settled; it will be run again when its lease ends", kind=job.kind, job=job.id, error=type(error).__name__)

    async def _renew(self) -> None:
        now = self._db.clock.now()
        if not self._running or abs(now - self._renewed) < _RENEW_EVERY:
            return
        self._renewed = now
        async with self._db.work(SERVER, SYSTEM) as work:
            for job, _ in tuple(self._running.values()):
                await store.renew(work, job, self._name, work.now + LEASE)

    async def _sweep(self) -> None:
        """Now and then, forget the keys of done jobs and the dead letters whose time has come."""
        now = self._db.clock.now()
        if abs(now - self._swept) < _SWEEP_EVERY:
            return
        self._swept = now
        for kind in self._kinds:
            async with self._db.work(SERVER, SYSTEM) as work:
                await store.sweep(work, kind)
