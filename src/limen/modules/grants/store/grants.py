"""Statements on grants and their refresh tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from limen.kernel.ids import AccountId, ClientId, GrantId, SessionId, TokenId
from limen.modules import sessions
from limen.modules.grants.model import Ending, Grant, Permit
from limen.modules.grants.store.tables import FLOORS, GRANTS, PERMIT, REVOKED
from limen.platform.sql import Reader, Work, bind, insert_row, one_of, statement, upsert

_G: Final = GRANTS.c
_F: Final = FLOORS.c
_R: Final = REVOKED.c
_TICK: Final = timedelta(microseconds=1)

_TENANT: Final = _G.tenant == bind("tenant")
_HERE: Final = (_TENANT, _G.id == bind("id"))
_OF_ACCOUNT: Final = (_TENANT, _G.account == bind("account"))
_FLOOR: Final = sa.select(_F.not_before).where(_F.tenant == _G.tenant, _F.account == _G.account)
# not outer joins: SQLite takes 20 us for one that finds nothing, and 1 us to learn that there is nothing
_ALIVE: Final = (_G.ended_at.is_(None), _G.expires > bind("now"), ~_FLOOR.where(_F.not_before >= _G.anchored).exists())
_UNREVOKED: Final = ~sa.select(_R.id).where(_R.tenant == _G.tenant, _R.id == bind("token")).exists()
_COLUMNS: Final = (_G.id, *(_G[name] for name in PERMIT), _G.created, _G.expires, _G.idle_until, _G.last_used, _G.ended_at)
_SESSION: Final = sessions.living(_G.session)
_MOST: Final = bind("most", sa.Integer)


class Chain(msgspec.Struct, frozen=True):
    """A grant held, with where its refresh tokens stand."""

    grant: Grant
    key: bytes | None
    generation: int
    digest: bytes | None
    rotated_at: datetime
    floor: datetime | None
    anchored: datetime
    session: SessionId | None
    """Its session, if that lives."""

    @property
    def floored(self) -> bool:
        """Whether the account's floor was raised above it: it is dead, though its row does not say so yet."""
        return self.floor is not None and self.anchored <= self.floor


class Beginning(msgspec.Struct, frozen=True):
    """Where a family of refresh tokens begins."""

    key: bytes
    digest: bytes


class Turned(NamedTuple):
    """Where a family of refresh tokens stands from now on, and until when unless it is used."""

    generation: int
    digest: bytes
    until: datetime


@dataclass(frozen=True, slots=True)
class EndedRow:
    """A grant that was just ended."""

    id: GrantId
    account: AccountId
    client: ClientId
    session: SessionId
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScopedRow:
    """A grant that has not ended, and what it lets."""

    id: GrantId
    session: SessionId
    scopes: tuple[str, ...]


def _grant(*columns: Any) -> Grant:  # noqa: ANN401 - what the statement selects, in the order of the fields
    return Grant(columns[0], Permit(*columns[1:10]), *columns[10:])


def _chain(*columns: Any) -> Chain:  # noqa: ANN401 - likewise
    return Chain(_grant(*columns[:15]), *columns[15:])


def _standing(*columns: Any) -> Grant | None:  # noqa: ANN401 - likewise, and its session if that lives
    grant = _grant(*columns[:15])
    return grant if columns[15] is not None or not grant.permit.bound_to_session else None


def _permit(*columns: Any) -> Permit | None:  # noqa: ANN401 - likewise, of a permit alone
    permit = Permit(*columns[:9])
    return permit if columns[9] is not None or not permit.bound_to_session else None


