"""Tables, statements and facts that the tests of the storage use."""

from __future__ import annotations

import asyncio
import enum
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import sqlalchemy as sa

from limen.kernel.clock import SystemClock
from limen.kernel.facts import Fact
from limen.kernel.ids import TenantId
from limen.platform.crypto import Keyring
from limen.platform.sql import FACTS, Choice, Database, Id, Instant, Json, Work, bind, insert_new, insert_row, one_of, open_database, statement, table, upsert

ACME: Final = TenantId("acme")
OTHER: Final = TenantId("other")


class Colour(enum.Enum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


THINGS: Final = table(
    "test_things",
    sa.Column("id", Id, primary_key=True),
    sa.Column("n", sa.Integer, nullable=False),
)
EVERYTHING: Final = table(
    "test_everything",
    sa.Column("id", Id, primary_key=True),
    sa.Column("text", sa.Text),
    sa.Column("number", sa.BigInteger),
    sa.Column("truth", sa.Boolean),
    sa.Column("octets", sa.LargeBinary),
    sa.Column("at", Instant),
    sa.Column("colour", Choice(Colour)),
    sa.Column("json", Json()),
    sa.Column("counts", Json(dict[str, int])),
    sa.UniqueConstraint("tenant", "text"),
    rowid=True,
)

_T: Final = THINGS.c
_HERE: Final = (_T.tenant == bind("tenant"), _T.id == bind("id"))
ADD: Final = statement(insert_row(THINGS))
ADD_NEW: Final = statement(insert_new(THINGS))
PUT: Final = statement(upsert(THINGS, key=("id",), set=("n",)))
GET: Final = statement(sa.select(_T.n).where(*_HERE), into=int)
HOLD: Final = statement(sa.select(_T.n).where(*_HERE).with_for_update(), into=int)
SET: Final = statement(sa.update(THINGS).where(*_HERE).values(n=bind("n")))
GROW_FROM: Final = statement(sa.update(THINGS).where(*_HERE, _T.n == bind("before")).values(n=_T.n + 1))
GROW: Final = statement(sa.update(THINGS).where(*_HERE).values(n=_T.n + 1))
DROP: Final = statement(sa.delete(THINGS).where(*_HERE).returning(_T.n), into=int)
IDS: Final = statement(sa.select(_T.id).where(_T.tenant == bind("tenant")).order_by(_T.id), into=str)
SOME: Final = statement(sa.select(_T.id).where(_T.tenant == bind("tenant"), one_of(_T.id, "ids")).order_by(_T.id), into=str)
COUNT: Final = statement(sa.select(sa.func.count()).select_from(THINGS).where(_T.tenant == bind("tenant")), into=int)
PAGE: Final = statement(sa.select(_T.id).where(_T.tenant == bind("tenant"), _T.id > bind("after")).order_by(_T.id).limit(bind("most", sa.Integer)), into=str)

FACTS_STORED: Final = statement(sa.select(sa.func.count()).select_from(FACTS), into=int, across_tenants="the test counts all")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingMade(Fact):
    """A thing was made."""

    name: ClassVar[str] = "test.thing_made"
    thing: str = ""
    n: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingSeen(Fact):
    """A reaction saw a thing."""

    name: ClassVar[str] = "test.thing_seen"
    thing: str = ""


async def make(work: Work, thing: str, n: int = 0) -> None:
    """Add a thing and say so."""
    await work.run(ADD, id=thing, n=n)
    work.record(ThingMade(thing=thing, n=n))


async def ids(db: Database, tenant: TenantId = ACME) -> list[str]:
    """Return the ids of all things."""
    async with db.read(tenant) as read:
        return await read.all(IDS)


async def count_facts(db: Database) -> int:
    """Return how many facts are stored."""
    async with db.read(ACME) as read:
        return await read.one(FACTS_STORED) or 0


@asynccontextmanager
async def opened(url: str, keyring: Keyring) -> AsyncIterator[Database]:
    """Open a database as a server does: nobody watches its Works."""
    db = await open_database(url, keyring, SystemClock())
    try:
        yield db
    finally:
        await db.close()


async def other_process(code: str, *words: str) -> asyncio.subprocess.Process:
    """Start another Python process that runs `code`."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
