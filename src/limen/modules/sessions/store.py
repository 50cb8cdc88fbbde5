"""Tables of sessions. A cookie's secret is here as a digest only; where a session was opened is sealed under its owner's key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa

from limen.kernel.ids import AccountId, SessionId
from limen.modules.sessions import model
from limen.modules.sessions.model import EndReason, Session
from limen.platform.crypto import Box, Place
from limen.platform.sql import Choice, Id, Instant, Json, Reader, Work, beside, bind, insert_row, one_of, statement, table, upsert

SESSIONS: Final = table(
    "sessions",
    sa.Column("id", Id, primary_key=True),
    sa.Column("account", Id, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),  # of the cookie's secret
    sa.Column("acr", sa.Text, nullable=False),
    sa.Column("amr", Json(tuple[str, ...]), nullable=False),
    sa.Column("auth_time", Instant, nullable=False),
    sa.Column("created", Instant, nullable=False),
    sa.Column("anchored", Instant, nullable=False),  # lives only while later than the account's `not_before`
    sa.Column("last_seen", Instant, nullable=False),
    sa.Column("idle_until", Instant, nullable=False),  # never later than `expires`
    sa.Column("expires", Instant, nullable=False),
    sa.Column("place", sa.LargeBinary),  # address and user agent, sealed under the subject's key
    sa.Column("address_hash", sa.LargeBinary),  # keyed, for search
    sa.Column("ended_at", Instant),
    sa.Column("reason", Choice(EndReason)),
    sa.Index("sessions_by_digest", "tenant", "digest", unique=True),
    sa.Index("sessions_by_account", "tenant", "account", "last_seen"),
    sa.Index("sessions_by_age", "tenant", "ended_at", "idle_until"),
    rowid=True,
)
FLOORS: Final = table(
    "session_floors",
    sa.Column("account", Id, primary_key=True),
    sa.Column("not_before", Instant, nullable=False),  # sessions anchored up to here are dead, whether or not their rows say so yet
)

_S = SESSIONS.c
_F = FLOORS.c
_TENANT = _S.tenant == bind("tenant")
_HERE = (_TENANT, _S.id == bind("id"))
_ABOVE_FLOOR = ~sa.select(_F.not_before).where(_F.tenant == _S.tenant, _F.account == _S.account, _F.not_before >= _S.anchored).exists()
_ALIVE = (_S.ended_at.is_(None), _S.idle_until > bind("now"), _ABOVE_FLOOR)
_COLUMNS = (_S.id, _S.account, _S.acr, _S.amr, _S.auth_time, _S.created, _S.last_seen, _S.idle_until, _S.expires)


@dataclass(frozen=True, slots=True)
class Kept:
    """A session with its sealed place."""

    session: Session
    place: bytes | None


def _kept(*values: object) -> Kept:
    return Kept(Session(*values[:-1]), values[-1])  # type: ignore[arg-type] # the columns above, in the order of the fields


def living(session: sa.Column[str], *, held: bool = False) -> sa.ColumnElement[str | None]:
    """Return what a statement of another store asks for beside its own: the id of the session that its row names, null unless it lives at `now`.

    With `held` its end waits until the Work has, as by `keep`.
    """
    row = session.table
    found = sa.select(_S.id).where(_S.tenant == row.c.tenant, _S.id == session, *_ALIVE)
    return beside(found.with_for_update(read=True, of=SESSIONS) if held else found, row)


_ADD = statement(insert_row(SESSIONS))
_BY_DIGEST = statement(sa.select(*_COLUMNS).where(_TENANT, _S.digest == bind("digest"), *_ALIVE), into=Session)
_FIND = statement(sa.select(*_COLUMNS).where(*_HERE, *_ALIVE), into=Session)
_KEEP = statement(sa.select(*_COLUMNS).where(*_HERE, *_ALIVE).with_for_update(read=True, of=SESSIONS), into=Session)
_HOLD = statement(sa.select(*_COLUMNS).where(*_HERE, _S.ended_at.is_(None)).with_for_update(), into=Session)
_ALIVE_OF = statement(
    sa.select(*_COLUMNS, _S.place).where(_TENANT, _S.account == bind("account"), *_ALIVE).order_by(_S.last_seen.desc()).limit(bind("most", sa.Integer)),
    into=_kept,
)
_ALL_OF = statement(
    sa.select(*_COLUMNS, _S.place).where(_TENANT, _S.account == bind("account"), _S.id > bind("after")).order_by(_S.id).limit(bind("most", sa.Integer)),
    into=_kept,
)
_PLACED = statement(
    sa.select(*_COLUMNS, _S.place, _S.address_hash)
    .where(_TENANT, _S.id > bind("after"), _S.place.is_not(None))
    .order_by(_S.id)
    .limit(bind("most", sa.Integer)),
    into=lambda *values: (_kept(*values[:-1]), values[-1]),
)
_REHASH = statement(sa.update(SESSIONS).where(*_HERE, _S.address_hash == bind("before")).values(address_hash=bind("address_hash")))
_OPEN_OF = statement(
    sa.select(_S.id)
    .where(_TENANT, _S.account == bind("account"), _S.ended_at.is_(None), _S.anchored <= bind("floor"))
    .order_by(_S.id)
    .limit(bind("most", sa.Integer)),
    into=SessionId,
)
_OUTDATED = statement(
    sa.select(_S.id, _S.account).where(_TENANT, _S.ended_at.is_(None), _S.idle_until <= bind("now")).order_by(_S.idle_until).limit(bind("most", sa.Integer))
)
_ANY_OPEN = statement(sa.select(_S.id).where(_TENANT, _S.ended_at.is_(None)).limit(1))
_TOUCH = statement(
    sa.update(SESSIONS).where(*_HERE, _S.ended_at.is_(None), _S.last_seen <= bind("before")).values(last_seen=bind("now"), idle_until=bind("idle_until"))
)
_RENEW = statement(
    sa.update(SESSIONS)
    .where(*_HERE, _S.ended_at.is_(None))
    .values(
        digest=bind("digest"),
        acr=bind("acr"),
        amr=bind("amr"),
        auth_time=bind("auth_time"),
        last_seen=bind("now"),
        idle_until=bind("idle_until"),
        place=bind("place"),
        address_hash=bind("address_hash"),
    )
)
_END = statement(
    sa.update(SESSIONS).where(*_HERE, _S.ended_at.is_(None)).values(ended_at=bind("now"), reason=bind("reason")).returning(_S.account), into=AccountId
)
_END_MANY = statement(sa.update(SESSIONS).where(_TENANT, one_of(_S.id, "ids"), _S.ended_at.is_(None)).values(ended_at=bind("now"), reason=bind("reason")))
_LIFT = statement(sa.update(SESSIONS).where(*_HERE, _S.account == bind("account"), _S.ended_at.is_(None)).values(anchored=bind("anchored")))
_FLOOR = statement(sa.select(_F.not_before).where(_F.tenant == bind("tenant"), _F.account == bind("account")), into=lambda instant: instant)
_NEWEST = statement(sa.select(sa.func.max(_S.anchored)).where(_TENANT, _S.account == bind("account"), _S.ended_at.is_(None)), into=lambda instant: instant)
_RAISE_FLOOR = statement(upsert(FLOORS, key=("tenant", "account"), set=("not_before",)))
_OLD = statement(
    sa.select(_S.id).where(_TENANT, _S.ended_at.is_not(None), _S.ended_at <= bind("before")).order_by(_S.ended_at).limit(bind("most", sa.Integer)),
    into=SessionId,
)
_DROP = statement(sa.delete(SESSIONS).where(_TENANT, one_of(_S.id, "ids")))
_SOME_OF = statement(sa.select(_S.id).where(_TENANT, _S.account == bind("account")).limit(bind("most", sa.Integer)), into=SessionId)
_DROP_FLOOR = statement(sa.delete(FLOORS).where(_F.tenant == bind("tenant"), _F.account == bind("account")))

_TICK: Final = timedelta(microseconds=1)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(model.Place).decode


@dataclass(frozen=True, slots=True)
class Whence:
    """Where a session is opened, ready to be stored."""

    place: bytes | None
    address_hash: bytes | None


def sealed(reader: Reader, box: Box, session: SessionId, place: model.Place) -> bytes:
    """Return where a session was opened, sealed under its owner's key."""
    return box.seal(_encode(place), _sealed_at(reader, session))


