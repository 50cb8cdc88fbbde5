"""The database in one SQLite file: one process serves it, others (commands) may join in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import apsw

from limen.kernel.facts import SYSTEM, Actor, Fact
from limen.kernel.ids import SERVER, TenantId
from limen.platform.sql.backup import copy_sqlite
from limen.platform.sql.database import Database
from limen.platform.sql.dialects import DialectName
from limen.platform.sql.errors import CommitFailed, DatabaseUnavailable, Outrun
from limen.platform.sql.facts import fact_rows
from limen.platform.sql.group import Member, Waiting, Write, Writer
from limen.platform.sql.lite import INSERT_FACT, Bind, connect, create_private, sync_failed, translated
from limen.platform.sql.notices import FORGET_CHANGES_SQLITE, INSERT_CHANGE_SQLITE, KEEP_MICROSECONDS, SqliteNotices
from limen.platform.sql.scope import Scope
from limen.platform.sql.statements import Compiled, Statement
from limen.platform.sql.traced import TracedScope
from limen.platform.sql.types import micros
from limen.platform.sql.watchdog import WatchedScope, read_of
from limen.platform.sql.work import Reactions, Read, Reader, Work
from limen.platform.telemetry import TRACES

if TYPE_CHECKING:
    from limen.kernel.clock import Clock
    from limen.platform.crypto import Keyring

R = TypeVar("R")


class Sqlite(Database):
    """Embedded: reads take microseconds in the event loop, Works commit in groups (`group`)."""

    dialect: ClassVar[DialectName] = "sqlite"

    def __init__(  # noqa: PLR0913 -- what the composition root gives
        self,
        path: Path,
        *,
        keyring: Keyring,
        clock: Clock,
        reactions: Reactions,
        test_mode: bool = False,
        on_fatal: Callable[[str], None] | None = None,
        vfs: str | None = None,
    ) -> None:
        super().__init__(keyring=keyring, clock=clock, reactions=reactions, test_mode=test_mode, on_fatal=on_fatal)
        self.path = path
        self._vfs = vfs
        create_private(path)
        self.writer = Writer(connect(path, vfs=vfs), self.loop, self._failed, self.wake_followers, self.check_place)
        self._file = _identity(path)
        self.reading: Reading = Reading(self, self._connect_reader())
        self._spare: list[apsw.Connection] = []
        self.notices = SqliteNotices(self.reading.connection, self.caches, self.loop, self.wake_followers)

    def _connect_reader(self) -> apsw.Connection:
        connection = connect(self.path, vfs=self._vfs)
        connection.execute("PRAGMA query_only=ON").fetchall()
        return connection

    def work(self, tenant: TenantId, actor: Actor) -> AbstractAsyncContextManager[Work]:
        scope = TracedSqliteScope(self, tenant, actor) if TRACES.on and TRACES.recording else SqliteScope(self, tenant, actor)
        return WatchedScope(scope) if self.test_mode else scope

    def read(self, tenant: TenantId, *, snapshot: bool = False) -> AbstractAsyncContextManager[Read]:
        self.refuse_inside()
        if snapshot:
            return SnapshotScope(self, tenant)
        return read_of(self.reading, self.clock.now(), tenant, watched=self.test_mode)

    def read_beside(self, tenant: TenantId, now: datetime) -> AbstractAsyncContextManager[Read]:
        return read_of(self.reading, now, tenant, watched=self.test_mode)

    async def execute(self, sql: str) -> None:
        scope = SqliteScope(self, SERVER, SYSTEM)
        async with scope:
            await scope.execute(sql)

    def check_place(self) -> None:
        """Refuse to go on with a file that nobody will find again: what is written to it would be lost with this process."""
        if _identity(self.path) != self._file:
            happened = "was replaced by another file" if self.path.exists() else "was moved or deleted"
            raise DatabaseUnavailable(operator=f"{self.path} {happened} while it was served. Put it back, or restart the server on what is there")

    async def backup(self, target: Path) -> int:
        return await asyncio.to_thread(copy_sqlite, self.path, target)

    async def close(self) -> None:
        self.notices.stop()
        await self.writer.close()
        for connection in (self.reading.connection, *self._spare):
            connection.close()

    def take_reader(self) -> apsw.Connection:
        """Take a reading connection for one task alone."""
        return self._spare.pop() if self._spare else self._connect_reader()

    def give_reader(self, connection: apsw.Connection) -> None:
        self._spare.append(connection)

    def _failed(self, error: Exception) -> None:
        """Look at an error of the writing connection; a failed fsync ends the process."""
        if sync_failed(error):
            self.writer.closed = True
            self.on_fatal(
                f"limen: the disk failed to make {self.path} durable ({error}); what it holds is unknown, so this process ends. Check the disk first."
            )

    def failed_in_loop(self, error: Exception) -> None:
        self._failed(error)
        if self.writer.open and not self.writer.connection.in_transaction:
            self.writer.lost(error)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another of its name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class SqliteScope(Scope):
    """A Work on SQLite: it takes the writer at its first statement, if it has one."""

    db: Sqlite
    begun = False

    def __init__(self, db: Sqlite, tenant: TenantId, actor: Actor) -> None:
        self.db = db
        self.tenant = tenant
        self.actor = actor
        self.facts: list[Fact] = []

    async def all(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object]) -> list[R]:
        if self.puts:
            await self.run_puts()
        if not self.begun:
            await self._hold()
        many = statement.sqlite.many
        rows = self._ask(statement.sqlite, tenant, values)
        return many(rows) if many is not None else rows

    async def one(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object]) -> R | None:
        if self.puts:
            await self.run_puts()
        if not self.begun:
            await self._hold()
        many = statement.sqlite.many
        rows = self._ask(statement.sqlite, tenant, values)
        return (many(rows[:1]) if many is not None else rows)[0] if rows else None

    async def run(self, statement: Statement[Any], tenant: TenantId, values: Mapping[str, object]) -> int:
        if self.puts:
            await self.run_puts()
        if not self.begun:
            await self._hold()
        self._ask(statement.sqlite, tenant, values)
        return self.db.writer.connection.changes()

    def _ask(self, compiled: Compiled[R], tenant: TenantId, values: Mapping[str, object]) -> list[Any]:
        if self.failure is not None:
            raise CommitFailed(operator="a statement after one that failed") from self.failure
        bound: Any = compiled.binds(tenant, values)
        try:
            return self.db.writer.run(compiled.sql, bound).fetchall()
        except apsw.Error as error:
            raise self._fails(error) from error

    async def execute(self, sql: str) -> None:
        """Run statements of the schema."""
        if not self.begun:
            await self._hold()
        try:
            self.db.writer.connection.execute(sql).fetchall()
        except apsw.Error as error:
            raise self._fails(error) from error

    def commit(self) -> Awaitable[None]:
        if self.begun or self.changes:
            return self._commit()
        return self.db.writer.append(Waiting(self.db.loop.create_future(), self._writes(), self._rows(), self.committed if self.after else None))

    async def _commit(self) -> None:
        if not self.begun:
            await self._hold()
        writer = self.db.writer
        member = None
        try:
            self._write_rest()
            member = Member(self.db.loop.create_future(), self.committed if self.changes or self.after else None)
        except apsw.Error as error:
            raise self._fails(error) from error
        finally:
            if member is None:
                self._roll_back()
            writer.release(member)
        await member.future

    def _write_rest(self) -> None:
        if self.failure is not None:
            raise CommitFailed(operator="a statement failed and its error was swallowed") from self.failure
        run = self.db.writer.run
        for sql, words, claims in self._writes():
            run(sql, words)
            if claims and self.db.writer.connection.changes() == 0:
                raise Outrun
        if self.facts:
            for row in self._rows():
                run(INSERT_FACT, row)
        if self.changes:
            at = micros(self.now)
            for change in self.changes:
                run(INSERT_CHANGE_SQLITE, (at, *change))
            run(FORGET_CHANGES_SQLITE, (at - KEEP_MICROSECONDS,))  # last: an emptied table would number from 1 again
        run("RELEASE w", ())

    async def undo(self) -> None:
        if self.begun:
            self._roll_back()
            self.db.writer.release(None)

    def _writes(self) -> Sequence[Write]:
        return [Write(put.statement.sqlite.sql, put.statement.sqlite.binds(self.tenant, put.values), put.claims) for put in self.puts]

    def _rows(self) -> list[Any]:
        return fact_rows(self.facts, self.tenant, micros(self.now), self.actor.label)

    async def _hold(self) -> None:
        writer = self.db.writer
        await writer.hold()
        try:
            writer.run("SAVEPOINT w", ())
        except apsw.Error as error:
            failure = self._fails(error)
            writer.release(None)
            raise failure from error
        self.begun = True

    def _fails(self, error: Exception) -> Exception:
        """Note that a statement failed: the Work cannot commit any more, as on PostgreSQL."""
        self.failure = error
        self.db.failed_in_loop(error)
        return translated(error)

    def _roll_back(self) -> None:
        writer = self.db.writer
        if not (writer.open and writer.connection.in_transaction):
            return  # the transaction ended by itself
        try:
            writer.run("ROLLBACK TO w", ())
            writer.run("RELEASE w", ())
        except apsw.Error as error:
            self._fails(error)


class TracedSqliteScope(TracedScope, SqliteScope):
    """A Work of which a trace is recorded."""

    def _ask(self, compiled: Compiled[R], tenant: TenantId, values: Mapping[str, object]) -> list[Any]:
        self.statements += 1
        return super()._ask(compiled, tenant, values)


class Reading:
    """Statements on a connection that only reads: what it sees is committed, and durable."""

    __slots__ = ("_run", "begun", "connection", "db")

    changes = ()

    def __init__(self, db: Sqlite, connection: apsw.Connection, *, begun: bool = False) -> None:
        self.db = db
        self.connection = connection
        self.begun = begun
        self._run: Callable[[str, Bind], apsw.Cursor] = connection.cursor().execute

    async def all(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object]) -> list[R]:
        many = statement.sqlite.many
        rows = self._ask(statement.sqlite, tenant, values)
        return many(rows) if many is not None else rows

    async def one(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object]) -> R | None:
        many = statement.sqlite.many
        rows = self._ask(statement.sqlite, tenant, values)
        return (many(rows[:1]) if many is not None else rows)[0] if rows else None

    def _ask(self, compiled: Compiled[R], tenant: TenantId, values: Mapping[str, object]) -> list[Any]:
        bound: Any = compiled.binds(tenant, values)
        try:
            return self._run(compiled.sql, bound).fetchall()
        except apsw.Error as error:
            raise translated(error) from error

    def beside(self, reader: Reader) -> AbstractAsyncContextManager[Reader]:
        return nullcontext(reader)


class SnapshotScope:
    """The block of a Read whose statements agree; it has a connection of its own."""

    __slots__ = ("_connection", "_db", "_task", "_tenant")

    def __init__(self, db: Sqlite, tenant: TenantId) -> None:
        self._db = db
        self._tenant = tenant

    async def __aenter__(self) -> Read:
        db = self._db
        self._task = db.enter()
        try:
            self._connection = db.take_reader()
            self._connection.execute("BEGIN").fetchall()
        except BaseException:
            db.inside.discard(self._task)
            raise
        return read_of(Reading(db, self._connection, begun=True), db.clock.now(), self._tenant, watched=db.test_mode)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._db.inside.discard(self._task)
        self._connection.execute("COMMIT").fetchall()
        self._db.give_reader(self._connection)
