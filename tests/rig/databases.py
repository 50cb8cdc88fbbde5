"""Empty databases for tests: made once with every table declared, then copied per test."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Final

import apsw
import asyncpg

from limen.platform.sql import definitions
from tests.rig.postgres import Cluster

_TEMPLATE: Final = "limen_template"
_NUMBERS: Final = itertools.count(1)
_READY: Final[set[str]] = set()


@cache
def _sqlite_template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="limen-template-")) / "template.db"
    connection = apsw.Connection(str(path))
    for sql in definitions("sqlite"):
        connection.execute(sql)
    connection.close()
    return path


async def sqlite_copy(path: Path) -> str:
    """Put an empty database at `path`; return its address."""
    shutil.copyfile(_sqlite_template(), path)
    return f"sqlite:///{path}"


async def _make_template(server: Cluster, admin: asyncpg.Connection) -> None:
    await admin.execute(f"CREATE DATABASE {_TEMPLATE}")
    connection = await asyncpg.connect(server.url(_TEMPLATE))
    try:
        for sql in definitions("postgresql"):
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