_ADD = statement(insert_row(GRANTS))
_FIND = statement(sa.select(*_COLUMNS, _SESSION).where(*_HERE, *_ALIVE), into=_standing)
_PERMIT = statement(sa.select(*(_G[name] for name in PERMIT), _SESSION).where(*_HERE, *_ALIVE, _UNREVOKED), into=_permit)
_CHAINED: Final = sa.select(*_COLUMNS, _G.family_key, _G.generation, _G.refresh_digest, _G.rotated_at, _FLOOR.scalar_subquery(), _G.anchored, _SESSION).where(
    *_HERE
)
_CHAIN = statement(_CHAINED, into=_chain)
_ROTATE = statement(
    sa.update(GRANTS)
    .where(*_HERE, _G.generation == bind("before"), _G.scopes == bind("permitted"), _G.ended_at.is_(None))
    .values(generation=bind("next"), refresh_digest=bind("digest"), rotated_at=bind("now"), last_used=bind("now"), idle_until=bind("until"))
)
_END = statement(
    sa.update(GRANTS)
    .where(_TENANT, one_of(_G.id, "ids"), _G.ended_at.is_(None))
    .values(ended_at=bind("now"), reason=bind("why"), family_key=None)
    .returning(_G.id, _G.account, _G.client, _G.session, _G.scopes),
    into=EndedRow,
)
_OPEN_OF_ACCOUNT = statement(
    sa.select(_G.id).where(*_OF_ACCOUNT, _G.ended_at.is_(None), _G.anchored <= bind("floor")).order_by(_G.id).limit(_MOST), into=GrantId
)
_OPEN_OF_CLIENT = statement(sa.select(_G.id).where(*_OF_ACCOUNT, _G.client == bind("client"), _G.ended_at.is_(None)).order_by(_G.id).limit(_MOST), into=GrantId)
_SCOPES_OF_CLIENT = statement(
    sa.select(_G.id, _G.session, _G.scopes)
    .where(*_OF_ACCOUNT, _G.client == bind("client"), _G.ended_at.is_(None), _G.id > bind("after"))
    .order_by(_G.id)
    .limit(_MOST)
    .with_for_update(),
    into=ScopedRow,
)
_NARROW = statement(sa.update(GRANTS).where(*_HERE, _G.ended_at.is_(None)).values(scopes=bind("scopes")))
_OPEN_OF_APP = statement(sa.select(_G.id).where(_TENANT, _G.client == bind("client"), _G.ended_at.is_(None)).order_by(_G.id).limit(_MOST), into=GrantId)
_OPEN_OF_SESSION = statement(
    sa.select(*_COLUMNS).where(_TENANT, _G.session == bind("session"), _G.ended_at.is_(None), _G.id > bind("after")).order_by(_G.id).limit(_MOST), into=_grant
)
_CLIENTS_OF_SESSION = statement(
    sa.select(_G.client).where(_TENANT, _G.session == bind("session"), _G.client > bind("after")).distinct().order_by(_G.client).limit(_MOST), into=ClientId
)
_ALIVE_OF = statement(sa.select(*_COLUMNS).where(*_OF_ACCOUNT, *_ALIVE).order_by(_G.last_used.desc()).limit(_MOST), into=_grant)
_ALL_OF = statement(sa.select(*_COLUMNS).where(*_OF_ACCOUNT, _G.id > bind("after")).order_by(_G.id).limit(_MOST), into=_grant)
_NEWEST = statement(sa.select(sa.func.max(_G.anchored)).where(*_OF_ACCOUNT, _G.ended_at.is_(None)), into=lambda instant: instant)
_RAISE_FLOOR = statement(upsert(FLOORS, key=("account",), set=("not_before",)))
_LIFT = statement(sa.update(GRANTS).where(*_OF_ACCOUNT, _G.session == bind("kept"), _G.ended_at.is_(None)).values(anchored=bind("instant")))
_DROP_OF = statement(sa.delete(GRANTS).where(*_OF_ACCOUNT))
_DROP_FLOOR_OF = statement(sa.delete(FLOORS).where(_F.tenant == bind("tenant"), _F.account == bind("account")))
_DROP_OLD = statement(
    sa.delete(GRANTS).where(_TENANT, _G.id.in_(sa.select(_G.id).where(_TENANT, _G.expires <= bind("before")).order_by(_G.expires).limit(_MOST)))
)
_FAMILIES = statement(
    sa.select(_G.id, _G.family_key).where(_TENANT, _G.id > bind("after"), _G.family_key.is_not(None)).order_by(_G.id).limit(_MOST),
)
_RESEAL = statement(sa.update(GRANTS).where(*_HERE, _G.family_key == bind("before")).values(family_key=bind("sealed")))
_ANY = statement(sa.select(_G.id).where(_TENANT).limit(1))


def add(work: Work, grant: Grant, family: Beginning | None) -> None:
    """Store a new grant, above a floor that was raised in the same instant; `family` if it may be refreshed."""
    work.put(
        _ADD,
        id=grant.id,
        **{name: getattr(grant.permit, name) for name in PERMIT},
        created=grant.created,
        anchored=grant.created + _TICK,
        expires=grant.expires,
        idle_until=grant.idle_until,
        last_used=grant.last_used,
        family_key=family.key if family else None,
        generation=0,
        refresh_digest=family.digest if family else None,
        rotated_at=grant.created,
        ended_at=None,
        reason=None,
    )


async def find(reader: Reader, grant: GrantId) -> Grant | None:
    """Return a grant that stands, its session too where it needs one."""
    return await reader.one(_FIND, id=grant, now=reader.now)


async def permit(reader: Reader, grant: GrantId, token: TokenId) -> Permit | None:
    """Return what a grant that stands lets, its session too where it needs one, if this token of it was not revoked."""
    return await reader.one(_PERMIT, id=grant, token=token, now=reader.now)


async def chain(reader: Reader, grant: GrantId) -> Chain | None:
    """Return a grant, ended or not, with where its refresh tokens stand."""
    return await reader.one(_CHAIN, id=grant, now=reader.now)


