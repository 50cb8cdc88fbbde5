"""The log of facts: one append-only table, written with the data it reports, read by position.

On SQLite a fact's `seq` is its position: one writer, so the numbers are dense and in the order of commits. On PostgreSQL `seq` is drawn
before the transaction commits, so it is neither; there a sequencer gives positions afterwards (`positions`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from limen.kernel.facts import Fact
from limen.kernel.ids import AccountId, TenantId
from limen.platform.sql.statements import statement
from limen.platform.sql.tables import ONLY, server_table
from limen.platform.sql.types import Id, Instant, Json, TransactionId, clean_json
from limen.platform.sql.work import Reader

_POSTGRESQL: Final = {ONLY: "postgresql"}

FACTS: Final = server_table(
    "facts",
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("tenant", Id, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("name", Id, nullable=False),
    sa.Column("subject", Id),
    sa.Column("actor", Id, nullable=False),
    sa.Column("data", Json(), nullable=False),
    sa.Column("private", sa.LargeBinary),
    sa.Column("era", sa.Integer, nullable=False, info=_POSTGRESQL),
    sa.Column("xid", TransactionId, nullable=False, server_default=sa.text("pg_current_xact_id()"), info=_POSTGRESQL),
    sa.Index("facts_by_time", "tenant", "at"),
    sa.Index("facts_by_subject", "tenant", "subject", "at", sqlite_where=sa.text("subject IS NOT NULL"), postgresql_where=sa.text("subject IS NOT NULL")),
    sa.Index("facts_by_commit", "era", "xid", "seq"),  # PostgreSQL only, as its columns are
    rowid=True,
)
"""The log. Search it by (tenant, at) or (tenant, subject, at); follow it by position (`facts_after`)."""

FACT_ORDER: Final = server_table(
    "fact_order",
    sa.Column("pos", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("era", sa.Integer, nullable=False),
    sa.Column("xid", TransactionId, nullable=False),
    only="postgresql",
)
"""Dense position of each fact, in an order that no later commit can come before."""


@dataclass(frozen=True, slots=True)
class StoredFact:
    """A fact as readers of the log get it; `data` holds the fact's own fields by name."""

    pos: int
    tenant: TenantId
    at: datetime
    name: str
    subject: AccountId | None
    actor: str
    data: Mapping[str, object]
    private: bytes | None


def _nothing(_: Fact) -> str:
    return "{}"


def _own_fields(kind: type[Fact]) -> Callable[[Fact], str]:
    """Generate the encoder of one kind of fact: its fields but those that have columns of their own."""
    names = [field.name for field in dataclasses.fields(kind) if field.name not in ("subject", "private")]
    if not names:
        return _nothing
    body = ", ".join(f"{name!r}: f.{name}" for name in names)
    encode = msgspec.json.Encoder().encode
    return eval(f"lambda f: clean(encode({{{body}}}))", {"encode": encode, "clean": clean_json})  # type: ignore[no-any-return] # noqa: S307 -- field names of a dataclass in this code base


_ENCODERS: Final[dict[type[Fact], Callable[[Fact], str]]] = {}

FactRow = tuple[TenantId, Any, str, AccountId | None, str, str, bytes | None]  # `at` is a number on SQLite, an instant on PostgreSQL


def fact_rows(facts: Sequence[Fact], tenant: TenantId, at: object, actor: str) -> list[FactRow]:
    """Return the rows of a Work's facts; TypeError or ValueError where one cannot be stored, before it meets a group."""
    rows: list[FactRow] = []
    for fact in facts:
        kind = type(fact)
        encode = _ENCODERS.get(kind)
        if encode is None:
            encode = _ENCODERS[kind] = _own_fields(kind)
        rows.append((tenant, at, fact.name, fact.subject, actor, encode(fact), fact.private))
    return rows


_COLUMNS: Final = (FACTS.c.tenant, FACTS.c.at, FACTS.c.name, FACTS.c.subject, FACTS.c.actor, FACTS.c.data, FACTS.c.private)


def _after(dialect: str) -> sa.Select[Any]:
    position, limit = sa.bindparam("position", type_=sa.BigInteger), sa.bindparam("limit", type_=sa.Integer)
    if dialect == "sqlite":
        return sa.select(FACTS.c.seq, *_COLUMNS).where(FACTS.c.seq > position).order_by(FACTS.c.seq).limit(limit)
    pos = FACT_ORDER.c.pos
    return sa.select(pos, *_COLUMNS).join(FACTS, FACTS.c.seq == FACT_ORDER.c.seq).where(pos > position).order_by(pos).limit(limit)


def _last(dialect: str) -> sa.Select[Any]:
    return sa.select(sa.func.coalesce(sa.func.max(FACTS.c.seq if dialect == "sqlite" else FACT_ORDER.c.pos), 0))


_EVERYBODY: Final = "the log is one for all tenants; whoever follows it does so for the server"
_AFTER: Final = statement(_after, into=StoredFact, across_tenants=_EVERYBODY)
_LAST: Final = statement(_last, into=int, across_tenants=_EVERYBODY)


async def facts_after(reader: Reader, position: int, limit: int = 500) -> list[StoredFact]:
    """Return up to `limit` facts of all tenants behind `position`, oldest first; positions are dense and never change."""
    return await reader.all(_AFTER, position=position, limit=limit)


async def last_position(reader: Reader) -> int:
    """Return the position of the newest fact that has one, 0 where there is none."""
    return await reader.one(_LAST) or 0
