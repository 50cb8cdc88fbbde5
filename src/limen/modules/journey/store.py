"""The table of journeys. The state is sealed under the journey's own key, which the row holds wrapped by the epoch key until the journey ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa

from limen.kernel import ids
from limen.kernel.ids import JourneyId
from limen.modules.journey.model import LIFETIME_SECONDS, Ended, Return, State
from limen.platform.crypto import Box, Place, new_key
from limen.platform.sql import Id, Instant, Reader, Work, bind, insert_row, one_of, statement, table

PREFIX: Final = "jny"

JOURNEYS: Final = table(
    "journeys",
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("browser", sa.LargeBinary, nullable=False),  # digest of the binding cookie
    sa.Column("version", sa.Integer, nullable=False),  # grows with every answer that was settled
    sa.Column("key", sa.LargeBinary),  # wrapped by the epoch key; null once ended
    sa.Column("state", sa.LargeBinary),  # sealed under `key`; null once ended
    sa.Column("door", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("account", Id),  # these three from the end on
    sa.Column("session", Id),
    sa.Column("refusal", sa.Text, nullable=False),
    sa.Column("created", Instant, nullable=False),
    sa.Column("expires", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("taken_at", Instant),  # when the door took what came of it
    sa.Index("journeys_by_expiry", "tenant", "expires"),
    rowid=True,
)

_C = JOURNEYS.c
_HERE = (_C.tenant == bind("tenant"), _C.id == bind("id"))


@dataclass(frozen=True, slots=True)
class Row:
    """A journey as stored."""

    id: JourneyId
    kind: str
    browser: bytes
    version: int
    key: bytes | None
    state: bytes | None
    door: str
    record: str
    expires: datetime
    ended_at: datetime | None


_COLUMNS = (_C.id, _C.kind, _C.browser, _C.version, _C.key, _C.state, _C.door, _C.record, _C.expires, _C.ended_at)

_ADD = statement(insert_row(JOURNEYS))
_FIND = statement(sa.select(*_COLUMNS).where(*_HERE), into=Row)
_HOLD = statement(sa.select(*_COLUMNS).where(*_HERE).with_for_update(), into=Row)
_SAVE = statement(sa.update(JOURNEYS).where(*_HERE).values(kind=bind("kind"), state=bind("state"), version=bind("version")))
_END = statement(
    sa.update(JOURNEYS)
    .where(*_HERE)
    .values(
        kind=bind("kind"),
        version=bind("version"),
        key=None,
        state=None,
        account=bind("account"),
        session=bind("session"),
        refusal=bind("refusal"),
        ended_at=bind("now"),
    )
)
_CONSUME = statement(
    sa.update(JOURNEYS)
    .where(*_HERE, _C.browser == bind("browser"), _C.ended_at.is_not(None), _C.taken_at.is_(None), _C.expires > bind("now"))
    .values(taken_at=bind("now"))
    .returning(_C.id, _C.door, _C.record, _C.account, _C.session, _C.refusal),
    into=lambda id_, door, record, account, session, refusal: Ended(id_, Return(door, record), account, session, refusal),
)
_OUTDATED = statement(
    sa.select(_C.id).where(_C.tenant == bind("tenant"), _C.expires <= bind("now")).order_by(_C.expires).limit(bind("most", sa.Integer)),
    into=lambda id_: id_,
)
_ANY = statement(sa.select(_C.id).where(_C.tenant == bind("tenant")).limit(1))
_DROP = statement(sa.delete(JOURNEYS).where(_C.tenant == bind("tenant"), one_of(_C.id, "ids")))

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(State).decode


def _place(reader: Reader, column: str, journey: JourneyId) -> Place:
    return Place("journeys", column, reader.tenant, journey)


async def add(work: Work, state: State, browser: bytes) -> JourneyId:
    """Store a new journey for the browser with this digest."""
    journey = JourneyId(ids.new(PREFIX, work.now))
    key = new_key()
    await work.run(
        _ADD,
        id=journey,
        kind=state.kind,
        browser=browser,
        version=0,
        key=work.tx.db.keyring.epoch_wrap(key, _place(work, "key", journey)),
        state=Box(key).seal(_encode(state), _place(work, "state", journey)),
        door=state.ret.door,
        record=state.ret.record,
        account=None,
        session=None,
        refusal="",
        created=work.now,
        expires=work.now + timedelta(seconds=LIFETIME_SECONDS),
        ended_at=None,
        taken_at=None,
    )
    return journey


async def find(reader: Reader, journey: JourneyId) -> Row | None:
    """Return the stored journey."""
    return await reader.one(_FIND, id=journey)


async def take(work: Work, journey: JourneyId) -> Row | None:
    """Return the stored journey and hold its row until the Work ends."""
    return await work.one(_HOLD, id=journey)


def _box(reader: Reader, row: Row) -> Box:
    if row.key is None:
        raise ValueError("an ended journey has no key")
    return Box(reader.tx.db.keyring.epoch_unwrap(row.key, _place(reader, "key", row.id)))


def opened(reader: Reader, row: Row) -> State:
    """Return the state of a journey that has not ended."""
    if row.state is None:
        raise ValueError("an ended journey has no state")
    return _decode(_box(reader, row).open(row.state, _place(reader, "state", row.id)))


async def save(work: Work, row: Row, state: State) -> None:
    """Store the next state of the row held."""
    sealed = _box(work, row).seal(_encode(state), _place(work, "state", row.id))
    await work.run(_SAVE, id=row.id, kind=state.kind, state=sealed, version=row.version + 1)


async def end(work: Work, row: Row, state: State, refusal: str) -> None:
    """Store the end of the row held: its key and its state are gone, what the door needs stays."""
    await work.run(_END, id=row.id, kind=state.kind, version=row.version + 1, account=state.account, session=state.session, refusal=refusal, now=work.now)


async def consume(work: Work, journey: JourneyId, browser: bytes) -> Ended | None:
    """Return what came of an ended journey of that browser, the first time it is asked for."""
    return await work.one(_CONSUME, id=journey, browser=browser, now=work.now)


async def drop_outdated(work: Work, most: int) -> int:
    """Delete up to `most` journeys whose time is over; return how many went."""
    journeys: list[JourneyId] = await work.all(_OUTDATED, now=work.now, most=most)
    return await work.run(_DROP, ids=journeys) if journeys else 0


async def any_left(reader: Reader) -> bool:
    """True if the tenant has a journey in its table."""
    return await reader.one(_ANY) is not None
