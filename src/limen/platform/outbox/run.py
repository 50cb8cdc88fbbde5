"""One run of one job: what came of it, and writing that down."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from limen.kernel.errors import LimenError
from limen.kernel.facts import SYSTEM
from limen.platform.duties import Settings
from limen.platform.outbox import queue, store
from limen.platform.outbox.facts import JobDied
from limen.platform.outbox.model import ITS_RUNNER_DIED, TIMED_OUT, AnyKind, Errand, GiveUp, Later
from limen.platform.outbox.store import Leased
from limen.platform.sql import Database, Work
from limen.platform.telemetry import TRACES, Attributes, Repeats

_LOG: Final = structlog.get_logger("limen.outbox")

KEY_KEPT: Final = timedelta(days=1)
DEAD_KEPT: Final = timedelta(days=30)
_CANCEL_SECONDS: Final = 1.0
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 5.0
_LEFT_BEHIND: Final[set[asyncio.Task[None]]] = set()  # runs that did not heed their cancellation: kept from the collector until they end

Settle = Callable[[Work], Awaitable[bool]]
"""Writes an outcome down; False if the lease was lost meanwhile."""


@dataclass(frozen=True, slots=True)
class Run:
    """A job in this process's hands."""

    db: Database
    settings: Settings
    kind: AnyKind
    job: Leased
    runner: str
    failures: Repeats
    """Tells of jobs that will be tried again: while the mail server is away that may be thousands."""

    async def go(self) -> None:
        """Run the job and write down what came of it; never raises but when cancelled, which gives the job back."""
        about: Attributes = {"limen.job.kind": self.kind.name, "limen.job.attempt": self.job.attempts, "limen.tenant": self.job.tenant}
        with TRACES.root(f"job {self.kind.name}", "consumer", about):
            try:
                settle = await self._outcome()
            except asyncio.CancelledError:
                await self._write(self._released)
                raise
            await self._write(settle)

    async def _outcome(self) -> Settle:
        if self.job.attempts > self.kind.attempts:
            return self._dead(ITS_RUNNER_DIED)  # every attempt was taken and none was settled: it may be what kills the process
        task = asyncio.create_task(self._perform())
        try:
            await asyncio.wait({task}, timeout=self.kind.timeout.total_seconds())
        finally:
            task.cancel()
        if not task.done():
            await asyncio.wait({task}, timeout=_CANCEL_SECONDS)
            if not task.done() or task.cancelled():
                _leave_behind(task)
                return self._failed(TIMED_OUT)
        return self._judged(task.exception())

    async def _perform(self) -> None:
        job = self.job
        body = self.db.keyring.open(job.payload or b"", queue.place(job.tenant, job.id))
        await self.kind.perform(Errand(self.db, self.settings, job.tenant, job.id, job.attempts, body))

    def _judged(self, error: BaseException | None) -> Settle:
        match error:
            case None:
                return self._done
            case GiveUp():
                return self._dead(error.reason)
            case Later():
                return self._failed(error.reason, error.after)
            case LimenError():
                return self._failed(error.code)
            case _:
                last = traceback.extract_tb(error.__traceback__)[-1]
                # Neither its words nor its locals are told: they may hold what the payload held.
                _LOG.error(
                    "a job failed unexpectedly",
                    kind=self.kind.name,
                    job=self.job.id,
                    error=type(error).__name__,
                    at=f"{Path(last.filename).name}:{last.lineno}",
                )
                return self._failed(type(error).__name__)

    async def _done(self, work: Work) -> bool:
        return await store.finish(work, self.job, self.runner, work.now + KEY_KEPT)

    async def _released(self, work: Work) -> bool:
        return await store.release(work, self.job, self.runner)

    def _failed(self, reason: str, after: timedelta | None = None) -> Settle:
        if self.job.attempts >= self.kind.attempts:
            return self._dead(reason)

        async def settle(work: Work) -> bool:
            pause = self.kind.pause(self.job.attempts) if after is None else after
            return await store.retry(work, self.job, self.runner, work.now + pause, reason)

        TRACES.failed(reason)
        self.failures.say((self.kind.name, reason), kind=self.kind.name, job=self.job.id, attempt=self.job.attempts, reason=reason)
        return settle

    def _dead(self, reason: str) -> Settle:
        async def settle(work: Work) -> bool:
            buried = await store.bury(work, self.job, self.runner, work.now + DEAD_KEPT, reason)
            if buried:
                work.record(JobDied(job=self.job.id, kind=self.kind.name, attempts=self.job.attempts, reason=reason))
            return buried

        TRACES.failed(reason)
        _LOG.error("a job was given up; see `limen outbox dead`", kind=self.kind.name, job=self.job.id, attempts=self.job.attempts, reason=reason)
        return settle

    async def _write(self, settle: Settle) -> None:
        """Settle in a Work of the job's tenant; while the database is away, again and again, lest the job be done twice."""
        pause = _FIRST_PAUSE
        while True:
            try:
                async with self.db.work(self.job.tenant, SYSTEM) as work:
                    kept = await settle(work)
            except LimenError as error:
                _LOG.warning("what came of a job cannot be written down yet", kind=self.kind.name, job=self.job.id, error=error.code)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                if not kept:
                    _LOG.warning("a job took longer than its lease, and another runner has it", kind=self.kind.name, job=self.job.id)
                return


def _leave_behind(task: asyncio.Task[None]) -> None:
    def ended(task: asyncio.Task[None]) -> None:
        _LEFT_BEHIND.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that the loop does not complain of it

    _LEFT_BEHIND.add(task)
    task.add_done_callback(ended)
