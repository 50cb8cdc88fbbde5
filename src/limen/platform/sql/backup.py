"""A consistent copy of a SQLite database, made while it serves."""

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
        if isinstance(error, apsw.Error):
            raise translated(error) from error
        raise BackupRefused(operator=f"{target}: {error}") from error
    finally:
        connection.close()
    return target.stat().st_size


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
