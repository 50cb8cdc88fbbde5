"""How a process on PostgreSQL learns what others changed: cached values to drop, facts to follow."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from limen.kernel.errors import LimenError
from limen.platform.sql.notices import LOOK_SECONDS
from limen.platform.sql.pool import connect, translated
from limen.platform.sql.positions import FACTS_CHANNEL

if TYPE_CHECKING:
    from limen.platform.sql.caches import Caches
    from limen.platform.sql.pool import Pool

BEHIND_SECONDS: Final = 5.0
"""How often PostgreSQL is asked although nobody called."""
CHANGES_CHANNEL: Final = "limen_changes"
FORGET_CHANGES_POSTGRESQL: Final = (
    "DELETE FROM changes WHERE seq IN (SELECT seq FROM (SELECT seq, at FROM changes ORDER BY seq LIMIT 100 FOR UPDATE SKIP LOCKED) o WHERE o.at < $1)"
)
INSERT_CHANGES_POSTGRESQL: Final = (
    "WITH made AS (INSERT INTO changes (at, cache, tenant, key) SELECT $1::timestamptz, * FROM unnest($2::text[], $3::text[], $4::text[])) "
    "SELECT pg_notify('limen_changes', '')"
)
_READ_POSTGRESQL: Final = (
    "SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS horizon, c.seq, c.cache, c.tenant, c.key "
    "FROM (SELECT) AS one LEFT JOIN changes c ON c.xid >= $1::text::xid8 AND $1::text <> ''"
)


class PostgresNotices:
    """Listens on a connection of its own, and looks every few seconds behind it.

    Rows become visible in another order than they were numbered, so what is remembered is the horizon below which all is known, and
    which rows above it were seen.
    """

    def __init__(self, url: str, pool: Pool, caches: Caches, woken: Callable[[], None]) -> None:
        self._url = url
        self._pool = pool
        self._caches = caches
        self._woken = woken
        self._event = asyncio.Event()
        self._horizon = ""
        self._seen: frozenset[int] = frozenset()
        self._listener: Any = None

    async def serve(self) -> None:
        """Listen until cancelled."""
        try:
            while True:
                pause = BEHIND_SECONDS
                self._event.clear()  # first: a listener's end sets it, and while the database is away nobody else would clear it
                try:
                    await self._listen()
                    await self.look()
                except LimenError:
                    self._forget()  # the database is away, or not upgraded yet: begin again
                    pause = LOOK_SECONDS
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._event.wait()
        finally:
            if self._listener is not None:
                self._listener.terminate()

    async def look(self) -> None:
        """Drop what was changed since the last look."""
        link = await self._pool.take()
        try:
            rows = await link.con.fetch(_READ_POSTGRESQL, self._horizon)
        except BaseException as error:
            self._pool.give_dirty(link)
            if isinstance(error, Exception):
                raise translated(error) from error
            raise
        self._pool.give(link)
        known = [row for row in rows if row["seq"] is not None]
        if fresh := [row for row in known if row["seq"] not in self._seen]:
            self._caches.drop([(row["cache"], row["tenant"], row["key"]) for row in fresh])
        self._horizon = rows[0]["horizon"]
        self._seen = frozenset(row["seq"] for row in known)

    def _forget(self) -> None:
        self._caches.clear()
        self._horizon = ""
        self._seen = frozenset()

    async def _listen(self) -> None:
        if self._listener is not None and not self._listener.is_closed():
            return
        if self._listener is not None:
            self._forget()  # it may be another server now, restored from a backup
        self._listener = await connect(self._url)
        try:
            await self._listener.add_listener(CHANGES_CHANNEL, self._called)
            await self._listener.add_listener(FACTS_CHANNEL, self._called)
            self._listener.add_termination_listener(self._ended)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise translated(error) from error

    def _called(self, connection: object, pid: int, channel: str, payload: str) -> None:
        del connection, pid, payload
        if channel == FACTS_CHANNEL:
            self._woken()
        else:
            self._event.set()

    def _ended(self, connection: object) -> None:
        del connection
        self._event.set()
