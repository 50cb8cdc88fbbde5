"""How far the token watch has read, and what is usual for each client. The log itself is looked into by person, where there is reason to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from limen.kernel.ids import AccountId, ClientId
from limen.modules.oauth.watch.model import Profile
from limen.platform.sql import (
    FACTS,
    Id,
    Instant,
    Json,
    Reader,
    Work,
    bind,
    insert_new,
    last_position,
    one_of,
    server_table,
    statement,
    table,
    upsert,
)

STRETCHES: Final = server_table(
    "oauth_watch_stretches",
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),  # of the last fact that was taken in
    sa.Column("until", sa.BigInteger, nullable=False),  # of the last one of the stretch that is being taken in
)
TENANTS: Final = table(
    "oauth_watch_tenants",
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("hour", sa.BigInteger, nullable=False),  # since 1970
    sa.Column("raised", sa.Integer, nullable=False),  # anomalies within it
    sa.Column("relearn", sa.BigInteger, nullable=False),  # second since 1970 from which networks have the labels they have
)
CLIENTS: Final = table(
    "oauth_watch_clients",
    sa.Column("client", Id, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("seen", Instant, nullable=False),
    sa.Column("profile", Json(Profile), nullable=False),
    sa.Index("oauth_watch_clients_by_age", "tenant", "seen"),
    rowid=True,
)

_ONE: Final = "tokens"
_S, _T, _C, _F = STRETCHES.c, TENANTS.c, CLIENTS.c, FACTS.c
_TENANT = _T.tenant == bind("tenant")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the log: what lies behind `position`, up to `until`."""

    position: int
    until: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How the watch stands at one tenant."""

    position: int
    hour: int
    raised: int
    relearn: int


@dataclass(frozen=True, slots=True)
class Known:
    """A client's row."""

    client: ClientId
    position: int
    profile: Profile


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact about a person."""

    name: str
    at: datetime
    data: dict[str, object]


_BEGIN = statement(insert_new(STRETCHES))
_HOLD = statement(sa.select(_S.position, _S.until).where(_S.name == bind("name")).with_for_update(), into=Stretch)
_CLAIM = statement(sa.update(STRETCHES).where(_S.name == bind("name")).values(until=bind("until")))
_END = statement(sa.update(STRETCHES).where(_S.name == bind("name"), _S.position < bind("taken")).values(position=bind("position")))

_ENTER = statement(insert_new(TENANTS))
_HOLD_TENANT = statement(sa.select(_T.position, _T.hour, _T.raised, _T.relearn).where(_TENANT).with_for_update(), into=Standing)
_KEEP_TENANT = statement(
    sa.update(TENANTS).where(_TENANT).values(position=bind("position"), hour=bind("hour"), raised=bind("raised"), relearn=bind("relearn")),
)

_KNOWN = statement(sa.select(_C.client, _C.position, _C.profile).where(_C.tenant == bind("tenant"), one_of(_C.client, "clients")), into=Known)
_LEARNT = statement(upsert(CLIENTS, ["client"], ["position", "seen", "profile"]))
_DROP_OLD = statement(
    sa.delete(CLIENTS).where(
        _C.tenant == bind("tenant"),
        _C.client.in_(sa.select(_C.client).where(_C.tenant == bind("tenant"), _C.seen < bind("before")).order_by(_C.seen).limit(bind("most", sa.Integer))),
    )
)

_OF = statement(
    sa.select(_F.name, _F.at, _F.data)
    .where(_F.tenant == bind("tenant"), _F.subject == bind("subject"), _F.subject.is_not(None), _F.at >= bind("since"), one_of(_F.name, "names"))
    .order_by(_F.at.desc())
    .limit(bind("most", sa.Integer)),
    into=Entry,
)


async def begin(work: Work, most: int) -> Stretch:
    """Return the stretch to take in: the one that was begun and not ended, else the next of `most` facts. The first begins at the end of the log."""
    held = await work.one(_HOLD, name=_ONE)
    newest = await last_position(work)
    if held is None:
        await work.run(_BEGIN, name=_ONE, position=newest, until=newest)
        return Stretch(newest, newest)
    if held.until > held.position:
        return held
    until = min(newest, held.position + most)
    if until > held.position:
        await work.run(_CLAIM, name=_ONE, until=until)
    return Stretch(held.position, until)


async def end(work: Work, until: int) -> None:
    """Note that everything up to `until` has been taken in."""
    await work.run(_END, name=_ONE, position=until, taken=until)


async def hold(work: Work) -> Standing:
    """Hold the tenant's row: whatever the watch does there goes one after another."""
    held = await work.one(_HOLD_TENANT)
    if held is None:
        await work.run(_ENTER, position=0, hour=0, raised=0, relearn=0)
        held = await work.one(_HOLD_TENANT)
    return held or Standing(0, 0, 0, 0)


async def keep(work: Work, standing: Standing) -> None:
    """Write the tenant's row, which is held."""
    await work.run(_KEEP_TENANT, position=standing.position, hour=standing.hour, raised=standing.raised, relearn=standing.relearn)


async def known(work: Work, names: Sequence[ClientId]) -> dict[ClientId, Known]:
    """Return the rows of clients. The tenant's row is held, so nobody else writes them."""
    return {one.client: one for one in await work.all(_KNOWN, clients=names)}


async def learnt(work: Work, client: ClientId, position: int, profile: Profile) -> None:
    """Write a client's row."""
    await work.run(_LEARNT, client=client, position=position, seen=work.now, profile=profile)


async def drop_old(work: Work, before: datetime, most: int) -> int:
    """Forget clients that had no token since; return how many."""
    return await work.run(_DROP_OLD, before=before, most=most)


async def about(reader: Reader, account: AccountId, since: datetime, names: Sequence[str], most: int) -> list[Entry]:
    """Return what the log tells of a person under some names, newest first."""
    return await reader.all(_OF, subject=account, since=since, names=names, most=most)
