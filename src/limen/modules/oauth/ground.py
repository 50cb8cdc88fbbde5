"""What all token requests of a tenant stand on: its record, the algorithm it signs with, how long things live. Worked out once per change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from limen.kernel.ids import ClientId, TenantId
from limen.modules import claims, grants, keys, tenants
from limen.modules.oauth.settings import Tenant as Settings
from limen.modules.tenants import Tenant
from limen.platform.sql import Caches, Database, Reader
from limen.platform.wire.jose import Alg, SigningKey

if TYPE_CHECKING:
    from limen.modules.clients import Client
    from limen.modules.oauth.access_token import Target
    from limen.modules.oauth.model import TokenBody
    from limen.modules.oauth.token.port import Given

T = TypeVar("T")

_MOST: Final = 5_000
_FRESH: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Ground:
    """It holds while the very same tenant is in memory, and that is dropped when it changes."""

    tenant: Tenant
    algorithm: str
    limits: grants.Tenant
    access_seconds: int
    may_act: Mapping[str, msgspec.Raw]
    """Who may act with tokens of a client (RFC 8693, section 4.4), where a rule announces it."""
    tells: bool
    """Whether claims of the tenant's own stand in access tokens."""
    identity_tells: bool
    """And in ID tokens."""
    introspection_tells: bool
    """And in what introspection answers."""
    aims: dict[tuple[str, ClientId, tuple[str, ...]], tuple[Client, Target]] = field(default_factory=dict)
    """Whom tokens of an issuer's client with some scopes are for, once worked out (`access_token`)."""


@dataclass(frozen=True, slots=True)
class Press:
    """What signs a tenant's tokens, and in whose name; `waiting` is what it is about to sign (`token.signing`)."""

    key: SigningKey
    id_key: SigningKey
    """Of ID tokens: another one for clients that registered `id_token_signed_response_alg`."""
    issuer: str
    ground: Ground
    caches: Caches
    dropped: int
    since: datetime
    until: datetime
    waiting: list[tuple[Given, asyncio.Future[TokenBody]]] = field(default_factory=list)


_KEPT: Final[dict[TenantId, Ground]] = {}
_PRESSES: Final[dict[str, Press]] = {}


async def ground(reader: Reader) -> Ground:
    """Return the tenant's ground."""
    tenant = await tenants.find(reader)
    kept = _KEPT.get(tenant.name)
    if kept is not None and kept.tenant is tenant:
        return kept
    limits = await grants.limits(reader)
    made = Ground(
        tenant=tenant,
        algorithm=(await keys.algorithms(reader))[0].value,
        limits=limits,
        access_seconds=int(limits.access_token.total_seconds()),
        may_act=_may_act(tenant),
        tells=claims.adds(tenant, claims.Use.ACCESS_TOKEN),
        identity_tells=claims.adds(tenant, claims.Use.ID_TOKEN),
        introspection_tells=claims.adds(tenant, claims.Use.INTROSPECTION),
    )
    if len(_KEPT) >= _MOST:
        _KEPT.clear()
    _KEPT[tenant.name] = made
    return made


def _may_act(tenant: Tenant) -> dict[str, msgspec.Raw]:
    announced = [one for one in tenants.settings_of(tenant, Settings.section, Settings).exchange if one.announced]
    return {subject: msgspec.Raw(msgspec.json.encode({"sub": one.client})) for one in announced for subject in one.subjects}


_WARM: Final[dict[TenantId, tuple[Caches, int, Tenant]]] = {}


async def warmed(db: Database, tenant: TenantId) -> None:
    """See to it that no Work has to compile a tenant's expressions: the first of a process takes 50 ms, and is done in a thread.

    Costs a look into a dict while no cache of this process was told of any change.
    """
    known, caches = _WARM.get(tenant), db.caches
    if known is not None and known[0] is caches and known[1] == caches.dropped:
        return
    dropped = caches.dropped
    async with db.read(tenant) as reader:
        found = await tenants.find(reader)
    if known is None or known[2] is not found:
        await asyncio.to_thread(claims.adds, found, claims.Use.ACCESS_TOKEN)
    if len(_WARM) >= _MOST:
        _WARM.clear()
    _WARM[tenant] = (caches, dropped, found)


async def press(reader: Reader, issuer: str, id_alg: Alg | None = None) -> Press:
    """Return the press. Ask before the first statement of a Work, so that what is read is kept in memory; NoSigningKey before the first key.

    The one at hand serves while no cache of this process was told of any change, a second at most: keys take turns by the clock.
    """
    caches, now = reader.tx.db.caches, reader.now
    name = issuer if id_alg is None else f"{issuer} {id_alg.value}"
    kept = _PRESSES.get(name)
    if kept is not None and kept.caches is caches and kept.dropped == caches.dropped and kept.since <= now < kept.until:
        return kept
    dropped = caches.dropped
    found = await ground(reader)
    key = await keys.signer(reader, found.algorithm)
    id_key = key if id_alg is None else await keys.signer(reader, id_alg.value)
    if len(_PRESSES) >= _MOST:
        _PRESSES.clear()
    made = _PRESSES[name] = Press(key, id_key, issuer, found, caches, dropped, now, now + _FRESH)
    return made


async def with_keys(db: Database, tenant: TenantId, ask: Callable[[Reader], Awaitable[T]]) -> T:
    """Ask for signing keys; the first keys of algorithms are made on the way, outside any Work. A client may lack two."""
    for _ in range(2):
        try:
            async with db.read(tenant) as reader:
                return await ask(reader)
        except keys.NoSigningKey as missing:
            await keys.ensure(db, tenant, missing.alg)
    async with db.read(tenant) as reader:
        return await ask(reader)
