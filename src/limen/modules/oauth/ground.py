"""What all token requests of a tenant stand on: its record, the algorithm it signs with, how long things live. Worked out once per change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from limen.kernel.ids import TenantId
from limen.modules import grants, keys, tenants
from limen.modules.tenants import Tenant
from limen.platform.sql import Reader
from limen.platform.wire.jose import SigningKey

if TYPE_CHECKING:
    import asyncio

    from limen.modules.oauth.model import TokenBody
    from limen.modules.oauth.token.port import Given

_MOST: Final = 5_000


@dataclass(frozen=True, slots=True)
class Ground:
    """It holds while the very same tenant is in memory, and that is dropped when it changes."""

    tenant: Tenant
    algorithm: str
    limits: grants.Tenant
    access_seconds: int


@dataclass(frozen=True, slots=True)
class Press:
    """What signs a tenant's tokens, and in whose name; `waiting` is what it is about to sign (`token.signing`)."""

    key: SigningKey
    issuer: str
    ground: Ground
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
    made = Ground(tenant, (await keys.algorithms(reader))[0].value, limits, int(limits.access_token.total_seconds()))
    if len(_KEPT) >= _MOST:
        _KEPT.clear()
    _KEPT[tenant.name] = made
    return made


async def press(reader: Reader, issuer: str) -> Press:
    """Return the press. Ask before the first statement of a Work, so that what is read is kept in memory; NoSigningKey before the first key."""
    found = await ground(reader)
    key = await keys.signer(reader, found.algorithm)
    kept = _PRESSES.get(issuer)
    if kept is not None and kept.key is key and kept.ground is found:
        return kept
    if len(_PRESSES) >= _MOST:
        _PRESSES.clear()
    made = _PRESSES[issuer] = Press(key, issuer, found)
    return made
