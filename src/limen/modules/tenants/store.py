"""The table of tenants. One row has all of a tenant's configuration, so that one read loads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import sqlalchemy as sa

from limen.kernel.ids import ClientId, TenantId
from limen.modules.tenants.model import Resource, Tenant, TokenFormat
from limen.platform.pages import Brand
from limen.platform.sql import Id, Instant, Json, Reader, Work, bind, statement, table, upsert


@dataclass(frozen=True, slots=True)
class _Stored:
    """A resource as it is kept: scopes as a list, since `jsonb` forgets the order of keys and the consent page shows it."""

    identifier: str
    scopes: tuple[tuple[str, str], ...]
    token_format: TokenFormat
    client: str | None

    def read(self) -> Resource:
        client = ClientId(self.client) if self.client else None
        return Resource(identifier=self.identifier, scopes=dict(self.scopes), token_format=self.token_format, client=client)


TENANTS: Final = table(
    "tenants",
    sa.Column("made", Instant, nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("domain", Id, unique=True),
    sa.Column("brand", Json(Brand), nullable=False),
    sa.Column("languages", Json(tuple[str, ...]), nullable=False),
    sa.Column("resources", Json(tuple[_Stored, ...]), nullable=False),
    sa.Column("settings", Json(dict[str, dict[str, object]]), nullable=False),
    rowid=True,
)

_C: Final = TENANTS.c
_DIRECTORY: Final = "which tenant an address or name belongs to is asked before there is a tenant"


class _Row(NamedTuple):
    tenant: str
    made: datetime
    is_default: bool
    domain: str | None
    brand: Brand
    languages: tuple[str, ...]
    resources: tuple[_Stored, ...]
    settings: dict[str, dict[str, object]]

    def read(self) -> Tenant:
        return Tenant(
            name=TenantId(self.tenant),
            made=self.made,
            default=self.is_default,
            domain=self.domain,
            brand=self.brand,
            languages=self.languages,
            resources=tuple(one.read() for one in self.resources),
            settings=self.settings,
        )


_FIND: Final = statement(sa.select(TENANTS).where(_C.tenant == bind("tenant")), into=_Row)
_PUT: Final = statement(upsert(TENANTS, key=(), set=("is_default", "domain", "brand", "languages", "resources", "settings")))
_DEFAULT: Final = statement(
    sa.select(_C.tenant).order_by(_C.is_default.desc(), _C.made, _C.tenant).limit(1),
    into=TenantId,
    across_tenants=_DIRECTORY,
)
_OF_DOMAIN: Final = statement(sa.select(_C.tenant).where(_C.domain == bind("host")), into=TenantId, across_tenants=_DIRECTORY)
_NAMES: Final = statement(
    sa.select(_C.tenant).where(_C.tenant > bind("after")).order_by(_C.tenant).limit(bind("limit", sa.Integer)),
    into=TenantId,
    across_tenants="a command goes through all tenants, page by page",
)
_OTHER_DEFAULTS: Final = statement(
    sa.update(TENANTS).where(_C.is_default.is_(sa.true()), _C.tenant != bind("name")).values(is_default=sa.false()).returning(_C.tenant),
    into=TenantId,
    across_tenants="only one tenant of a server is the default",
)


async def find(reader: Reader) -> Tenant | None:
    """Return the reader's tenant as it is in the database."""
    row = await reader.one(_FIND)
    return row.read() if row else None


async def put(work: Work, tenant: Tenant) -> tuple[TenantId, ...]:
    """Write the work's tenant; answers those that were the default until now."""
    resources = tuple(_Stored(one.identifier, tuple(one.scopes.items()), one.token_format, one.client) for one in tenant.resources)
    await work.run(
        _PUT,
        made=tenant.made or work.now,
        is_default=tenant.default,
        domain=tenant.domain,
        brand=tenant.brand,
        languages=tenant.languages,
        resources=resources,
        settings=tenant.settings,
    )
    return tuple(await work.all(_OTHER_DEFAULTS, name=work.tenant)) if tenant.default else ()


async def default(reader: Reader) -> TenantId | None:
    """Return the default tenant: the one that says so, else the first ever made."""
    return await reader.one(_DEFAULT)


async def of_domain(reader: Reader, host: str) -> TenantId | None:
    """Return the tenant whose own domain `host` is."""
    return await reader.one(_OF_DOMAIN, host=host)


async def names(reader: Reader, after: str, limit: int) -> list[TenantId]:
    """Return up to `limit` names after `after`, in order."""
    return await reader.all(_NAMES, after=after, limit=limit)
