"""Connections to PostgreSQL: last in, first out, no reset round trip, bounded, and back by themselves when the database returns."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

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

DEFAULT_SIZE: Final = 16
TAKE_SECONDS: Final = 5.0
"""How long a Work waits for a connection before it is refused."""
CONNECT_SECONDS: Final = 3.0
COMMAND_SECONDS: Final = 30.0
CLEAN_SECONDS: Final = 3.0
_STATEMENTS: Final = 1000

_SESSION: Final = {
    "application_name": "limen",
    "timezone": "UTC",
    "jit": "off",  # plans here take microseconds, compiling them takes milliseconds
    "idle_in_transaction_session_timeout": "10000",  # an idle transaction holds back the positions of everybody's facts
    "lock_timeout": "5000",
    "statement_timeout": "25000",
}

_UNREACHABLE: Final = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError, EOFError)
_STATES: Final[dict[str, type[LimenError]]] = {
    "23505": Conflict,
    "23P01": Conflict,
    "40001": Contended,  # serialisation
    "40P01": Contended,  # deadlock
    "55P03": Contended,  # lock timeout
    "57014": Contended,  # statement timeout
}
_CLASSES: Final[dict[str, type[LimenError]]] = {
    "08": DatabaseUnavailable,  # connection
    "0A": StatementFailed,
    "22": BadValue,
    "23": ConstraintFailed,
    "25": DatabaseUnavailable,  # the server ended the transaction
    "42": StatementFailed,
    "53": DatabaseUnavailable,  # resources
    "57": DatabaseUnavailable,  # the operator
    "58": DatabaseUnavailable,  # its machine
}
_LACKING: Final = frozenset({"42P01", "42703"})
_FORBIDDEN: Final = "42501"
_DISK_FULL: Final = "53100"


class Link:
    """One connection. `era` numbers the facts it writes; None until the first."""

    __slots__ = ("con", "era")

    def __init__(self, con: Any) -> None:  # noqa: ANN401 -- asyncpg ships no types
        self.con = con
        self.era: int | None = None


def _with_settings(url: str) -> tuple[str, int]:
    """Take `pool_size` out of an address, which is ours and not the server's."""
    parts = urlsplit(url)
    words = parse_qsl(parts.query, keep_blank_values=True)
    size = next((int(value) for name, value in words if name == "pool_size"), DEFAULT_SIZE)
    return urlunsplit(parts._replace(query=urlencode([pair for pair in words if pair[0] != "pool_size"]))), size


async def connect(url: str, **session: str) -> Any:  # noqa: ANN401 -- asyncpg ships no types
    """Open one connection with the session settings of the house; DatabaseUnavailable within a few seconds."""
    try:
        con = await asyncpg.connect(
            _with_settings(url)[0],
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            statement_cache_size=_STATEMENTS,
            max_cached_statement_lifetime=0,
            server_settings=_SESSION | session,
        )
        try:
            if await con.fetchval("SELECT current_setting('synchronous_commit')") == "off":
                await con.execute("SET synchronous_commit = on")  # what is acknowledged is durable, whatever the server's default
        except BaseException:
            con.terminate()
            raise
    except (*_UNREACHABLE, asyncpg.PostgresError) as error:
        raise DatabaseUnavailable(operator=f"cannot connect to PostgreSQL {_place(url)}: {_reason(error)}") from error
    return con


