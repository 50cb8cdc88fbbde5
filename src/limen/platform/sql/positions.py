"""Dense positions of facts on PostgreSQL.

A fact's `seq` is drawn, and its transaction's number given, before the transaction commits: a reader that remembers either would miss
facts that commit later with a lower one. What lies below `pg_snapshot_xmin` is complete, so one sequencer at a time (an advisory lock)
gives every such fact the next position. The horizon is that of the whole cluster: an idle writer in any database holds it back, which
`facts_lag` shows. After a restore into another cluster, transaction numbers begin anew: facts carry an era, and those of earlier eras
are complete, and numbered first. Writers do nothing for all this.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

import asyncpg

from limen.kernel.errors import LimenError
from limen.platform.sql.coalesce import ERA
from limen.platform.sql.pool import translated

if TYPE_CHECKING:
    from limen.platform.sql.pool import Link, Pool

LOCK: Final = 0x4C4D_4E01  # any number that nobody else uses
FACTS_CHANNEL: Final = "limen_facts"
AT_ONCE: Final = 5000
LOOK_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 0.02
_HELD_BACK_SECONDS: Final = 0.1

_LOCKED: Final = "SELECT pg_try_advisory_xact_lock($1) FROM set_config('enable_seqscan', 'off', true)"
_LAST: Final = "SELECT pos, era, xid::text, seq FROM fact_order ORDER BY pos DESC LIMIT 1"
_BEHIND: Final = "(f.era, f.xid, f.seq) > ($1::int, $2::text::xid8, $3::bigint)"
# The index on (era, xid, seq) has to serve both: asked plainly whether a fact is behind the last one numbered, PostgreSQL hopes to meet one
# early in the table, and where there is none has read the whole log.
_WAITING: Final = f"SELECT {_BEHIND} FROM (SELECT era, xid, seq FROM facts ORDER BY era DESC, xid DESC, seq DESC LIMIT 1) f"  # noqa: S608 -- constants
_NUMBER: Final = (
    "INSERT INTO fact_order (pos, seq, era, xid) "  # noqa: S608 -- constants
    "SELECT $4::bigint + row_number() OVER (ORDER BY era, xid, seq), seq, era, xid FROM ("
    f"SELECT f.seq, f.era, f.xid FROM facts f WHERE {_BEHIND} "
    f"AND (f.era < {ERA} OR f.xid < pg_snapshot_xmin(pg_current_snapshot())) ORDER BY f.era, f.xid, f.seq LIMIT {AT_ONCE}) complete"
)


class Sequencer:
    """Numbers facts, in whichever process comes first."""

    def __init__(self, pool: Pool, loop: asyncio.AbstractEventLoop) -> None:
        self._pool = pool
        self._loop = loop
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There are new facts."""
        self._woken.set()

    async def serve(self) -> None:
        """Number facts soon after each commit here, and once a second those of processes that are gone."""
        pause = LOOK_SECONDS
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()
            await asyncio.sleep(_PAUSE_SECONDS)
            self._woken.clear()
            try:
                pause = _HELD_BACK_SECONDS if await self.step() else LOOK_SECONDS
            except LimenError:
                pause = LOOK_SECONDS  # the database is away, or not upgraded yet: those who need it say so

    async def step(self) -> bool:
        """Give positions to the facts that are complete; return whether there are others."""
        link = await self._pool.take()
        clean = False
        try:
            more = await self._waiting(link)
            while more and await self._number(link):
                more = await self._waiting(link)
            clean = True
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise translated(error) from error
        finally:
            if clean:
                self._pool.give(link)
            else:
                self._pool.give_dirty(link)
        return more

    async def _waiting(self, link: Link) -> bool:
        _, *last = await self._last(link)
        return bool(await link.con.fetchval(_WAITING, *last))

    async def _last(self, link: Link) -> tuple[int, int, str, int]:
        row = await link.con.fetchrow(_LAST)
        return tuple(row) if row else (0, 0, "0", 0)

    async def _number(self, link: Link) -> int:
        """Number up to `AT_ONCE` facts; return how many: 0 where they are not complete, or another process is at it."""
        await link.con.execute("BEGIN")
        count = 0
        if await link.con.fetchval(_LOCKED, LOCK):
            pos, *last = await self._last(link)  # as of after the lock: nobody numbers beside us
            status = await link.con.execute(_NUMBER, *last, pos)
            count = int(status.rpartition(" ")[2])
            if count:
                await link.con.fetchval("SELECT pg_notify($1, '')", FACTS_CHANNEL)
        await link.con.execute("COMMIT")
        return count
