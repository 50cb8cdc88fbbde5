"""Look-ups of concurrent requests on PostgreSQL share a round trip.

A round trip costs five times what a look-up costs that goes along. At most two of one statement are under way; whoever asks meanwhile goes
with the next. Each look-up sees what is committed when its turn comes, as it would alone, and one that fails is asked again by itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from limen.platform.sql.pool import Pool

MOST_FLIGHTS: Final = 2
MOST_TOGETHER: Final = 64

_WORD: Final = re.compile(r"\$(\d+)")
_Rows: TypeAlias = list[Any]
_Asked: TypeAlias = tuple[tuple[object, ...], asyncio.Future[_Rows | None]]


class _Queue:
    """Who waits with one statement, and how many of its flights are under way."""

    __slots__ = ("flying", "text", "waiting")

    def __init__(self, sql: str) -> None:
        place = len(set(_WORD.findall(sql))) + 1
        self.text = f"SELECT found.*, ${place}::int FROM ({sql}) AS found"  # noqa: S608 -- SQL that SQLAlchemy made
        self.flying = 0
        self.waiting: list[_Asked] = []


class SharedReads:
    """Takes look-ups along."""

    def __init__(self, pool: Pool, loop: asyncio.AbstractEventLoop) -> None:
        self._pool = pool
        self._loop = loop
        self._queues: dict[str, _Queue] = {}
        self._flights: set[asyncio.Task[None]] = set()

    async def ask(self, sql: str, words: tuple[object, ...], alone: Callable[[], Awaitable[_Rows]]) -> _Rows:
        """Return the rows of a look-up; `alone` asks for them without company."""
        queue = self._queues.get(sql)
        if queue is None:
            queue = self._queues[sql] = _Queue(sql)
        if queue.flying < MOST_FLIGHTS:
            queue.flying += 1
            try:
                return await alone()
            finally:
                self._landed(queue)
        asked: asyncio.Future[_Rows | None] = self._loop.create_future()
        queue.waiting.append((words, asked))
        found = await asked
        return found if found is not None else await alone()

    def _landed(self, queue: _Queue) -> None:
        queue.flying -= 1
        if queue.waiting:
            queue.flying += 1
            task = self._loop.create_task(self._fly(queue))
            self._flights.add(task)
            task.add_done_callback(self._flights.discard)

    async def _fly(self, queue: _Queue) -> None:
        batch = [one for one in queue.waiting[:MOST_TOGETHER] if not one[1].done()]
        del queue.waiting[:MOST_TOGETHER]
        try:
            await self._read(queue.text, batch)
        finally:
            for _, asked in batch:
                if not asked.done():
                    asked.set_result(None)
            self._landed(queue)

    async def _read(self, text: str, batch: list[_Asked]) -> None:
        try:
            link = await self._pool.take()
            try:
                rows = await link.con.fetchmany(text, [(*words, place) for place, (words, _) in enumerate(batch)])
            except BaseException:
                self._pool.give_dirty(link)
                raise
            self._pool.give(link)
        except Exception:  # noqa: BLE001 -- whatever it is, each asks again by itself and learns it
            return
        found: list[_Rows] = [[] for _ in batch]
        for row in rows:
            found[row[-1]].append(row[:-1])
        for (_, asked), mine in zip(batch, found, strict=True):
            if not asked.done():
                asked.set_result(mine)
