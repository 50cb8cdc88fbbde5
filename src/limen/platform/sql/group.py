"""The one writing connection of a SQLite file, and the group of Works that share its next COMMIT.

Works run one after another in the event loop, each under a savepoint. All that ended since the last COMMIT share one, made in a thread;
while that thread has the connection (`busy`) no statement touches it here. A Work that has not begun when it ends, since it only recorded
facts, or changes what it did not ask for, takes neither savepoint nor writer: that thread does its writing. `BEGIN IMMEDIATE` is tried in
the loop with no waiting at all; if another process holds the file it is waited for in the thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import apsw

from limen.kernel.errors import LimenError
from limen.platform.sql.errors import ENDINGS, CommitFailed, DatabaseUnavailable, Outrun
from limen.platform.sql.facts import FactRow
from limen.platform.sql.lite import BUSY_MILLISECONDS, INSERT_FACT, translated

if TYPE_CHECKING:
    from limen.platform.sql.lite import Bind

CLOSE_SECONDS: Final = 10.0
CHECKPOINT_PAGES: Final = 4000
"""Length of the WAL, in pages, from which its content is moved into the file."""


class Member(NamedTuple):
    """A Work that waits for the group's COMMIT; `committed` is called in the loop before it continues."""

    future: asyncio.Future[None]
    committed: Callable[[], None] | None


class Write(NamedTuple):
    """A changing statement; one that `claims` must find what it changes."""

    sql: str
    words: Bind
    claims: bool


class Waiting(NamedTuple):
    """A Work that has not begun: what a `Member` has, what it changes and the rows of its facts."""

    future: asyncio.Future[None]
    writes: Sequence[Write]
    rows: Sequence[FactRow]
    committed: Callable[[], None] | None


class _Job(NamedTuple):
    """What the thread is to do: to commit (`commit`), or only to open a transaction that another process kept it from."""

    commit: bool
    opened: bool
    batch: list[Member]
    pending: list[Waiting]


class _Done(NamedTuple):
    """What came of it. `opened`: the next transaction has begun already."""

    job: _Job
    error: Exception | None
    refused: dict[int, Exception]
    opened: bool
    begin_error: Exception | None
    more: bool