def unsealed(reader: Reader, box: Box, kept: Kept) -> model.Place:
    """Return where a session was opened; empty where nobody said."""
    return model.Place("", "") if kept.place is None else _decode(box.open(kept.place, _sealed_at(reader, kept.session.id)))


def _sealed_at(reader: Reader, session: SessionId) -> Place:
    return Place("sessions", "place", reader.tenant, session)


async def add(work: Work, session: Session, digest: bytes, whence: Whence) -> None:
    """Store a new session, above its account's floor though that was raised in the same instant, or by a process whose clock is ahead."""
    floor: datetime | None = await work.one(_FLOOR, account=session.account)
    await work.run(
        _ADD,
        id=session.id,
        account=session.account,
        digest=digest,
        acr=session.acr,
        amr=session.amr,
        auth_time=session.auth_time,
        created=session.created,
        anchored=(session.created if floor is None else max(session.created, floor)) + _TICK,
        last_seen=session.last_seen,
        idle_until=session.idle_until,
        expires=session.expires,
        place=whence.place,
        address_hash=whence.address_hash,
        ended_at=None,
        reason=None,
    )


async def by_digest(reader: Reader, digest: bytes) -> Session | None:
    """Return the living session whose cookie's secret has this digest."""
    return await reader.one(_BY_DIGEST, digest=digest, now=reader.now)


