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
_OPERATOR: Final = "actor > 'operator:' AND actor < 'operator;'"
"""Operators act seldom and are asked after: they are worth an index. Customers and clients would double what a fact costs to write
(measured: 45 us more for a customer's); what a customer does mostly has her as subject, and clients are dense enough to be found by time.
"""

sa.Index("facts_by_kind", _C.tenant, _C.name, _C.at)
sa.Index("facts_by_operator", _C.tenant, _C.actor, _C.at, sqlite_where=sa.text(_OPERATOR), postgresql_where=sa.text(_OPERATOR))


def _keys(column: sa.ColumnElement[str] | None = None, word: str = "", also: str = "true") -> Statement[Key]:
    """Make the statement for keys behind a position, where `column` is `word` or anything: one walk along one index."""
    behind = sa.tuple_(_C.at, _C.seq) < sa.tuple_(bind("at", _C.at.type), bind("seq", sa.BigInteger))

    def build(dialect: str) -> sa.Executable:
        found = sa.select(_C.at, _C.seq, _C.name, _C.actor).where(_C.tenant == bind("tenant"), _C.at >= bind("since"), _C.at <= bind("at"), behind)
        if column is not None:
            mine = column == bind(word)
            # SQLite's planner keeps no figures, and would walk along all the tenant's facts of that time
            found = found.where(sa.func.unlikely(mine) if dialect == "sqlite" else mine, sa.text(also))
        return found.order_by(_C.at.desc(), _C.seq.desc()).limit(bind("limit", sa.Integer))

    return statement(build, into=Key)


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
_BY_SUBJECT = _keys(_C.subject, "subject", "subject IS NOT NULL")
_BY_KIND = _keys(_C.name, "name")
_BY_OPERATOR = _keys(_C.actor, "actor", _OPERATOR)
_NAMES = statement(_naming(), into=str)
_ENTRIES = statement(
    sa.select(_C.seq, _C.at, _C.name, _C.subject, _C.actor, _C.data, _C.private).where(
        (_C.tenant + "") == bind("tenant"),  # an expression, lest an index that begins with the tenant seem better than the numbers
        one_of(_C.seq, "seqs"),
    ),
    into=Entry,
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


async def by_operator(reader: Reader, actor: str, after: Position, since: datetime, limit: int) -> list[Key]:
    """Return the next keys of what an operator did."""
    return await reader.all(_BY_OPERATOR, actor=actor, at=after.at, seq=after.seq, since=since, limit=limit)


async def names(reader: Reader, prefix: str) -> list[str]:
    """Return the wire names that begin so and that the tenant has facts of."""
    return await reader.all(_NAMES, begin=prefix, end=f"{prefix}\U0010ffff")


async def entries(reader: Reader, keys: Sequence[Key]) -> list[Entry]:
    """Return the facts of these keys, in their order."""
    found = {entry.seq: entry for entry in await reader.all(_ENTRIES, seqs=[key.seq for key in keys])}
    return [found[key.seq] for key in keys if key.seq in found]
