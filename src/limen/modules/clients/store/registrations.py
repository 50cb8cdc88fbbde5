"""The table of registrations: how each client came that no operator entered, and by what it manages itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from limen.kernel.ids import ClientId, TenantId
from limen.platform.sql import Id, Instant, Reader, Work, bind, insert_row, statement, table, upsert

REGISTRATIONS: Final = table(
    "client_registrations",
    sa.Column("client", Id, primary_key=True),
    sa.Column("made", Instant, nullable=False),
    sa.Column("digest", sa.LargeBinary),  # of its registration access token; a document has none
    sa.Column("token", Id),  # the initial access token it came with
    sa.Column("issuer", sa.Text),  # who signed its software statement
    sa.Column("drop_at", Instant),  # unless somebody uses it before
    sa.Column("fresh_until", Instant),  # of a document
    sa.Index("client_registrations_unused", "drop_at"),  # of all tenants: one job looks for them
)

_R: Final = REGISTRATIONS.c
_HERE = (_R.tenant == bind("tenant"), _R.client == bind("client"))
_ADD: Final = statement(insert_row(REGISTRATIONS))
_PUT: Final = statement(upsert(REGISTRATIONS, key=("client",), set=("fresh_until",)))
_DROP: Final = statement(sa.delete(REGISTRATIONS).where(*_HERE))
_KEEP: Final = statement(sa.update(REGISTRATIONS).where(*_HERE, _R.drop_at.is_not(None)).values(drop_at=None))
_COUNT: Final = statement(sa.select(sa.func.count()).select_from(REGISTRATIONS).where(_R.tenant == bind("tenant")), into=int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """How a client came."""

    client: ClientId
    made: datetime
    digest: bytes | None = None
    token: str | None = None
    issuer: str | None = None
    drop_at: datetime | None = None
    fresh_until: datetime | None = None


def _read(client: str, made: datetime, *rest: object) -> Registration:
    digest, token, issuer, drop_at, fresh_until = rest
    return Registration(client=ClientId(client), made=made, digest=digest, token=token, issuer=issuer, drop_at=drop_at, fresh_until=fresh_until)  # type: ignore[arg-type] # the columns below


_FIND: Final = statement(sa.select(_R.client, _R.made, _R.digest, _R.token, _R.issuer, _R.drop_at, _R.fresh_until).where(*_HERE), into=_read)
_UNUSED: Final = statement(
    sa.select(_R.tenant, _R.client).where(_R.drop_at <= bind("now")).order_by(_R.drop_at).limit(bind("most", sa.Integer)),
    across_tenants="one job looks after all of them",
)
_TAKE_UNUSED: Final = statement(sa.delete(REGISTRATIONS).where(*_HERE, _R.drop_at <= bind("now")))


def _values(one: Registration) -> dict[str, object]:
    return {name: getattr(one, name) for name in ("client", "made", "digest", "token", "issuer", "drop_at", "fresh_until")}


async def add(work: Work, one: Registration) -> None:
    """Write a new one."""
    await work.run(_ADD, **_values(one))


async def put(work: Work, one: Registration) -> None:
    """Write one of a document; of one that is there only how long it is fresh changes."""
    await work.run(_PUT, **_values(one))


async def find(reader: Reader, client: ClientId) -> Registration | None:
    """Return how a client came; None for one that an operator entered."""
    return await reader.one(_FIND, client=client)


async def drop(work: Work, client: ClientId) -> None:
    """Delete it."""
    await work.run(_DROP, client=client)


async def keep(work: Work, client: ClientId) -> None:
    """Say that the client is used, so that it stays."""
    await work.run(_KEEP, client=client)


async def count(reader: Reader) -> int:
    """Return how many clients of the tenant came by themselves."""
    return await reader.one(_COUNT) or 0


async def unused(reader: Reader, most: int) -> list[tuple[TenantId, ClientId]]:
    """Return clients of all tenants that nobody used in their time."""
    return [(TenantId(tenant), ClientId(client)) for tenant, client in await reader.all(_UNUSED, now=reader.now, most=most)]


async def take_unused(work: Work, client: ClientId) -> bool:
    """Delete it if nobody used the client until now; False if somebody did."""
    return await work.run(_TAKE_UNUSED, client=client, now=work.now) > 0