async def find(reader: Reader, session: SessionId) -> Session | None:
    """Return a living session."""
    return await reader.one(_FIND, id=session, now=reader.now)


async def keep(work: Work, session: SessionId) -> Session | None:
    """Return a living session whose end waits until the Work has."""
    return await work.one(_KEEP, id=session, now=work.now)


async def take(work: Work, session: SessionId) -> Session | None:
    """Return a session that has not ended and hold its row; its age is for the caller to judge."""
    return await work.one(_HOLD, id=session)


async def alive_of(reader: Reader, account: AccountId, most: int) -> list[Kept]:
    """Return the account's living sessions, last seen first."""
    return await reader.all(_ALIVE_OF, account=account, now=reader.now, most=most)


async def all_of(reader: Reader, account: AccountId, after: str, most: int) -> list[Kept]:
    """Return the account's sessions, ended ones too, in the order of their ids."""
    return await reader.all(_ALL_OF, account=account, after=after, most=most)


async def placed(reader: Reader, after: str, most: int) -> list[tuple[Kept, bytes]]:
    """Return sessions of all accounts that say where they were opened, each with the keyed hash of its address, in the order of their ids."""
    return await reader.all(_PLACED, after=after, most=most)


async def rehash(work: Work, session: SessionId, before: bytes, address_hash: bytes) -> int:
    """Store the hash of a session's address under another key, unless the session has got another address meanwhile."""
    return await work.run(_REHASH, id=session, before=before, address_hash=address_hash)


async def open_of(work: Work, account: AccountId, floor: datetime, most: int) -> list[SessionId]:
    """Return sessions of the account below a floor whose rows do not say yet that they have ended."""
    return await work.all(_OPEN_OF, account=account, floor=floor, most=most)


async def touch(work: Work, session: SessionId, before: datetime, idle_until: datetime) -> int:
    """Note that a session was seen now, unless somebody noted it after `before`."""
    return await work.run(_TOUCH, id=session, before=before, now=work.now, idle_until=idle_until)


async def renew(work: Work, session: Session, digest: bytes, whence: Whence) -> None:
    """Store what a new sign-in or a step-up changed."""
    await work.run(
        _RENEW,
        id=session.id,
        digest=digest,
        acr=session.acr,
        amr=session.amr,
        auth_time=session.auth_time,
        now=work.now,
        idle_until=session.idle_until,
        place=whence.place,
        address_hash=whence.address_hash,
    )


async def end(work: Work, session: SessionId, reason: EndReason) -> AccountId | None:
    """End a session once; return whose it was."""
    return await work.one(_END, id=session, now=work.now, reason=reason)


async def end_many(work: Work, sessions: Sequence[SessionId], reason: EndReason) -> None:
    """End these sessions."""
    await work.run(_END_MANY, ids=sessions, now=work.now, reason=reason)


async def raise_floor(work: Work, account: AccountId, kept: SessionId | None) -> datetime:
    """Make every session of the account dead that there is, save `kept`; return the floor they lie below.

    That is now, or later: a Work that began after this one may have opened a session before it, and another process's clock may be ahead.
    """
    newest: datetime | None = await work.one(_NEWEST, account=account)
    floor = work.now if newest is None else max(work.now, newest)
    await work.run(_RAISE_FLOOR, account=account, not_before=floor)
    if kept is not None:
        await work.run(_LIFT, id=kept, account=account, anchored=floor + _TICK)
    return floor


async def outdated(work: Work, most: int) -> list[tuple[SessionId, AccountId]]:
    """Return (session, account) of sessions past their time that have not been ended."""
    return await work.all(_OUTDATED, now=work.now, most=most)


async def any_open(reader: Reader) -> bool:
    """True if the tenant has a session that has not ended."""
    return await reader.one(_ANY_OPEN) is not None


async def drop_ended(work: Work, before: datetime, most: int) -> int:
    """Delete sessions that ended before an instant; return how many went."""
    found: list[SessionId] = await work.all(_OLD, before=before, most=most)
    return await work.run(_DROP, ids=found) if found else 0


async def drop_of(work: Work, account: AccountId, most: int) -> int:
    """Delete sessions of an account, and its floor; return how many sessions went."""
    await work.run(_DROP_FLOOR, account=account)
    found: list[SessionId] = await work.all(_SOME_OF, account=account, most=most)
    return await work.run(_DROP, ids=found) if found else 0