async def look(work: Work, grant: GrantId) -> Chain | None:
    """Return a grant, ended or not, with where its refresh tokens stand; `rotate` claims that it stands there still."""
    return await work.look(_CHAIN, id=grant, now=work.now)


def rotate(work: Work, grant: Grant, generation: int, turned: Turned) -> None:
    """Claim a grant that stands at `generation` and lets what it lets, and store where its refresh tokens stand from now on."""
    work.claim(
        _ROTATE,
        id=grant.id,
        before=generation,
        permitted=grant.permit.scopes,
        next=turned.generation,
        digest=turned.digest,
        now=work.now,
        until=turned.until,
    )


async def end(work: Work, grants: Sequence[GrantId], why: Ending) -> list[EndedRow]:
    """End these grants; return those that had not ended before."""
    return await work.all(_END, ids=grants, now=work.now, why=why) if grants else []


async def open_of_account(work: Work, account: AccountId, floor: datetime, most: int) -> list[GrantId]:
    """Return grants of the account below a floor whose rows do not say yet that they have ended."""
    return await work.all(_OPEN_OF_ACCOUNT, account=account, floor=floor, most=most)


async def open_of_client(work: Work, account: AccountId, client: ClientId, most: int) -> list[GrantId]:
    """Return grants of the account to a client that have not ended."""
    return await work.all(_OPEN_OF_CLIENT, account=account, client=client, most=most)


async def open_of_app(work: Work, client: ClientId, most: int) -> list[GrantId]:
    """Return grants of anybody to a client that have not ended."""
    return await work.all(_OPEN_OF_APP, client=client, most=most)


async def open_of_session(work: Work, session: SessionId, after: str, most: int) -> list[Grant]:
    """Return grants that came from a session and have not ended, behind the id `after`."""
    return await work.all(_OPEN_OF_SESSION, session=session, after=after, most=most)


async def clients_of_session(reader: Reader, session: SessionId, after: str, most: int) -> list[ClientId]:
    """Return whom anything was granted to from a session, ended or not, behind the id `after`."""
    return await reader.all(_CLIENTS_OF_SESSION, session=session, after=after, most=most)


async def alive_of(reader: Reader, account: AccountId, most: int) -> list[Grant]:
    """Return what stands of an account, last used first."""
    return await reader.all(_ALIVE_OF, account=account, now=reader.now, most=most)


async def all_of(reader: Reader, account: AccountId, after: str, most: int) -> list[Grant]:
    """Return the account's grants, ended ones too, in the order of their ids."""
    return await reader.all(_ALL_OF, account=account, after=after, most=most)


async def raise_floor(work: Work, account: AccountId, kept: SessionId | None) -> datetime:
    """Make every grant of the account dead that there is, save those of the session `kept`; return the floor they lie below.

    That is now, or later: a Work that began after this one may have made a grant before it, and another process's clock may be ahead.
    """
    newest: datetime | None = await work.one(_NEWEST, account=account)
    floor = work.now if newest is None else max(work.now, newest)
    await work.run(_RAISE_FLOOR, account=account, not_before=floor)
    if kept is not None:
        await work.run(_LIFT, account=account, kept=kept, instant=floor + _TICK)
    return floor


async def drop_of(work: Work, account: AccountId) -> None:
    """Delete the account's grants and its floor."""
    await work.run(_DROP_OF, account=account)
    await work.run(_DROP_FLOOR_OF, account=account)


async def drop_old(work: Work, before: datetime, most: int) -> int:
    """Delete grants whose last limit lay before an instant; return how many went."""
    return await work.run(_DROP_OLD, before=before, most=most)


async def families(reader: Reader, after: str, most: int) -> list[tuple[GrantId, bytes]]:
    """Return grants that can be refreshed, each with its family's sealed key, in the order of their ids."""
    return await reader.all(_FAMILIES, after=after, most=most)


async def reseal(work: Work, grant: GrantId, before: bytes, sealed: bytes) -> int:
    """Store a family's key as sealed anew, unless the grant has ended meanwhile."""
    return await work.run(_RESEAL, id=grant, before=before, sealed=sealed)


async def any_left(reader: Reader) -> bool:
    """True if the tenant has a grant."""
    return await reader.one(_ANY) is not None


async def scopes_of_client(work: Work, account: AccountId, client: ClientId, after: str, most: int) -> list[ScopedRow]:
    """Return grants of the account to a client that have not ended, behind an id, and hold their rows."""
    return await work.all(_SCOPES_OF_CLIENT, account=account, client=client, after=after, most=most)


async def narrow(work: Work, grant: GrantId, scopes: tuple[str, ...]) -> None:
    """Leave a grant with these scopes."""
    await work.run(_NARROW, id=grant, scopes=scopes)
