"""The database on a PostgreSQL server, shared by any number of processes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from limen.kernel.errors import LimenError
from limen.kernel.facts import SYSTEM, Actor
from limen.kernel.ids import SERVER, TenantId
from limen.platform.sql.coalesce import GroupWriter, Waiting, together, write
from limen.platform.sql.database import Database
from limen.platform.sql.dialects import DialectName
from limen.platform.sql.dump import dump
from limen.platform.sql.errors import CommitFailed, Contended, DatabaseUnavailable, SchemaOutdated
from limen.platform.sql.facts import fact_rows
from limen.platform.sql.listening import FORGET_CHANGES_POSTGRESQL, INSERT_CHANGES_POSTGRESQL, PostgresNotices
from limen.platform.sql.notices import KEEP
from limen.platform.sql.pool import Link, Pool, translated
from limen.platform.sql.positions import Sequencer
from limen.platform.sql.scope import Scope
from limen.platform.sql.sharing import SharedReads
from limen.platform.sql.statements import Statement
from limen.platform.sql.traced import TracedScope
from limen.platform.sql.watchdog import WatchedScope, read_of
from limen.platform.sql.work import Reactions, Read, Reader, Work
from limen.platform.telemetry import TRACES

if TYPE_CHECKING:
    from limen.kernel.clock import Clock
    from limen.platform.crypto import Keyring

R = TypeVar("R")
T = TypeVar("T")

_COMMITTED: Final = "COMMIT"


class Postgres(Database):
    """To scale out: a pool of connections, BEGIN at a Work's first statement, facts of concurrent requests in one INSERT."""

    dialect: ClassVar[DialectName] = "postgresql"

    def __init__(
        self, url: str, *, keyring: Keyring, clock: Clock, reactions: Reactions, test_mode: bool = False, on_fatal: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(keyring=keyring, clock=clock, reactions=reactions, test_mode=test_mode, on_fatal=on_fatal)
        self._url = url
        self.pool = Pool(url)
        self.sequencer = Sequencer(self.pool, self.loop)
        self.reads = SharedReads(self.pool, self.loop)
        self.reading = Reading(self)
        self.writer = GroupWriter(self.pool, self.loop, self.sequencer.wake)
        self.notices = PostgresNotices(url, self.pool, self.caches, self.wake_followers)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect once, so that a wrong address is known at the start, and begin to listen and to number facts."""
        self.pool.give(await self.pool.take())
        with contextlib.suppress(SchemaOutdated):  # whoever serves checks it
            await self.notices.look()
        self._tasks = [self.loop.create_task(each) for each in (self.notices.serve(), self.sequencer.serve())]

    def work(self, tenant: TenantId, actor: Actor) -> AbstractAsyncContextManager[Work]:
        scope = TracedPostgresScope(self, tenant, actor) if TRACES.on and TRACES.recording else PostgresScope(self, tenant, actor)
        return WatchedScope(scope) if self.test_mode else scope

    def read(self, tenant: TenantId, *, snapshot: bool = False) -> AbstractAsyncContextManager[Read]:
        self.refuse_inside()
        if snapshot:
            return SnapshotScope(self, tenant)
        return self.read_beside(tenant, self.clock.now())

    def read_beside(self, tenant: TenantId, now: datetime) -> AbstractAsyncContextManager[Read]:
        return read_of(self.reading, now, tenant, watched=self.test_mode)

    async def execute(self, sql: str) -> None:
        scope = PostgresScope(self, SERVER, SYSTEM)
        async with scope:
            await scope.ask(lambda con: con.execute(sql))

    def check_place(self) -> None:
        """PostgreSQL says so itself."""

    async def backup(self, target: Path) -> int:
        return await dump(self._url, target)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self.writer.close()
        await self.pool.close()


class PostgresScope(Scope):
    """A Work on PostgreSQL: it takes a connection and begins a transaction at its first statement, if it has one."""

    db: Postgres
    _link: Link | None = None

    def __init__(self, db: Postgres, tenant: TenantId, actor: Actor) -> None:
        super().__init__(tenant, actor)
        self.db = db

    @property
    def begun(self) -> bool:
        return self._link is not None

    async def all(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object]) -> list[R]:
        if self.puts:
            await self.run_puts()
        compiled = statement.postgresql
        bound = compiled.binds(tenant, values)
        rows: list[Any] = await self.ask(lambda con: con.fetch(compiled.sql, *bound))
        return compiled.many(rows) if compiled.many is not None else rows

    async def one(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object]) -> R | None:
        rows = await self.all(statement, tenant, values)
        return rows[0] if rows else None

    async def run(self, statement: Statement[Any], tenant: TenantId, values: Mapping[str, object]) -> int:
        if self.puts:
            await self.run_puts()
        compiled = statement.postgresql
        bound = compiled.binds(tenant, values)
        status = await self.ask(lambda con: con.execute(compiled.sql, *bound))
        return int(status.rpartition(" ")[2])

    async def ask(self, question: Callable[[Any], Awaitable[T]]) -> T:
        """Ask something of the raw connection, in this Work's transaction."""
        link = self._link or await self._begin()
        self._refuse_failed()
        try:
            return await question(link.con)
        except BaseException as error:
            self.failure = error
            if isinstance(error, Exception):
                raise translated(error) from error
            raise

    def _refuse_failed(self) -> None:
        """PostgreSQL answers COMMIT with ROLLBACK after a failed statement, and asyncpg takes that for success."""
        if self.failure is not None:
            raise CommitFailed(operator="a statement of this Work failed, and its error was swallowed") from self.failure

    async def _begin(self) -> Link:
        pool = self.db.pool
        for last in (False, True):
            link = await pool.take()
            try:
                await link.con.execute("BEGIN")
            except Exception as error:
                pool.give_dirty(link)
                failure = translated(error)
                if last or not isinstance(failure, DatabaseUnavailable):
                    raise failure from error
                pool.distrust()  # it may have died while it was idle: nothing was done yet, so another is tried
            except BaseException:
                pool.give_dirty(link)
                raise
            else:
                self._link = link
                return link
        raise AssertionError("not reached")

    def commit(self) -> Awaitable[None]:
        text = None if self.begun or self.changes else together(self.puts, facts=bool(self.facts))
        if text is None:
            return self._commit()
        return self.db.writer.append(text, Waiting(self.db.loop.create_future(), self._rows(), self._words(), self.committed if self.after else None))

    async def _commit(self) -> None:
        link = self._link or await self._begin()
        try:
            self._refuse_failed()
            await self._write_rest(link)
            status = await link.con.execute("COMMIT")
        except BaseException as error:
            await self.undo()
            if isinstance(error, Exception):
                raise translated(error) from error
            raise
        self._link = None
        self.db.pool.give(link)
        if status != _COMMITTED:
            raise CommitFailed(operator=f"PostgreSQL answered {status} to COMMIT")
        if self.facts:
            self.db.sequencer.wake()
        self.committed()

    async def _write_rest(self, link: Link) -> None:
        text = together(self.puts, facts=bool(self.facts))
        if text is None:
            await self.run_puts()
            text = together((), facts=bool(self.facts))
        if text:
            await write(link, text, self._rows(), self._words())
        if self.changes:
            await link.con.execute(FORGET_CHANGES_POSTGRESQL, self.now - KEEP)
            await link.con.fetch(INSERT_CHANGES_POSTGRESQL, self.now, *(list(column) for column in zip(*self.changes, strict=True)))

    async def undo(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await asyncio.shield(self.db.pool.give_dirty(link))

    def _words(self) -> list[object]:
        return [word for put in self.puts for word in put.statement.postgresql.binds(self.tenant, put.values)]

    def _rows(self) -> list[Any]:
        return fact_rows(self.facts, self.tenant, self.now, self.actor.label)


class TracedPostgresScope(TracedScope, PostgresScope):
    """A Work of which a trace is recorded."""

    async def ask(self, question: Callable[[Any], Awaitable[T]]) -> T:
        self.statements += 1
        return await super().ask(question)


class Reading:
    """Statements outside any transaction: each takes a connection for itself and gives it back."""

    __slots__ = ("db",)

    begun = False
    changes = ()

    def __init__(self, db: Postgres) -> None:
        self.db = db

    async def all(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object]) -> list[R]:
        compiled = statement.postgresql
        rows = await self._rows(compiled.sql, compiled.binds(tenant, values))
        return compiled.many(rows) if compiled.many is not None else rows

    async def one(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object]) -> R | None:
        compiled = statement.postgresql
        bound = compiled.binds(tenant, values)
        rows = await self.db.reads.ask(compiled.sql, bound, lambda: self._rows(compiled.sql, bound))
        return (compiled.many(rows[:1]) if compiled.many is not None else rows)[0] if rows else None

    async def _rows(self, sql: str, bound: tuple[object, ...]) -> list[Any]:
        pool = self.db.pool
        rows: list[Any]
        for last in (False, True):
            link = await pool.take()
            try:
                rows = await link.con.fetch(sql, *bound)
            except Exception as error:
                pool.give_dirty(link)
                failure = translated(error)
                if last or not isinstance(failure, DatabaseUnavailable) or isinstance(failure, Contended):
                    raise failure from error
                pool.distrust()
            except BaseException:
                pool.give_dirty(link)
                raise
            else:
                pool.give(link)
                return rows
        raise AssertionError("not reached")

    def beside(self, reader: Reader) -> AbstractAsyncContextManager[Reader]:
        return nullcontext(reader)


