"""Empty databases for tests: made once with every table declared, then copied per test."""

from __future__ import annotations

import itertools
import os
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
_READY: Final[set[str]] = set()


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


@asynccontextmanager
async def postgres_copy(server: Cluster) -> AsyncIterator[str]:
    """Make an empty database on the server, and drop it afterwards; gives its address."""
    admin = await asyncpg.connect(server.url())
    name = f"limen_{os.getpid()}_{next(_NUMBERS)}"
    try:
        if server.url() not in _READY:
            await _make_template(server, admin)
            _READY.add(server.url())
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        try:
            yield server.url(name)
        finally:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()
