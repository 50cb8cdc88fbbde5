"""Opens a database by its address."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from limen.kernel.errors import Kind, LimenError
from limen.platform.sql.database import Database
from limen.platform.sql.dialects import DialectName
from limen.platform.sql.errors import DatabaseMissing, DatabaseServed
from limen.platform.sql.work import Reactions

if TYPE_CHECKING:
    from limen.kernel.clock import Clock
    from limen.platform.crypto import Keyring


class BadAddress(LimenError):
    """The database address is of no form that is known."""

    kind = Kind.INVALID
    code = "bad_database_url"


def dialect_of(url: str) -> DialectName:
    """Return the dialect of an address; BadAddress if it is none of ours."""
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        return "sqlite"
    if scheme in ("postgresql", "postgres"):
        return "postgresql"
    raise BadAddress(operator=f"database.url: {scheme or url!r} is not known; use sqlite:///var/limen.db or postgresql://user@host/limen")


def sqlite_path(url: str) -> Path:
    """Return the file of `sqlite:///relative/path` or `sqlite:////absolute/path`."""
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc or path in ("", "/"):
        raise BadAddress(operator=f"database.url: {url!r} names no file; use sqlite:///var/limen.db, or four slashes for an absolute path")
    return Path(path[1:])


def refuse_missing(url: str) -> None:
    """Return if there may be a database at `url`; DatabaseMissing where it is a file that is not there."""
    if dialect_of(url) == "sqlite" and not (path := sqlite_path(url)).exists():
        raise DatabaseMissing(operator=f"there is no database {path}: `limen init` makes one, or correct [database] url")


@contextmanager
def served_alone(url: str) -> Iterator[None]:
    """Be the one server of a SQLite file for the length of the block (commands may join in); DatabaseServed where another one is. PostgreSQL takes many."""
    if dialect_of(url) == "postgresql":
        yield
        return
    path = sqlite_path(url)
    refuse_missing(url)
    handle = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "r+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # gone with the process, however it ends
        except BlockingIOError:
            other = f"the process {lock.read(20).strip() or 'of another server'}"
            raise DatabaseServed(operator=f"{path} is served by {other} already, and SQLite has room for one. End that, or use PostgreSQL") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


async def open_database(
    url: str,
    keyring: Keyring,
    clock: Clock,
    reactions: Reactions | None = None,
    *,
    test_mode: bool = False,
    on_fatal: Callable[[str], None] | None = None,
) -> Database:
    """Open the database at `url`, in the running event loop; DatabaseUnavailable if it does not answer.

    `on_fatal` is called with one line for the operator when the disk failed to make data durable; by default it ends the process.
    """
    if dialect_of(url) == "sqlite":
        from limen.platform.sql.sqlite import Sqlite  # noqa: PLC0415 -- only the driver in use is imported

        return Sqlite(sqlite_path(url), keyring=keyring, clock=clock, reactions=reactions or {}, test_mode=test_mode, on_fatal=on_fatal)
    from limen.platform.sql.postgres import Postgres  # noqa: PLC0415 -- likewise

    database = Postgres(url, keyring=keyring, clock=clock, reactions=reactions or {}, test_mode=test_mode, on_fatal=on_fatal)
    await database.start()
    return database