class Writer:
    """Owns the writing connection; all methods but `_serve` and what it calls run in the event loop."""

    def __init__(
        self,
        connection: apsw.Connection,
        loop: asyncio.AbstractEventLoop,
        on_error: Callable[[Exception], None],
        on_commit: Callable[[], None],
        check: Callable[[], None],
    ) -> None:
        """Begin to serve. `check` raises where nothing may be committed any more; it is called in the thread."""
        self.connection = connection
        self.run: Callable[[str, Bind], apsw.Cursor] = connection.cursor().execute
        self.busy = False
        self.open = False
        self.closed = False
        self._loop = loop
        self._on_error = on_error
        self._on_commit = on_commit
        self._check = check
        self._scheduled = False
        self._batch: list[Member] = []
        self._pending: list[Waiting] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._idle: asyncio.Future[None] | None = None
        self.commits = 0
        self._wal_pages = 0
        self._checkpoint_pages = self._checkpoint_at = CHECKPOINT_PAGES
        connection.set_wal_hook(self._wal_grew)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="limen-commit", daemon=True)
        self._thread.start()

    def checkpoint_from(self, pages: int) -> None:
        """Move the WAL's content into the file whenever it is longer than this."""
        self._checkpoint_pages = self._checkpoint_at = pages

    # ------------------------------------------------------------------ for a Work, in the loop

    async def hold(self) -> None:
        """Return with the writer held and a transaction open; the caller must `release` it."""
        while self.busy or not self.open:
            if self.closed:
                raise DatabaseUnavailable(operator="the database is closed")
            if not self.busy and self._try_begin():
                break
            turn = self._loop.create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._wake_next()
                raise
        self.busy = True

    def release(self, member: Member | None) -> None:
        """Give the writer back; `member` continues with the group's COMMIT, None is a Work rolled back."""
        if member is not None:
            self._batch.append(member)
        self.busy = False
        self._schedule()
        self._wake_next()

    def lost(self, error: Exception) -> None:
        """The whole transaction has ended (disk full, input or output error): every Work of it has failed."""
        self.open = False
        batch, self._batch = self._batch, []
        for member in batch:
            if not member.future.done():
                member.future.set_exception(translated(error))

    def append(self, work: Waiting) -> asyncio.Future[None]:
        """Write a Work with the next group; its future is done when it is durable."""
        if self.closed:
            raise DatabaseUnavailable(operator="the database is closed")
        if work.rows or work.writes:
            self._pending.append(work)
            if not self._scheduled:
                self._schedule()
        else:
            _all_durable((work,))
        return work.future

    async def close(self) -> None:
        """Commit what is under way, stop the thread and close the connection."""
        self.closed = True
        with contextlib.suppress(TimeoutError):  # a Work that never ends is left behind, and rolled back with the connection
            async with asyncio.timeout(CLOSE_SECONDS):
                while self.busy or self._pending or self._batch or self.open:
                    self._schedule()
                    self._idle = self._loop.create_future()
                    await self._idle
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self.connection.close()

    # ------------------------------------------------------------------ grouping, in the loop

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._linger)

    def _linger(self) -> None:
        """One more turn of the loop before COMMIT: whoever is being woken in this one joins the group."""
        self._loop.call_soon(self._commit)

    def _commit(self) -> None:
        self._scheduled = False
        if self.busy:
            return  # whoever ends `busy` schedules again
        if not self.open and not self._pending:
            self._report_idle()
            return
        job = _Job(commit=True, opened=self.open, batch=self._batch, pending=self._pending)
        self._batch, self._pending = [], []
        self.busy = True
        self._jobs.put(job)

    def _try_begin(self) -> bool:
        try:
            self.run("BEGIN IMMEDIATE", ())
        except apsw.BusyError:  # another process writes: the thread waits for it
            self.busy = True
            self._jobs.put(_Job(commit=False, opened=False, batch=[], pending=[]))
            return False
        except apsw.Error as error:
            self._on_error(error)
            raise translated(error) from error
        self.open = True
        return True

    def _wake_next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _report_idle(self) -> None:
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _finish(self, done: _Done) -> None:
        """The thread is through with a job: tell the group, then let the next Works in."""
        for member in done.job.batch:
            _settle(member, done.error)
        if done.error is None and not done.refused:
            _all_durable(done.job.pending)
        else:
            for place, work in enumerate(done.job.pending):
                _settle(Member(work.future, work.committed), done.error or done.refused.get(place))
        if done.error is not None:
            self._on_error(done.error)
        elif done.job.commit:
            self._on_commit()
        if not done.more:
            self._ready(done)

    def _ready(self, done: _Done) -> None:
        self.busy, self.open = False, done.opened
        waiting, self._waiting = self._waiting, deque()
        for turn in waiting:
            if turn.done():
                continue
            if done.begin_error is not None:
                turn.set_exception(translated(done.begin_error))
            else:
                turn.set_result(None)
        if done.opened or self._pending:
            self._schedule()
        self._report_idle()

    # ------------------------------------------------------------------ in the thread

    def _wal_grew(self, connection: apsw.Connection, name: str, pages: int) -> int:
        del connection, name
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            done = self._carry_out(job)
            try:
                if done.error is None and self._wal_pages >= self._checkpoint_at:
                    self._loop.call_soon_threadsafe(self._finish, done._replace(more=True))
                    checked = self._checkpoint(done)
                    self._loop.call_soon_threadsafe(self._after_checkpoint, checked)
                else:
                    self._loop.call_soon_threadsafe(self._finish, done)
            except RuntimeError:  # the loop is gone, and with it everybody who waits
                return

    def _carry_out(self, job: _Job) -> _Done:
        error: Exception | None = None
        begin_error: Exception | None = None
        refused: dict[int, Exception] = {}
        opened = False
        try:
            if not job.opened:
                self._wait_begin()
            if job.commit:
                refused = self._write(job.pending)
                self._check()
                self.run("COMMIT", ())
                self.commits += 1
            else:
                opened = True
        except Exception as failure:  # noqa: BLE001 -- whatever it is, the callers learn it in the loop
            error, begin_error = (failure, None) if job.commit else (None, failure)
            self._roll_back()
        if job.commit and self._waiting and self._wal_pages < self._checkpoint_at:
            try:  # the next group begins without another hop; its failure is not that of the finished commit
                self._wait_begin()
                opened = True
            except Exception as failure:  # noqa: BLE001 -- likewise
                begin_error = failure
        return _Done(job, error, refused, opened, begin_error, more=False)

    def _roll_back(self) -> None:
        if self.connection.in_transaction:
            with contextlib.suppress(apsw.Error):  # what made it fail is reported already
                self.run("ROLLBACK", ())

    def _wait_begin(self) -> None:
        self.connection.set_busy_timeout(BUSY_MILLISECONDS)
        try:
            self.run("BEGIN IMMEDIATE", ())
        finally:
            self.connection.set_busy_timeout(0)

    def _write(self, pending: Sequence[Waiting]) -> dict[int, Exception]:
        """Write Works that have not begun; one that fails, fails alone. Return those, by place."""
        if not pending:
            return {}
        cursor = self.connection.cursor()
        cursor.execute("SAVEPOINT f")
        try:
            for work in pending:
                if work.writes:
                    self._change(work.writes)
            cursor.executemany(INSERT_FACT, [row for work in pending for row in work.rows])
        except Exception as error:
            if not self.connection.in_transaction:
                raise
            cursor.execute("ROLLBACK TO f")
            cursor.execute("RELEASE f")
            if len(pending) == 1:
                return {0: _told(error, ENDINGS)}
            return {place: why for place, work in enumerate(pending) for why in self._write([work]).values()}
        else:
            cursor.execute("RELEASE f")
        return {}

    def _change(self, writes: Sequence[Write]) -> None:
        for sql, words, claims in writes:
            self.run(sql, words)
            if claims and self.connection.changes() == 0:
                raise Outrun

    def _checkpoint(self, done: _Done) -> _Done:
        """Move the WAL's content into the file. Not left to SQLite, which would swallow a failed fsync here."""
        try:
            pages, moved = self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:
            self._checkpoint_at = self._wal_pages + self._checkpoint_pages
        except apsw.Error as failure:
            return done._replace(error=failure)
        else:
            self._checkpoint_at = self._checkpoint_pages if moved >= pages else pages + self._checkpoint_pages
            self._wal_pages = 0
        return done

    def _after_checkpoint(self, done: _Done) -> None:
        if done.error is not None:
            self._on_error(done.error)
        self._ready(done)


def _all_durable(pending: Sequence[Waiting]) -> None:
    for work in pending:
        if work.committed is not None:
            work.committed()
        if not work.future.done():
            work.future.set_result(None)


def _settle(member: Member, error: Exception | None) -> None:
    if error is None and member.committed is not None:
        member.committed()
    if member.future.done():
        return  # its caller was cancelled and is gone
    if error is None:
        member.future.set_result(None)
    else:
        member.future.set_exception(error if isinstance(error, LimenError) else _told(error, (CommitFailed, DatabaseUnavailable)))


def _told(error: Exception, kinds: tuple[type[LimenError], ...]) -> LimenError:
    failure = translated(error)
    return failure if isinstance(failure, kinds) else CommitFailed(operator=str(error))
