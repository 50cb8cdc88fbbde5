"""Client credentials (RFC 6749, section 4.4): a service gets a token for itself. The hottest path of the server.

All that depends only on client, scopes and tenant is worked out once and kept as a `_Plan`; it holds while the very same records are in
memory, and those are dropped when they change.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from limen.kernel import ids
from limen.kernel.ids import TokenId
from limen.modules import grants, tenants
from limen.modules.clients import Client, GrantType
from limen.modules.grants import TOKEN_PREFIX, OpaqueToken
from limen.modules.oauth.access_token import TYPE, Issued, ServiceClaims, Target, aim, one_or_many, seconds
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.model import words
from limen.modules.oauth.token.port import Given, Grant, Wish
from limen.modules.tenants import OWN_SCOPES, Tenant, TokenFormat
from limen.platform.sql import Work
from limen.platform.wire.jose import encode_jwt

_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Plan:
    """What every token of one client for one set of scopes has in common."""

    client: Client
    tenant: Tenant
    issuer: str
    target: Target
    scopes: tuple[str, ...]
    scope: str
    audience: str | tuple[str, ...]
    limits: grants.Tenant
    lifetime: int


_PLANS: Final[OrderedDict[tuple[str, str, str | None], _Plan]] = OrderedDict()


async def _plan(work: Work, wish: Wish) -> _Plan | Refused:
    tenant = await tenants.find(work)
    client, asked = wish.client, wish.form.scope
    key = (tenant.name, client.id, asked)
    plan = _PLANS.get(key)
    if plan is not None and plan.client is client and plan.tenant is tenant and plan.issuer == wish.press.issuer:
        return plan
    made = await _made(work, wish, tenant)
    if isinstance(made, _Plan):
        _PLANS[key] = made
        _PLANS.move_to_end(key)
        if len(_PLANS) > _MOST:
            _PLANS.popitem(last=False)
    return made


async def _made(work: Work, wish: Wish, tenant: Tenant) -> _Plan | Refused:
    """Work a plan out. Without `scope` a service gets all it is registered for (RFC 6749, section 3.3), if one resource owns it."""
    client, asked = wish.client, wish.form.scope
    scopes = words(asked) if asked is not None else tuple(one for one in client.scopes if one not in OWN_SCOPES)
    if asked is not None and not scopes:
        return Refused(Code.INVALID_SCOPE, "scope is empty: leave it out, or name what is needed.", "scope_missing")
    target = aim(tenant, wish.press.issuer, client, scopes, person=False)
    if isinstance(target, Refused):
        return target
    limits = await grants.limits(work)
    lifetime = int(limits.access_token.total_seconds())
    return _Plan(client, tenant, wish.press.issuer, target, scopes, " ".join(scopes), one_or_many(target.audience), limits, lifetime)


async def _decide(work: Work, wish: Wish) -> Given | Refused:
    plan = await _plan(work, wish)
    if isinstance(plan, Refused):
        return plan
    now, token = seconds(work.now), TokenId(ids.new(TOKEN_PREFIX, work.now))
    client, expires = plan.client.id, now + plan.lifetime
    if plan.target.format is TokenFormat.OPAQUE:
        opaque = OpaqueToken(token, None, None, client, plan.scopes, plan.target.audience, work.now, work.now + plan.limits.access_token)
        text = (await grants.add_opaque(work, opaque)).reveal()
    else:
        text = encode_jwt(wish.press.key, ServiceClaims(plan.issuer, client, plan.audience, client, plan.scope, now, expires, token), TYPE)
    return Given(access=Issued(text, token, expires), client=client, scope=plan.scope, lifetime=plan.lifetime)


CLIENT_CREDENTIALS: Final = Grant(GrantType.CLIENT_CREDENTIALS, (), _decide)
