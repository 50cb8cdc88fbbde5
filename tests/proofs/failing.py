"""`limen` on a disk that fails as a file beside it says, `fsync`, `full` or `readonly`: run in place of `python -m limen`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import apsw

from limen.app.cli import main
from limen.platform.sql import lite, sqlite

MOOD: Final = "PROOF_DISK"
"""The variable that names the file."""
NAME: Final = "failing"


def _failure(kind: type[apsw.Error], code: int) -> apsw.Error:
    error = kind("the rig's disk says no")
    vars(error)["extendedresult"] = code
    return error


def _mood() -> str:
    try:
        return Path(os.environ[MOOD]).read_text()
    except FileNotFoundError:
        return ""


class _File(apsw.VFSFile):
    def __init__(self, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("", name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        if _mood() == "fsync":
            raise _failure(apsw.IOError, apsw.SQLITE_IOERR_FSYNC)
        super().xSync(flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        if _mood() == "full":
            raise _failure(apsw.FullError, apsw.SQLITE_FULL)
        if _mood() == "readonly":
            raise _failure(apsw.ReadOnlyError, apsw.SQLITE_READONLY)
        super().xWrite(data, offset)


class _Disk(apsw.VFS):
    def __init__(self) -> None:
        super().__init__(NAME, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _File:  # noqa: N802 - SQLite's name
        return _File(name, flags)


def run() -> None:
    """Serve on that disk."""
    disk = _Disk()

    def connect(path: Path, *, vfs: str | None = None) -> apsw.Connection:
        return lite.connect(path, vfs=vfs or NAME)

    vars(sqlite)["connect"] = connect
    main()
    disk.unregister()


if __name__ == "__main__":
    run()