class SnapshotReading(Reading):
    """Statements in one read-only transaction: all see the database as of the first."""

    __slots__ = ("_link", "clean")

    begun = True

    def __init__(self, db: Postgres, link: Link) -> None:
        super().__init__(db)
        self._link = link
        self.clean = True

    async def all(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object]) -> list[R]:
        compiled = statement.postgresql
        try:
            rows: list[Any] = await self._link.con.fetch(compiled.sql, *compiled.binds(tenant, values))
        except BaseException as error:
            self.clean = False
            if isinstance(error, Exception):
                raise translated(error) from error
            raise
        return compiled.many(rows) if compiled.many is not None else rows

    async def one(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object]) -> R | None:
        rows = await self.all(statement, tenant, values)
        return rows[0] if rows else None


class SnapshotScope:
    """The block of a Read whose statements agree; it holds a connection as long as it lasts."""

    __slots__ = ("_db", "_link", "_task", "_tenant")

    def __init__(self, db: Postgres, tenant: TenantId) -> None:
        self._db = db
        self._tenant = tenant

    async def __aenter__(self) -> Read:
        db = self._db
        self._task = db.enter()
        try:
            self._link = await db.pool.take()
            try:
                await self._link.con.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            except BaseException:
                db.pool.give_dirty(self._link)
                raise
        except BaseException as error:
            db.inside.discard(self._task)
            if isinstance(error, Exception) and not isinstance(error, LimenError):
                raise translated(error) from error
            raise
        return read_of(SnapshotReading(db, self._link), db.clock.now(), self._tenant, watched=db.test_mode)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._db.inside.discard(self._task)
        await asyncio.shield(self._db.pool.give_dirty(self._link))
