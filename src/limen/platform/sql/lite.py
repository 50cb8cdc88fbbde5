"""SQLite by apsw: how a connection is opened, and what its errors mean."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import apsw

from limen.kernel.errors import LimenError
from limen.platform.sql.errors import (
    BadValue,
    CommitFailed,
    Conflict,
    ConstraintFailed,
    Contended,
    DatabaseFull,
    DatabaseUnavailable,
    SchemaOutdated,
    StatementFailed,
)

Bind: TypeAlias = "Sequence[apsw.SQLiteValue] | Mapping[str, apsw.SQLiteValue]"

BUSY_MILLISECONDS: Final = 10_000
"""How long the commit thread waits for another process to let go of the file."""

INSERT_FACT: Final = "INSERT INTO facts (tenant, at, name, subject, actor, data, private) VALUES (?, ?, ?, ?, ?, ?, ?)"

_CACHE_KIB: Final = 32 * 1024
_WAL_BYTES: Final = 64 * 1024 * 1024
_STATEMENTS: Final = 1000
_UNIQUE: Final = frozenset({apsw.SQLITE_CONSTRAINT_UNIQUE, apsw.SQLITE_CONSTRAINT_PRIMARYKEY, apsw.SQLITE_CONSTRAINT_ROWID})
_FSYNC: Final = frozenset({apsw.SQLITE_IOERR_FSYNC, apsw.SQLITE_IOERR_DIR_FSYNC})


def create_private(path: Path) -> None:
    """Make the file readable by its owner only; SQLite gives the WAL the same mode. DatabaseUnavailable where that may not be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseUnavailable(operator=f"{path} cannot be opened for writing: {error.strerror}") from None
    try:
        if os.fstat(descriptor).st_mode & 0o077:
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def connect(path: Path, *, vfs: str | None = None) -> apsw.Connection:
    """Open a connection that waits for nobody."""
    try:
        connection = apsw.Connection(str(path), statementcachesize=_STATEMENTS, vfs=vfs)
        connection.set_busy_timeout(BUSY_MILLISECONDS)  # changing to WAL may meet another process
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "secure_delete=ON",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "trusted_schema=OFF",
            f"cache_size=-{_CACHE_KIB}",
            f"journal_size_limit={_WAL_BYTES}",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)  # else statements are planned anew for every value bound: their text is parsed each time
    except apsw.Error as error:
        raise DatabaseUnavailable(operator=f"{path}: {error}") from error
    connection.set_busy_timeout(0)
    return connection


def sync_failed(error: BaseException) -> bool:
    """Return whether an fsync failed: nobody knows then what the disk holds."""
    return isinstance(error, apsw.Error) and getattr(error, "extendedresult", 0) in _FSYNC


def translated(error: Exception) -> LimenError:
    """Return the error that means the same on both databases."""
    if isinstance(error, LimenError):
        return error
    if isinstance(error, apsw.ConstraintError):
        kind = Conflict if getattr(error, "extendedresult", 0) in _UNIQUE else ConstraintFailed
        return kind(operator=str(error))
    if isinstance(error, apsw.FullError):
        return DatabaseFull(str(error))
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return Contended(operator=f"another process holds the database: {error}")
    if isinstance(error, (apsw.IOError, apsw.CantOpenError, apsw.NoMemError, apsw.ReadOnlyError, apsw.CorruptError, apsw.NotADBError)):
        return DatabaseUnavailable(operator=f"{type(error).__name__}: {error}")
    if isinstance(error, (apsw.MismatchError, apsw.TooBigError, UnicodeEncodeError, OverflowError)):
        return BadValue(operator=str(error))
    if isinstance(error, apsw.SQLError):
        lacking = str(error).startswith(("no such table", "no such column")) or " has no column named " in str(error)
        return SchemaOutdated(operator=f"{error}: run `limen upgrade`") if lacking else StatementFailed(operator=str(error))
    return CommitFailed(operator=f"{type(error).__name__}: {error}")
