"""Works on PostgreSQL that only record facts, or change what they did not ask for, share round trips.

At most two of one kind are under way; whatever comes meanwhile goes with the next. A flight is one transaction: where one of its Works
fails, each is tried again by itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import asyncpg
import msgspec

from limen.platform.sql.errors import ENDINGS, CommitFailed, DatabaseUnavailable, Outrun
from limen.platform.sql.pool import translated

if TYPE_CHECKING:
    from limen.kernel.errors import LimenError
    from limen.platform.sql.facts import FactRow
    from limen.platform.sql.pool import Link, Pool
    from limen.platform.sql.scope import Put
    from limen.platform.sql.statements import Statement

MOST_FLIGHTS: Final = 2
MOST_TOGETHER: Final = 64

ERA: Final = "coalesce((SELECT era + (xid >= pg_snapshot_xmax(pg_current_snapshot()))::int FROM facts ORDER BY era DESC, xid DESC LIMIT 1), 1)"
"""Transaction numbers begin anew after a restore into another server: an era ends where a fact's number lies in the future."""

_ERA: Final = f"SELECT {ERA}"
_INSERT: Final = (
    "INSERT INTO facts (era, tenant, at, name, subject, actor, data, private) "
    "SELECT $1::int, tenant, at, name, subject, actor, data, decode(private, 'base64') FROM jsonb_to_recordset($2::jsonb) "
    "AS f (tenant text, at timestamptz, name text, subject text, actor text, data jsonb, private text)"
)
"""One document and not an array for each column: asyncpg looks four times at each element of an array, which costs a fact 10 us."""
_WORDS_OF_FACTS: Final = 2
_FOUND: Final = "1 / (SELECT count(*) FROM w{}) >= 0"
"""A claim that changed nothing divides by nothing, which undoes the whole statement."""


_OF_ONE: Final = frozenset({"22012", "40001", "40P01"})
"""A claim that found nothing, and Works in each other's way: not what keeps all of a flight."""
_WORD: Final = re.compile(r"\$(\d+)")
_TOGETHER: Final[dict[tuple[tuple[Statement[Any], bool], ...], tuple[str | None, str | None]]] = {}
"""By the statements, and which of them claim: the text without facts, and with."""


class Waiting(NamedTuple):
    """A Work that waits for a flight; `committed` is called in the loop before it continues."""

    future: asyncio.Future[None]
    rows: Sequence[FactRow]
    words: Sequence[object]
    committed: Callable[[], None] | None


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


async def _era_of(link: Link) -> int:
    """Return the era of the facts this connection writes, asking once: a connection does not outlive its server."""
    if link.era is None:
        link.era = int(await link.con.fetchval(_ERA))
    return link.era


def together(puts: Sequence[Put], *, facts: bool) -> str | None:
    """Return the text that runs `puts` and, after its first two words, inserts `facts`; the empty text where there is neither.

    None where two would change one table: within one statement the second does not see what the first did.
    """
    if not puts:
        return _INSERT if facts else ""
    kinds = tuple([(put.statement, put.claims) for put in puts])
    texts = _TOGETHER.get(kinds)
    if texts is None:
        tables = {put.statement.built("postgresql").table for put in puts}  # type: ignore[attr-defined] # what changes something names a table
        texts = _TOGETHER[kinds] = (_joined(puts, ""), _joined(puts, _INSERT)) if len(tables) == len(puts) else (None, None)
    return texts[facts]


def _joined(puts: Sequence[Put], insert: str) -> str:
    parts: list[str] = []
    conditions: list[str] = []
    number = _WORDS_OF_FACTS if insert else 0
    for place, put in enumerate(puts):
        sql = put.statement.postgresql.sql
        if put.claims:
            conditions.append(_FOUND.format(place))
        parts.append(f"w{place} AS ({_WORD.sub(_moved(number), sql)}{' RETURNING 1' if put.claims else ''})")
        number += len(set(_WORD.findall(sql)))
    return f"WITH {', '.join(parts)} {insert or 'SELECT 1'}{' WHERE ' if conditions else ''}{' AND '.join(conditions)}"


