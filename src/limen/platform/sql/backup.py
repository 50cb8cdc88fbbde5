"""A consistent copy of a SQLite database, made while it serves; and putting one in its place."""

from __future__ import annotations

import os
from pathlib import Path

import apsw

from limen.kernel.errors import Kind, LimenError
from limen.platform.sql.lite import connect, create_private, translated


class BackupRefused(LimenError):
    """A backup cannot be made there, or not this way."""

    kind = Kind.INVALID
    code = "backup_refused"


def copy_sqlite(source: Path, target: Path) -> int:
    """Write the database as of now to `target`, readable by its owner only; return its size in octets. Blocks: call it in a thread.

    One read transaction on a connection of its own: writers go on meanwhile, what was deleted is not in the copy, and the copy has its
    name only once it is complete and on the disk. BackupRefused if `target` exists; the same errors as a Work if a disk is full.
    """
    if target.exists():
        raise BackupRefused(operator=f"{target} exists; a backup overwrites nothing")
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    create_private(part)
    connection = connect(source)
    try:
        connection.execute("VACUUM INTO ?", (str(part),)).fetchall()
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.rename(target)
        _sync_folder(target.parent)
    except (apsw.Error, OSError) as error:
        part.unlink(missing_ok=True)
        if isinstance(error, apsw.FullError):
            raise BackupRefused(operator=f"there is no room for {target}: the disk is full") from error
        if isinstance(error, apsw.IOError):
            raise BackupRefused(operator=f"{target} cannot be written, or {source} cannot be read: {error}") from error
        if isinstance(error, apsw.Error):
            raise translated(error) from error
        raise BackupRefused(operator=f"{target} cannot be written: {error.strerror}") from error
    finally:
        connection.close()
    return target.stat().st_size


def holds_facts(path: Path) -> bool:
    """Whether anything ever happened in the database at `path`; True where that cannot be read, since it may have."""
    if not path.exists() or not path.stat().st_size:
        return False
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'facts'").fetchall():
                return False
            return bool(connection.execute("SELECT 1 FROM facts LIMIT 1").fetchall())
        finally:
            connection.close()
    except apsw.Error:
        return True


def is_whole(path: Path) -> bool:
    """Whether every page of the database at `path` is as it should be."""
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            return connection.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)]
        finally:
            connection.close()
    except apsw.Error:
        return False


def set_aside(path: Path, name: str) -> Path:
    """Give the database at `path` another name in its folder, and return that. BackupRefused while somebody has it open."""
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.execute("PRAGMA journal_mode=DELETE").fetchall()  # nobody else may have it open for that; it also ends the WAL
        finally:
            connection.close()
    except (apsw.BusyError, apsw.LockedError):
        raise BackupRefused(operator=f"{path} is in use: end the server first") from None
    except apsw.Error:
        pass  # damaged: it is put aside as it is
    aside = path.with_name(name)
    for suffix in ("", "-wal", "-shm"):
        if (part := path.with_name(path.name + suffix)).exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def put_in_place(copy: Path, path: Path) -> None:
    """Give a finished copy, which nobody has open, the database's own name."""
    connection = connect(copy)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()
    with copy.open("rb+") as written:
        os.fsync(written.fileno())
    copy.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
