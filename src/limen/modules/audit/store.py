"""Reads the log of facts. The table belongs to the storage; the indexes by kind and by actor are ours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from limen.kernel.ids import AccountId
from limen.modules.audit.model import Entry, Key, Position
from limen.platform.sql import FACTS, Id, Reader, Statement, bind, one_of, statement

_C = FACTS.c
_PERSON: Final = "actor > 'client;' AND actor < 'system'"
"""Actors that are people, `customer:...` and `operator:...`. Clients are too many facts to be indexed and dense enough to be found by time."""

sa.Index("facts_by_kind", _C.tenant, _C.name, _C.at)
sa.Index("facts_by_person", _C.tenant, _C.actor, _C.at, sqlite_where=sa.text(_PERSON), postgresql_where=sa.text(_PERSON))


def _keys(*more: sa.ColumnElement[bool] | sa.TextClause) -> Statement[Key]:
    """Make the statement for keys behind a position; each of them is one walk along one index."""
    behind = sa.tuple_(_C.at, _C.seq) < sa.tuple_(bind("at", _C.at.type), bind("seq", sa.BigInteger))
    return statement(
        sa.select(_C.at, _C.seq, _C.name, _C.actor)
        .where(_C.tenant == bind("tenant"), *more, _C.at >= bind("since"), _C.at <= bind("at"), behind)
        .order_by(_C.at.desc(), _C.seq.desc())
        .limit(bind("limit", sa.Integer)),
        into=Key,
    )


def _naming() -> sa.Select[tuple[str]]:
    """Hop from name to name along the index: as many steps as there are names, however many facts."""
    facts = FACTS.alias("f")
    within = (FACTS.c.tenant == bind("tenant"), FACTS.c.name < bind("end", Id))
    chain = sa.select(sa.func.min(FACTS.c.name, type_=Id).label("name")).where(*within, FACTS.c.name >= bind("begin", Id)).cte("chain", recursive=True)
    following = (
        sa.select(sa.func.min(facts.c.name, type_=Id))
        .where(facts.c.tenant == bind("tenant"), facts.c.name > chain.c.name, facts.c.name < bind("end", Id))
        .scalar_subquery()
    )
    chain = chain.union_all(sa.select(following).where(chain.c.name.is_not(None)))
    return sa.select(chain.c.name).where(chain.c.name.is_not(None))


_BY_TIME = _keys()
_BY_SUBJECT = _keys(_C.subject == bind("subject"), _C.subject.is_not(None))
_BY_KIND = _keys(_C.name == bind("name"))
_BY_PERSON = _keys(_C.actor == bind("actor"), sa.text(_PERSON))
_NAMES = statement(_naming(), into=str)
_ENTRIES = statement(
    sa.select(_C.seq, _C.at, _C.name, _C.subject, _C.actor, _C.data, _C.private).where(_C.tenant == bind("tenant"), one_of(_C.seq, "seqs")), into=Entry
)


async def by_time(reader: Reader, after: Position, since: datetime, limit: int) -> list[Key]:
    """Return the next keys, newest first."""
    return await reader.all(_BY_TIME, at=after.at, seq=after.seq, since=since, limit=limit)


async def by_subject(reader: Reader, subject: AccountId, after: Position, since: datetime, limit: int) -> list[Key]:
    """Return the next keys about an account."""
    return await reader.all(_BY_SUBJECT, subject=subject, at=after.at, seq=after.seq, since=since, limit=limit)


async def by_kind(reader: Reader, name: str, after: Position, since: datetime, limit: int) -> list[Key]:
    """Return the next keys of one wire name."""
    return await reader.all(_BY_KIND, name=name, at=after.at, seq=after.seq, since=since, limit=limit)


async def by_person(reader: Reader, actor: str, after: Position, since: datetime, limit: int) -> list[Key]:
    """Return the next keys of what a customer or an operator did."""
    return await reader.all(_BY_PERSON, actor=actor, at=after.at, seq=after.seq, since=since, limit=limit)


async def names(reader: Reader, prefix: str) -> list[str]:
    """Return the wire names that begin so and that the tenant has facts of."""
    return await reader.all(_NAMES, begin=prefix, end=f"{prefix}\U0010ffff")


async def entries(reader: Reader, keys: Sequence[Key]) -> list[Entry]:
    """Return the facts of these keys, in their order."""
    found = {entry.seq: entry for entry in await reader.all(_ENTRIES, seqs=[key.seq for key in keys])}
    return [found[key.seq] for key in keys if key.seq in found]