def _moved(by: int) -> Callable[[re.Match[str]], str]:
    return lambda word: f"${int(word[1]) + by}"


async def write(link: Link, text: str, rows: Sequence[FactRow], words: Sequence[object]) -> None:
    """Run a text that `together` made, in one round trip; Outrun where a claim found nothing."""
    try:
        await link.con.fetch(text, *await _all_words(link, rows, words))
    except asyncpg.DivisionByZeroError as error:
        raise Outrun from error


async def _all_words(link: Link, rows: Sequence[FactRow], words: Sequence[object]) -> Sequence[object]:
    if not rows:
        return words
    lines = [_Line(tenant, at, name, subject, actor, msgspec.Raw(data.encode()), private) for tenant, at, name, subject, actor, data, private in rows]
    return (await _era_of(link), _encode(lines).decode(), *words)


class GroupWriter:
    """Writes the Works that have not begun when they end, those of one text together."""

    def __init__(self, pool: Pool, loop: asyncio.AbstractEventLoop, on_commit: Callable[[], None]) -> None:
        self._pool = pool
        self._loop = loop
        self._on_commit = on_commit
        self._lanes: dict[str, _Lane] = {}

    def append(self, text: str, work: Waiting) -> asyncio.Future[None]:
        """Write a Work with the next flight of its `text`; its future is done when it is durable."""
        if text:
            lane = self._lanes.get(text)
            if lane is None:
                lane = self._lanes[text] = _Lane(text, self._pool, self._loop, self._on_commit)
            lane.append(work)
        else:
            _settle(work)
        return work.future

    async def close(self) -> None:
        """Wait for what is under way."""
        for lane in self._lanes.values():
            await lane.close()


class _Lane:
    """The flights of one text."""

    def __init__(self, text: str, pool: Pool, loop: asyncio.AbstractEventLoop, on_commit: Callable[[], None]) -> None:
        self._text = text
        self._pool = pool
        self._loop = loop
        self._on_commit = on_commit
        self._pending: list[Waiting] = []
        self._flights: set[asyncio.Task[None]] = set()
        self._starting = 0

    def append(self, work: Waiting) -> None:
        self._pending.append(work)
        if self._starting + len(self._flights) < MOST_FLIGHTS:
            self._starting += 1
            self._loop.call_soon(self._start)  # whoever runs in this turn of the loop comes along

    async def close(self) -> None:
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

    def _next(self) -> list[Waiting]:
        batch, self._pending = self._pending[:MOST_TOGETHER], self._pending[MOST_TOGETHER:]
        return batch

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
                await self._write(link, self._next())
            clean = True
        finally:
            if clean:
                self._pool.give(link)
            else:
                self._pool.give_dirty(link)

    async def _write(self, link: Link, batch: Sequence[Waiting]) -> None:
        try:
            await self._ask(link, batch)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the callers learn it
            failure = translated(error)
            if len(batch) > 1 and (not isinstance(failure, DatabaseUnavailable) or getattr(error, "sqlstate", "") in _OF_ONE):
                for work in batch:
                    await self._write(link, (work,))
                return
            _fail(batch, failure)
            return
        for work in batch:
            _settle(work)
        self._on_commit()

    async def _ask(self, link: Link, batch: Sequence[Waiting]) -> None:
        if len(batch) == 1:
            await write(link, self._text, batch[0].rows, batch[0].words)
        elif self._text == _INSERT:
            await write(link, _INSERT, [row for work in batch for row in work.rows], ())
        else:
            await link.con.fetchmany(self._text, [await _all_words(link, work.rows, work.words) for work in batch])


def _settle(work: Waiting) -> None:
    if work.committed is not None:
        work.committed()
    if not work.future.done():
        work.future.set_result(None)


def _fail(batch: Sequence[Waiting], failure: LimenError) -> None:
    for work in batch:
        if not work.future.done():
            work.future.set_exception(failure if isinstance(failure, ENDINGS) else CommitFailed(operator=str(failure)))