def _place(url: str) -> str:
    """Return an address as an operator knows it: without its password and its options."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"at {host}{parts.path} as {parts.username}" if parts.username else f"at {host}{parts.path}"  # user@host is taken for a mail address by logs


def _reason(error: Exception) -> str:
    """Return why nobody answers, and what may help."""
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return f"{error}. Make it with createdb, or correct [database] url"
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):  # a wrong password is one too
        return f"{error}. Correct the user in [database] url; the password may stand there, in PGPASSWORD or in ~/.pgpass"
    if isinstance(error, asyncpg.PostgresError):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_SECONDS:.0f} s"
    if isinstance(error, socket.gaierror):
        return f"{error.strerror}. Correct the host in [database] url"
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):  # several addresses of one name, each refused
        return "nothing listens there. Start PostgreSQL, or correct [database] url"
    return str(error) or type(error).__name__


def translated(error: Exception) -> LimenError:
    """Return the error that means the same on both databases."""
    if isinstance(error, LimenError):
        return error
    if isinstance(error, asyncpg.PostgresError) and not isinstance(error, asyncpg.PostgresConnectionError):
        return _of_state(error.sqlstate or "", str(error))
    if isinstance(error, _UNREACHABLE):
        return DatabaseUnavailable(operator=f"{type(error).__name__}: {error}")
    if isinstance(error, (UnicodeEncodeError, OverflowError)):
        return BadValue(operator=str(error))
    return CommitFailed(operator=f"{type(error).__name__}: {error}")


def _of_state(state: str, text: str) -> LimenError:
    operator = f"{state}: {text}"
    if state in _LACKING:
        return SchemaOutdated(operator=f"{operator}: run `limen upgrade`")
    if state == _FORBIDDEN:
        return DatabaseUnavailable(operator=f"{text}: the user of [database] url must own the tables, or may make them in the schema public")
    if state == _DISK_FULL:
        return DatabaseFull(operator)
    kind = _STATES.get(state) or _CLASSES.get(state[:2], CommitFailed)
    return kind(operator=operator)


class Pool:
    """Lends connections to one Work at a time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._limit = _with_settings(url)[1]
        self._size = 0
        self._free: list[Link] = []
        self._waiting: deque[asyncio.Future[Link | None]] = deque()
        self._cleaning: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def size(self) -> int:
        """Return how many connections there are."""
        return self._size

    async def take(self) -> Link:
        """Return a connection that nobody uses; DatabaseUnavailable after a bounded wait."""
        deadline = asyncio.get_running_loop().time() + TAKE_SECONDS
        while True:
            if self._closed:
                raise DatabaseUnavailable(operator="the database is closed")
            while self._free:
                link = self._free.pop()
                if not link.con.is_closed():
                    return link
                self._size -= 1
            if self._size < self._limit:
                return await self._open()
            found = await self._wait(deadline)
            if found is not None:
                return found

    async def _wait(self, deadline: float) -> Link | None:
        """Wait for a connection, or for None: a place for one became free."""
        turn: asyncio.Future[Link | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout_at(deadline):
                return await turn
        except (asyncio.CancelledError, TimeoutError) as left:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._pass_on(turn.result())  # it came at the moment we went
            if isinstance(left, TimeoutError):
                raise DatabaseUnavailable(operator=f"all {self._limit} connections to PostgreSQL were busy for {TAKE_SECONDS:.0f} s") from left
            raise

    def _pass_on(self, link: Link | None) -> None:
        if link is not None:
            self.give(link)
        else:
            self._offer(None)

    async def _open(self) -> Link:
        self._size += 1
        try:
            con = await connect(self._url)
        except BaseException as failure:
            self._size -= 1
            if isinstance(failure, DatabaseUnavailable):
                self._refuse_all(failure)
            else:
                self._offer(None)
            raise
        return Link(con)

    def _refuse_all(self, failure: DatabaseUnavailable) -> None:
        """The database cannot be reached: whoever waits for a connection is told now."""
        waiting, self._waiting = self._waiting, deque()
        for turn in waiting:
            if not turn.done():
                turn.set_exception(DatabaseUnavailable(operator=failure.operator))

    def _offer(self, link: Link | None) -> bool:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(link)
                return True
        return False

    def give(self, link: Link) -> None:
        """Take back a connection that is in no transaction."""
        if self._closed or link.con.is_closed():
            self._size -= 1
            if not link.con.is_closed():
                link.con.terminate()
            self._offer(None)
        elif not self._offer(link):
            self._free.append(link)

    def give_dirty(self, link: Link) -> asyncio.Task[None]:
        """Take back a connection of which nobody knows in what state it is; nobody gets it before it is clean."""
        task = asyncio.get_running_loop().create_task(self._clean(link))
        self._cleaning.add(task)
        task.add_done_callback(self._cleaning.discard)
        return task

    async def _clean(self, link: Link) -> None:
        clean = False
        try:
            async with asyncio.timeout(CLEAN_SECONDS):
                if not link.con.is_closed():
                    await link.con.execute("ROLLBACK")
                    clean = True
        except Exception:  # noqa: BLE001, S110 -- whatever it is, the connection is not used again
            pass
        finally:
            if not clean:
                link.con.terminate()
            self.give(link)

    def distrust(self) -> None:
        """A connection was found dead: those that lie idle may be as dead, so none of them is lent again."""
        free, self._free = self._free, []
        for link in free:
            link.con.terminate()
            self.give(link)

    async def close(self) -> None:
        """Close every connection."""
        self._closed = True
        self._refuse_all(DatabaseUnavailable(operator="the database is closed"))
        if self._cleaning:
            await asyncio.wait(self._cleaning)
        free, self._free = self._free, []
        for link in free:
            self._size -= 1
            with contextlib.suppress(*_UNREACHABLE, asyncpg.PostgresError):
                await link.con.close(timeout=CLEAN_SECONDS)
