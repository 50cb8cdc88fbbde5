"""Empty databases for tests: made once with every table declared, then copied per test."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import apsw
import asyncpg

from limen.platform.sql import definitions_by_table, upgrade
from tests.rig.postgres import Cluster

_TEMPLATE: Final = "limen_template"
_NUMBERS: Final = itertools.count(1)
_EMPTY: Final[dict[int, list[str]]] = {}


_SQLITE: Final[list[Path]] = []


def _tables_of_tests(dialect: str, have: set[str]) -> list[str]:
    """Return the statements for tables that a test declares for itself: those are in no migration."""
    return [sql for name, made in definitions_by_table(dialect).items() if name not in have for sql in made]


async def _sqlite_template() -> Path:
    if not _SQLITE:
        path = Path(tempfile.mkdtemp(prefix="limen-template-")) / "template.db"
        await upgrade(f"sqlite:///{path}")
        connection = apsw.Connection(str(path))
        have = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for sql in _tables_of_tests("sqlite", have):
            connection.execute(sql)
        connection.close()
        _SQLITE.append(path)
    return _SQLITE[0]


async def sqlite_copy(path: Path) -> str:
    """Put an empty database at `path`; return its address."""
    shutil.copyfile(await _sqlite_template(), path)
    return f"sqlite:///{path}"


async def _make_template(server: Cluster, admin: asyncpg.Connection) -> None:
    await admin.execute(f"CREATE DATABASE {_TEMPLATE}")
    await upgrade(server.url(_TEMPLATE))
    connection = await asyncpg.connect(server.url(_TEMPLATE))
    try:
        have = {str(row[0]) for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
        for sql in _tables_of_tests("postgresql", have):
            await connection.execute(sql)
    finally:
        await connection.close()


_RESET: Final = """
DO $$
DECLARE t record;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET LOCAL session_replication_role = replica;
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_versions' LOOP
        EXECUTE format('DELETE FROM %I', t.tablename);
    END LOOP;
    FOR t IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', t.sequencename);
    END LOOP;
END $$
"""
"""Making a database takes a second, emptying one a few milliseconds."""


@asynccontextmanager
async def postgres_copy(server: Cluster) -> AsyncIterator[str]:
    """Lend an empty database of the server whose tables are those of the template; gives its address."""
    name = _EMPTY[server.port].pop() if _EMPTY.get(server.port) else await _postgres_made(server)
    yield server.url(name)
    connection = await asyncpg.connect(server.url(name))
    try:
        await connection.execute(_RESET)
    finally:
        await connection.close()
    _EMPTY[server.port].append(name)


async def _postgres_made(server: Cluster) -> str:
    admin = await asyncpg.connect(server.url())
    try:
        if server.port not in _EMPTY:
            await _make_template(server, admin)
            _EMPTY[server.port] = []
        name = f"limen_{next(_NUMBERS)}"
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    finally:
        await admin.close()
    return name


@asynccontextmanager
async def postgres_bare(server: Cluster) -> AsyncIterator[str]:
    """Make a database without any table, for tests that change the schema, and drop it afterwards; gives its address."""
    admin = await asyncpg.connect(server.url())
    name = f"bare_{next(_NUMBERS)}"
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        try:
            yield server.url(name)
        finally:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()
