"""The clock of dev mode: how far it is turned stands in the database, so that every process tells the same time."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from limen.kernel.clock import SystemClock
from limen.kernel.errors import LimenError
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import SERVER
from limen.platform.sql.statements import bind, insert_of, statement
from limen.platform.sql.tables import server_table
from limen.platform.sql.types import MICROSECOND, Id

if TYPE_CHECKING:
    from collections.abc import Callable

    from limen.platform.sql.database import Database

DEV_CLOCK: Final = server_table(
    "dev_clock",
    sa.Column("id", Id, primary_key=True),  # one row
    sa.Column("turned", sa.BigInteger, nullable=False),  # microseconds ahead of the machine's clock
)

_ONE: Final = "clock"
_LOOK_SECONDS: Final = 0.5


def _setting(*, add: bool) -> Callable[[str], sa.Executable]:
    def build(dialect: str) -> sa.Executable:
        row = insert_of(dialect)(DEV_CLOCK).values(id=_ONE, turned=bind("by", sa.BigInteger))
        turned = DEV_CLOCK.c.turned + row.excluded.turned if add else row.excluded.turned
        return row.on_conflict_do_update(index_elements=["id"], set_={"turned": turned}).returning(DEV_CLOCK.c.turned)

    return build


_ADD: Final = statement(_setting(add=True), into=int)
_SET: Final = statement(_setting(add=False), into=int)
_READ: Final = statement(sa.select(DEV_CLOCK.c.turned).where(DEV_CLOCK.c.id == _ONE), into=int)


async def turn_clock(db: Database, *, by: timedelta = timedelta(), to: datetime | None = None) -> datetime:
    """Turn the clock on (or back) by some time, or to an instant; return what it says now. Other processes follow within a second."""
    clock = _system_clock(db)
    async with db.work(SERVER, SYSTEM) as work:
        if to is None:
            turned = await work.one(_ADD, by=by // MICROSECOND)
        else:
            turned = await work.one(_SET, by=(to - (work.now - clock.offset)) // MICROSECOND)
    clock.offset = (turned or 0) * MICROSECOND
    return clock.now()


async def read_clock(db: Database) -> None:
    """Set this process's clock as the database says."""
    async with db.read(SERVER) as read:
        turned = await read.one(_READ)
    _system_clock(db).offset = (turned or 0) * MICROSECOND


async def follow_clock(db: Database) -> None:
    """Keep this process's clock as the database says, until cancelled. For dev mode only."""
    while True:
        with contextlib.suppress(LimenError):  # the database is away: those who need it say so
            await read_clock(db)
        await asyncio.sleep(_LOOK_SECONDS)


def _system_clock(db: Database) -> SystemClock:
    if not isinstance(db.clock, SystemClock):
        raise TypeError("this clock cannot be turned")
    return db.clock
