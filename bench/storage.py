"""Speeds of the storage, as a table: `python -m bench.storage [--seconds 1.0]`. Every Work counted here is durable when it is counted.

CPU is this process's own; PostgreSQL's stands beside it uncounted. A slow disk changes latency and rate, hardly CPU.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import sqlalchemy as sa
import uvloop

from bench.figures import interpreter
from limen.kernel.clock import SystemClock
from limen.kernel.facts import SYSTEM, Fact
from limen.kernel.ids import TenantId
from limen.platform.crypto import Keyring, KeyringSettings
from limen.platform.sql import Cached, Database, Id, Reader, bind, definitions_by_table, insert_row, open_database, statement, table, upgrade
from tests.rig.postgres import Cluster

TENANT: Final = TenantId("bench")
ROWS: Final = 1000

ROW: Final = table("bench_rows", sa.Column("id", Id, primary_key=True), sa.Column("n", sa.Integer, nullable=False), sa.Column("text", sa.Text, nullable=False))
_HERE: Final = (ROW.c.tenant == bind("tenant"), ROW.c.id == bind("id"))
ADD: Final = statement(insert_row(ROW))
GET: Final = statement(sa.select(ROW.c.n, ROW.c.text).where(*_HERE))
GROW: Final = statement(sa.update(ROW).where(*_HERE).values(n=ROW.c.n + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIssued(Fact):
    """As large as the fact of a token."""

    name: ClassVar[str] = "oauth.token_issued"
    client: str
    jti: str
    scope: str


async def _load(reader: Reader, key: str) -> tuple[int, str] | None:
    return await reader.one(GET, id=key)


CACHED: Final[Cached[str, tuple[int, str]]] = Cached("bench_rows", _load)


async def fact(db: Database, turn: int) -> None:
    """A Work that only records."""
    async with db.work(TENANT, SYSTEM) as work:
        work.record(TokenIssued(client="shop", jti=f"{turn:016}", scope="read"))


async def update(db: Database, turn: int) -> None:
    """A Work with one UPDATE and one fact."""
    async with db.work(TENANT, SYSTEM) as work:
        await work.run(GROW, id=f"{turn % ROWS:04}")
        work.record(TokenIssued(client="shop", jti=f"{turn:016}", scope="read"))


async def point(db: Database, turn: int) -> None:
    """A Read of one row by its key."""
    async with db.read(TENANT) as read:
        await read.one(GET, id=f"{turn % ROWS:04}")


async def cached(db: Database, turn: int) -> None:
    """A hit of a cache."""
    async with db.read(TENANT) as read:
        await CACHED.get(read, f"{turn % ROWS:04}")


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure(db: Database, what: Callable[[Database, int], Awaitable[None]], at_once: int, seconds: float) -> tuple[float, float, float]:
    """Return rate per second, CPU microseconds per operation, and the 99th percentile of latency in milliseconds."""
    times: list[float] = []
    stop = time.perf_counter() + seconds

    async def client(number: int) -> None:
        turn = number
        while (begun := time.perf_counter()) < stop:
            await what(db, turn)
            times.append(time.perf_counter() - begun)
            turn += at_once

    used, begun = _processor(), time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(at_once)))
    elapsed = time.perf_counter() - begun
    times.sort()
    return len(times) / elapsed, (_processor() - used) / len(times) * 1e6, times[len(times) * 99 // 100] * 1e3


async def report(db: Database, seconds: float) -> None:
    """Print the lines of one database."""
    for sql in definitions_by_table(db.dialect)[ROW.name]:
        await db.execute(sql)
    async with db.work(TENANT, SYSTEM) as work:
        for number in range(ROWS):
            await work.run(ADD, id=f"{number:04}", n=0, text="x" * 40)
    for what, counts in ((fact, (1, 4, 16, 64, 256)), (update, (1, 16, 64)), (point, (1, 16)), (cached, (1,))):
        await measure(db, what, counts[0], seconds / 5)
        for at_once in counts:
            rate, cost, late = await measure(db, what, at_once, seconds)
            title = (what.__doc__ or "").rstrip(".")
            print(f"| {db.dialect} | {title} | {at_once} | {rate:,.0f} | {cost:.1f} | {late:.2f} |", flush=True)


async def main(seconds: float) -> None:
    """Measure both databases."""
    cluster = Cluster()
    with tempfile.TemporaryDirectory() as folder:
        keyring = Keyring.create(KeyringSettings(file=Path(folder) / "master.key", epochs=Path(folder) / "epochs"), environ={})
        print(f"{interpreter()}\n\n| database | what | at once | per second | CPU us | p99 ms |\n|---|---|---|---|---|---|")
        try:
            cluster.start()
            for url in (f"sqlite:///{folder}/bench.db", cluster.url()):
                await upgrade(url)
                db = await open_database(url, keyring, SystemClock())
                await report(db, seconds)
                await db.close()
        finally:
            cluster.drop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="per line")
    uvloop.run(main(parser.parse_args().seconds))
