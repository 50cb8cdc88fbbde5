"""How many messages an address had in the last hour, in all and by who asked, and how many a range of numbers and all of them had in this one.

Addresses and ranges are here as blind indexes only, and fade within the hour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from limen.platform.sql import Instant, Json, Work, bind, insert_new, statement, table

SENDS: Final = table(
    "notice_sends",
    sa.Column("address", sa.LargeBinary, primary_key=True),  # blind index of channel and address, and of who asked
    sa.Column("times", Json(tuple[datetime, ...]), nullable=False),  # of the last sends that still count
    sa.Column("latest", Instant, nullable=False),
    sa.Column("refused_at", Instant),  # when the log was last told of a refusal
    sa.Index("notice_sends_by_age", "tenant", "latest"),
)

TOTALS: Final = table(
    "notice_totals",
    sa.Column("name", sa.LargeBinary, primary_key=True),  # blind index of what is counted together
    sa.Column("hour", Instant, nullable=False),  # the hour of the clock that `count` is of
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("told_at", Instant),  # when the log was last told of a refusal
    sa.Column("latest", Instant, nullable=False),
    sa.Index("notice_totals_by_age", "tenant", "latest"),
)

_C = SENDS.c
_T = TOTALS.c
_NAMED = (_T.tenant == bind("tenant"), _T.name == bind("name"))
_HERE = (_C.tenant == bind("tenant"), _C.address == bind("address"))
_FADED_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class Sends:
    """An address's sends."""

    times: tuple[datetime, ...]
    refused_at: datetime | None


@dataclass(frozen=True, slots=True)
class Total:
    """What was counted together in an hour of the clock."""

    hour: datetime
    count: int
    told_at: datetime | None


def _fading(counts: sa.Table, key: sa.Column[bytes]) -> Callable[[str], sa.Executable]:
    def fade(dialect: str) -> sa.Executable:
        old = sa.select(key).where(counts.c.tenant == bind("tenant"), counts.c.latest < bind("since")).limit(_FADED_AT_ONCE)
        if dialect == "postgresql":
            old = old.with_for_update(skip_locked=True)  # two Works that sweep the same rows in different order would deadlock
        return sa.delete(counts).where(counts.c.tenant == bind("tenant"), key.in_(old))

    return fade


_ADD = statement(insert_new(SENDS, ("tenant", "address")))
_HOLD = statement(sa.select(_C.times, _C.refused_at).where(*_HERE).with_for_update(), into=Sends)
_COUNT = statement(sa.update(SENDS).where(*_HERE).values(times=bind("times"), latest=bind("now")))
_REFUSE = statement(sa.update(SENDS).where(*_HERE).values(refused_at=bind("now")))
_MOVE = statement(sa.delete(SENDS).where(*_HERE).returning(_C.times, _C.refused_at), into=Sends)
_MOVED = statement(sa.update(SENDS).where(*_HERE).values(times=bind("times"), latest=bind("latest"), refused_at=bind("refused_at")))
_FADE = statement(_fading(SENDS, _C.address))
_ADD_TOTAL = statement(insert_new(TOTALS, ("tenant", "name")))
_HOLD_TOTAL = statement(sa.select(_T.hour, _T["count"], _T.told_at).where(*_NAMED).with_for_update(), into=Total)
_COUNT_TOTAL = statement(sa.update(TOTALS).where(*_NAMED).values(hour=bind("hour"), count=bind("count"), latest=bind("now")))
_TELL_TOTAL = statement(sa.update(TOTALS).where(*_NAMED).values(told_at=bind("now"), latest=bind("now")))
_FADE_TOTALS = statement(_fading(TOTALS, _T.name))


async def take(work: Work, address: bytes) -> Sends:
    """Hold an address's row, made if need be, so that two at the same time count one after the other."""
    held = await work.one(_HOLD, address=address)
    if held is None:
        await work.run(_ADD, address=address, times=(), latest=work.now, refused_at=None)
        held = await work.one(_HOLD, address=address)
    return held or Sends((), None)


async def move(work: Work, before: bytes, address: bytes, held: Sends) -> Sends:
    """Add what was counted under the index of an older key to the row that is held; return what that holds then."""
    older = await work.one(_MOVE, address=before)
    if older is None:
        return held
    times = tuple(sorted((*older.times, *held.times)))
    refused_at = max((instant for instant in (older.refused_at, held.refused_at) if instant is not None), default=None)
    await work.run(_MOVED, address=address, times=times, latest=times[-1] if times else work.now, refused_at=refused_at)
    return Sends(times, refused_at)


async def count(work: Work, address: bytes, times: Sequence[datetime]) -> None:
    """Write the sends that count, the present one included."""
    await work.run(_COUNT, address=address, times=times, now=work.now)


async def refuse(work: Work, address: bytes) -> None:
    """Note that the log was told of a refusal."""
    await work.run(_REFUSE, address=address, now=work.now)


async def fade(work: Work, since: datetime) -> None:
    """Forget some addresses that had nothing since."""
    await work.run(_FADE, since=since)


async def take_total(work: Work, name: bytes) -> Total:
    """Hold the row of what is counted together, made if need be."""
    held = await work.one(_HOLD_TOTAL, name=name)
    if held is None:
        await work.run(_ADD_TOTAL, name=name, hour=work.now, count=0, told_at=None, latest=work.now)
        held = await work.one(_HOLD_TOTAL, name=name)
    return held or Total(work.now, 0, None)


async def count_total(work: Work, name: bytes, hour: datetime, count: int) -> None:
    """Write how many there are in this hour, the present one included."""
    await work.run(_COUNT_TOTAL, name=name, hour=hour, count=count, now=work.now)


async def tell_total(work: Work, name: bytes) -> None:
    """Note that the log was told of a refusal."""
    await work.run(_TELL_TOTAL, name=name, now=work.now)


async def fade_totals(work: Work, since: datetime) -> None:
    """Forget some of what was counted together, and had nothing since."""
    await work.run(_FADE_TOTALS, since=since)
