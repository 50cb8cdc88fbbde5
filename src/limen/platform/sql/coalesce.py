"""Facts of concurrent requests on PostgreSQL share one INSERT: at most two are under way, whatever comes meanwhile joins the next."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from limen.platform.sql.errors import CommitFailed, DatabaseUnavailable
from limen.platform.sql.group import Recorded
from limen.platform.sql.pool import translated

if TYPE_CHECKING:
    from limen.platform.sql.facts import FactRow
    from limen.platform.sql.pool import Link, Pool
    from limen.platform.sql.statements import Statement

MOST_FLIGHTS: Final = 2

ERA: Final = "coalesce((SELECT era + (xid >= pg_snapshot_xmax(pg_current_snapshot()))::int FROM facts ORDER BY era DESC, xid DESC LIMIT 1), 1)"
"""Transaction numbers begin anew after a restore into another server: an era ends where a fact's number lies in the future."""

_ERA: Final = f"SELECT {ERA}"
_INSERT: Final = (
    "INSERT INTO facts (era, tenant, at, name, subject, actor, data, private) "
    "SELECT $1::int, tenant, at, name, subject, actor, data, decode(private, 'base64') FROM jsonb_to_recordset($2::jsonb) "
    "AS f (tenant text, at timestamptz, name text, subject text, actor text, data jsonb, private text)"
)
"""One document and not an array for each column: asyncpg looks four times at each element of an array, which costs a fact 10 us."""


_WORD: Final = re.compile(r"\$(\d+)")
_TOGETHER: Final[dict[tuple[Statement[Any], ...], str | None]] = {}


class _Line(msgspec.Struct, frozen=True):
    """One fact of `_INSERT`'s document."""

    tenant: str
    at: datetime
    name: str
    subject: str | None
    actor: str
    data: msgspec.Raw
    private: bytes | None


_encode: Final = msgspec.json.Encoder().encode


async def era_of(link: Link) -> int:
    """Return the era of the facts this connection writes, asking once: a connection does not outlive its server."""
    if link.era is None:
        link.era = int(await link.con.fetchval(_ERA))
    return link.era


def together(puts: tuple[Statement[Any], ...]) -> str | None:
    """Return the text that runs `puts` and inserts the facts, whose two words come first.

    None where two would change one table: within one statement the second does not see what the first did.
    """
    if puts not in _TOGETHER:
        tables = {put.built("postgresql").table for put in puts}  # type: ignore[attr-defined] # what changes something names a table
        _TOGETHER[puts] = _joined(puts) if len(tables) == len(puts) else None
    return _TOGETHER[puts]


def _joined(puts: Sequence[Statement[Any]]) -> str:
    parts: list[str] = []
    number = 2
    for put in puts:
        sql = put.postgresql.sql
        parts.append(f"w{len(parts)} AS ({_WORD.sub(_moved(number), sql)})")
        number += len(set(_WORD.findall(sql)))
    return f"WITH {', '.join(parts)} {_INSERT}"


def _moved(by: int) -> Callable[[re.Match[str]], str]:
    return lambda word: f"${int(word[1]) + by}"


async def write_facts(link: Link, rows: Sequence[FactRow], text: str = _INSERT, words: Sequence[object] = ()) -> None:
    """Write facts in one round trip; with the `text` that `together` made and its words, what that changes too."""
    lines = [_Line(tenant, at, name, subject, actor, msgspec.Raw(data.encode()), private) for tenant, at, name, subject, actor, data, private in rows]
    await link.con.fetch(text, await era_of(link), _encode(lines).decode(), *words)


class FactWriter:
    """Writes the facts of Works that have nothing else."""

    def __init__(self, pool: Pool, loop: asyncio.AbstractEventLoop, on_commit: Callable[[], None]) -> None:
        self._pool = pool
        self._loop = loop
        self._on_commit = on_commit
        self._pending: list[Recorded] = []
        self._flights: set[asyncio.Task[None]] = set()
        self._starting = 0

    def append(self, rows: Sequence[FactRow], committed: Callable[[], None] | None) -> asyncio.Future[None]:
        """Write facts with the next flight; the future is done when they are durable."""
        future = self._loop.create_future()
        if not rows:
            if committed is not None:
                committed()
            future.set_result(None)
            return future
        self._pending.append((rows, future, committed))
        if self._starting + len(self._flights) < MOST_FLIGHTS:
            self._starting += 1
            self._loop.call_soon(self._start)  # whoever runs in this turn of the loop comes along
        return future

    async def close(self) -> None:
        """Wait for what is under way."""
        while self._pending or self._flights or self._starting:
            await asyncio.sleep(0)
            if self._flights:
                await asyncio.wait(self._flights)

    def _start(self) -> None:
        self._starting -= 1
        if self._pending:
            task = self._loop.create_task(self._fly())
            self._flights.add(task)
            task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flights.discard(task)
        if self._pending and not self._starting:
            self._starting += 1
            self._loop.call_soon(self._start)

    async def _fly(self) -> None:
        try:
            link = await self._pool.take()
        except DatabaseUnavailable as failure:
            batch, self._pending = self._pending, []
            _fail(batch, failure)
            return
        clean = False
        try:
            while self._pending and not link.con.is_closed():
                batch, self._pending = self._pending, []
                await self._write(link, batch)
            clean = True
        finally:
            if clean:
                self._pool.give(link)
            else:
                self._pool.give_dirty(link)

    async def _write(self, link: Link, batch: Sequence[Recorded]) -> None:
        try:
            await write_facts(link, [row for rows, _, _ in batch for row in rows])
        except Exception as error:  # noqa: BLE001 -- whatever it is, the callers learn it
            failure = translated(error)
            if len(batch) > 1 and not isinstance(failure, DatabaseUnavailable):
                for recorded in batch:  # one row is bad: find out whose
                    await self._write(link, (recorded,))
                return
            _fail(batch, failure)
            return
        for _, future, committed in batch:
            if committed is not None:
                committed()
            if not future.done():
                future.set_result(None)
        self._on_commit()


def _fail(batch: Sequence[Recorded], failure: Exception) -> None:
    for _, future, _ in batch:
        if not future.done():
            told: Any = failure if isinstance(failure, DatabaseUnavailable) else CommitFailed(operator=str(failure))
            future.set_exception(told)
