"""The one runner of migrations. Alembic writes the statements, the drivers of the house run them, all in one transaction, under a lock.

A migration is turned into SQL before anything is touched, so a dry run shows exactly what would be done, and a migration cannot depend
on what it finds: moving rows about is work for a job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import apsw
import asyncpg
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from limen.platform.sql.dialects import DIALECTS
from limen.platform.sql.errors import CommitFailed
from limen.platform.sql.lite import connect as connect_sqlite
from limen.platform.sql.lite import create_private
from limen.platform.sql.lite import translated as translated_sqlite
from limen.platform.sql.opening import dialect_of, sqlite_path
from limen.platform.sql.pool import connect, translated
from limen.platform.sql.schema import MAKE_VERSIONS, READ_VERSIONS, SET_VERSION, Branch, Step, branches

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_LOCK: Final = 0x4C4D_4E02
_WAIT_SECONDS: Final = 60
_TABLE_WAIT: Final = "5s"
"""An ALTER TABLE that waits makes everybody behind it wait: better to fail and be run again."""


class _Target(Protocol):
    """A locked database in a transaction of its own, of which nothing stays without `commit`."""

    async def versions(self) -> Mapping[str, int]: ...
    async def run(self, sql: str) -> None: ...
    async def commit(self) -> None: ...


class _Sink:
    """Collects what Alembic would send."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def write(self, text: str) -> None:
        if sql := text.strip().rstrip(";"):
            self.statements.append(sql)

    def flush(self) -> None:
        return


def _ordered(found: tuple[Branch, ...]) -> list[tuple[Branch, int, Any]]:
    """Return all migrations with their modules, each behind those that it depends on."""
    if not found:
        return []
    by_folder = {str(branch.folder): branch for branch in found}
    directory = ScriptDirectory(str(found[0].folder), version_locations=list(by_folder))
    ordered = []
    for script in reversed(list(directory.walk_revisions())):
        path = Path(script.path)
        branch = by_folder[str(path.parent)]
        number = int(path.name[:4])
        if script.revision != f"{branch.name}_{number:04}":
            raise ValueError(f"{path}: revision is {script.revision!r}, not '{branch.name}_{number:04}'")
        ordered.append((branch, number, script.module))
    return ordered


def _written(branch: Branch, number: int, module: Any, dialect: str) -> Step:  # noqa: ANN401 -- a migration's module
    sink = _Sink()
    context = MigrationContext.configure(dialect=DIALECTS[dialect], opts={"as_sql": True, "output_buffer": sink})
    with Operations.context(context):
        module.upgrade()
    title = (module.__doc__ or "").strip().partition("\n")[0]
    return Step(branch.name, number, title, tuple(sink.statements))


@asynccontextmanager
async def _sqlite(url: str) -> AsyncIterator[_Target]:
    path = sqlite_path(url)
    create_private(path)
    connection = connect_sqlite(path)
    connection.set_busy_timeout(_WAIT_SECONDS * 1000)

    class Target:
        async def versions(self) -> Mapping[str, int]:
            connection.execute(MAKE_VERSIONS)
            return {str(branch): int(number) for branch, number in connection.execute(READ_VERSIONS)}

        async def run(self, sql: str) -> None:
            connection.execute(sql).fetchall()

        async def commit(self) -> None:
            connection.execute("COMMIT")

    try:
        connection.execute("BEGIN IMMEDIATE")  # the lock: nobody else writes
        yield Target()
    except apsw.Error as error:
        raise translated_sqlite(error) from error
    finally:
        connection.close()


@asynccontextmanager
async def _postgresql(url: str) -> AsyncIterator[_Target]:
    connection = await connect(url, lock_timeout=f"{_WAIT_SECONDS}s", statement_timeout="0", idle_in_transaction_session_timeout="0")

    class Target:
        async def versions(self) -> Mapping[str, int]:
            await connection.execute(MAKE_VERSIONS)
            return dict(tuple(row) for row in await connection.fetch(READ_VERSIONS))

        async def run(self, sql: str) -> None:
            await connection.execute(sql, timeout=None)

        async def commit(self) -> None:
            if (status := await connection.execute("COMMIT")) != "COMMIT":
                raise CommitFailed(operator=f"PostgreSQL answered {status} to COMMIT")

    try:
        await connection.execute("BEGIN")
        await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})", timeout=_WAIT_SECONDS + 5)
        await connection.execute(f"SET LOCAL lock_timeout = '{_TABLE_WAIT}'")
        yield Target()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise translated(error) from error
    finally:
        connection.terminate()


_TARGETS: Final[Mapping[str, Callable[[str], AbstractAsyncContextManager[_Target]]]] = {"sqlite": _sqlite, "postgresql": _postgresql}


async def run(url: str, *, dry_run: bool, roots: Iterable[Path]) -> tuple[Step, ...]:
    """Do what `upgrade` promises."""
    dialect = dialect_of(url)
    ordered = await asyncio.to_thread(_ordered, branches(roots))
    async with _TARGETS[dialect](url) as target:
        have = await target.versions()
        steps = tuple(_written(branch, number, module, dialect) for branch, number, module in ordered if number > have.get(branch.name, 0))
        if not dry_run:
            for step in steps:
                for sql in step.statements:
                    await target.run(sql)
                await target.run(SET_VERSION.format(step.branch, step.number))
            await target.commit()
    return steps
