"""A process killed under load: what it acknowledged is stored, and nothing is stored by halves."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
import sqlalchemy as sa

from limen.kernel.ids import SERVER
from limen.platform.crypto import Keyring
from limen.platform.sql import FACTS, Database, facts_after, last_position, statement
from tests.platform.sql.things import ids, opened, other_process

_LOAD = """
import asyncio, os, sys
import uvloop
from limen.kernel.clock import SystemClock
from limen.kernel.facts import SYSTEM
from limen.platform.sql import open_database
from tests.platform.sql.things import ACME, ThingMade, make

async def main():
    db = await open_database(sys.argv[1], None, SystemClock())

    async def work(task):
        turn = 0
        while True:
            name = f"{sys.argv[2]}.{task}.{turn}"
            async with db.work(ACME, SYSTEM) as work:
                if task % 2:
                    await make(work, name)
                else:
                    work.record(ThingMade(thing=name))
                work.record(ThingMade(thing=name))
            os.write(1, name.encode() + b"\\n")
            turn += 1

    await asyncio.gather(*(work(task) for task in range(16)))

uvloop.run(main())
"""

_PAIRS = statement(
    sa.select(FACTS.c.data, sa.func.count()).group_by(FACTS.c.data),
    into=lambda data, count: (data["thing"], count),
    across_tenants="the test counts all",
)


async def _killed(url: str, turn: int) -> set[str]:
    """Run the load for half a second after its first word, kill it, and return what it acknowledged."""
    process = await other_process(_LOAD, url, str(turn))
    assert process.stdout is not None
    first = await process.stdout.readline()
    assert first, await process.communicate()
    reading = asyncio.create_task(process.stdout.read())
    await asyncio.sleep(0.3 + turn % 5 * 0.1)
    process.kill()
    said = first + await reading
    await process.wait()
    if url.startswith("postgresql:"):
        await _let_go(url)
    return {line.decode() for line in said.split(b"\n")[:-1]}


async def _let_go(url: str) -> None:
    """Return once PostgreSQL knows that nobody is there: what it was doing for the killed process may be stored until then."""
    connection = await asyncpg.connect(url)
    async with asyncio.timeout(30):
        while await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"):
            await asyncio.sleep(0.01)
    await connection.close()


@pytest.mark.slow
async def test_killed_under_load(database_url: str, keyring: Keyring) -> None:
    """After each of three kills all acknowledged Works are there with both of their facts and their row; the log stays dense."""
    assert await _rounds(database_url, keyring, 3) > 300


@pytest.mark.soak
async def test_killed_twenty_times(database_url: str, keyring: Keyring) -> None:
    """The same over twenty kills."""
    acknowledged = await _rounds(database_url, keyring, 20)
    print(f"storage, {database_url.partition(':')[0]}: 20 kills, {acknowledged} acknowledged Works, 0 lost, 0 by halves")


async def _rounds(url: str, keyring: Keyring, count: int) -> int:
    acknowledged: set[str] = set()
    for turn in range(count):
        acknowledged |= await _killed(url, turn)
        async with opened(url, keyring) as db:
            async with db.read(SERVER) as read:
                pairs = dict(await read.all(_PAIRS))
            assert acknowledged <= pairs.keys()
            assert set(pairs.values()) == {2}
            assert set(await ids(db)) == {name for name in pairs if int(name.split(".")[1]) % 2}
            total = 2 * len(pairs)
            async with asyncio.timeout(60):
                while (last := await _last(db)) < total:
                    await asyncio.sleep(0.05)
            assert last == total
            async with db.read(SERVER) as read:
                assert [fact.pos for fact in await facts_after(read, total - 100)] == list(range(total - 99, total + 1))
    return len(acknowledged)


async def _last(db: Database) -> int:
    async with db.read(SERVER) as read:
        return await last_position(read)
