"""Readers of the log that remember how far they got: each fact is taken once, in order, by whichever process comes first."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import SERVER
from limen.platform.sql.errors import Conflict, DatabaseUnavailable
from limen.platform.sql.facts import FACTS, StoredFact, facts_after, last_position
from limen.platform.sql.statements import bind, insert_new, statement
from limen.platform.sql.tables import server_table
from limen.platform.sql.types import Instant
from limen.platform.sql.work import Reader, Work

if TYPE_CHECKING:
    from datetime import datetime

    from limen.platform.sql.database import Database

FOLLOWERS: Final = server_table(
    "followers",
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
)

_C: Final = FOLLOWERS.c
_ADD: Final = statement(insert_new(FOLLOWERS))
_HOLD: Final = statement(sa.select(_C.position).where(_C.name == bind("name")).with_for_update(skip_locked=True), into=int)
_FIND: Final = statement(sa.select(_C.position).where(_C.name == bind("name")), into=int)
_MOVE: Final = statement(sa.update(FOLLOWERS).where(_C.name == bind("name")).values(position=bind("position")))

_OLDEST_WITHOUT_POSITION: Final = """
    WITH last AS (
        SELECT * FROM (
            (SELECT pos, era, xid, seq FROM fact_order ORDER BY pos DESC LIMIT 1) UNION ALL SELECT 0, 0, '0'::xid8, 0
        ) either ORDER BY pos DESC LIMIT 1
    )
    SELECT f.at FROM last l, facts f WHERE (f.era, f.xid, f.seq) > (l.era, l.xid, l.seq) ORDER BY f.era, f.xid, f.seq LIMIT 1
"""


def _oldest(dialect: str) -> sa.Executable:
    if dialect == "sqlite":
        return sa.select(FACTS.c.at).where(sa.false())  # every committed fact has its position
    return sa.text(_OLDEST_WITHOUT_POSITION).columns(at=Instant)


def _same(at: datetime) -> datetime:
    return at


_UNNUMBERED: Final = statement(_oldest, into=_same, across_tenants="the age of the log is one number")


async def facts_lag(reader: Reader) -> float:
    """Return the age in seconds of the oldest fact that followers cannot see yet, 0.0 if there is none.

    More than a few seconds mean that some transaction on the server, in whatever database, has been open that long.
    """
    oldest = await reader.one(_UNNUMBERED)
    return max((reader.now - oldest).total_seconds(), 0.0) if oldest else 0.0


class Follower:
    """Hands the facts of all tenants to `take`, in order; what `take` writes and the position are one Work."""

    BATCH: Final = 200
    PAUSE_SECONDS: Final = 1.0
    """How often it looks although nobody called."""

    def __init__(self, db: Database, name: str, take: Callable[[Work, Sequence[StoredFact]], Awaitable[None]]) -> None:
        self.db = db
        self.name = name
        self._take = take

    async def step(self) -> int:
        """Take the next batch; return its size, 0 where nothing is new or another process is at it."""
        async with self.db.work(SERVER, SYSTEM) as work:
            await work.run(_ADD, name=self.name, position=0)
            position = await work.one(_HOLD, name=self.name)
            if position is None:
                return 0
            facts = await facts_after(work, position, self.BATCH)
            if facts:
                await self._take(work, facts)
                await work.run(_MOVE, name=self.name, position=facts[-1].pos)
            return len(facts)

    async def serve(self) -> None:
        """Follow until cancelled. An unreachable database is waited for; what `take` raises ends it."""
        woken = asyncio.Event()
        leave = self.db.add_follower(woken)
        try:
            while True:
                woken.clear()
                try:
                    while await self.step():
                        pass
                except (DatabaseUnavailable, Conflict):
                    await asyncio.sleep(self.PAUSE_SECONDS)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.PAUSE_SECONDS):
                        await woken.wait()
        finally:
            leave()

    async def lag(self, reader: Reader) -> int:
        """Return how many facts that have a position it has not taken yet."""
        return await last_position(reader) - (await reader.one(_FIND, name=self.name) or 0)
