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
from limen.modules import grants
from limen.modules.clients import Client, GrantType
from limen.modules.grants import TOKEN_PREFIX, OpaqueToken
from limen.modules.oauth.access_token import Made, ServiceClaims, Target, aim, one_or_many, seconds
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.ground import Ground, Press
from limen.modules.oauth.model import words
from limen.modules.oauth.possession import confirmation
from limen.modules.oauth.token.port import Given, Grant, Wish
from limen.modules.tenants import OWN_SCOPES, TokenFormat
from limen.platform.sql import Work

_MOST: Final = 20_000
_LONGEST: Final = 1_000
"""Characters of a request that is kept in mind: the same scopes can be spelt in many ways, and long ones."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What every token of one client for one set of scopes has in common."""

    client: Client
    ground: Ground
    issuer: str
    target: Target
    scopes: tuple[str, ...]
    scope: str
    audience: str | tuple[str, ...]


_PLANS: Final[OrderedDict[tuple[str, str, str | None, tuple[str, ...]], _Plan]] = OrderedDict()


def _plan(wish: Wish) -> _Plan | Refused:
    client, press, asked = wish.client, wish.press, wish.form.get("scope") or None
    resources = wish.form.all("resource") if "resource" in wish.form else ()
    key = (press.issuer, client.id, asked, resources)
    plan = _PLANS.get(key)
    if plan is not None and plan.client is client and plan.ground is press.ground:
        return plan
    made = _made(client, press, asked, resources)
    if isinstance(made, _Plan) and len(asked or "") + sum(map(len, resources)) <= _LONGEST:
        _PLANS[key] = made
        if len(_PLANS) > _MOST:
            _PLANS.popitem(last=False)
    return made


def _made(client: Client, press: Press, asked: str | None, resources: tuple[str, ...]) -> _Plan | Refused:
    """Work a plan out. Without `scope` a service gets all it is registered for (RFC 6749, section 3.3), if one resource owns it, or those named do."""
    scopes = words(asked) if asked is not None else _usual(client, press, resources)
    if asked is not None and not scopes:
        return Refused(Code.INVALID_SCOPE, "scope is empty: leave it out, or name what is needed.", "scope_missing")
    target = aim(press.ground.tenant, press.issuer, client, scopes, person=False, resources=resources)
    if isinstance(target, Refused):
        return target
    return _Plan(client, press.ground, press.issuer, target, scopes, " ".join(scopes), one_or_many(target.audience))


def _usual(client: Client, press: Press, resources: tuple[str, ...]) -> tuple[str, ...]:
    """Return the client's own scopes; of the resources named, where it names some (RFC 8707, section 2)."""
    tenant = press.ground.tenant
    return tuple(
        scope
        for scope in client.scopes
        if scope not in OWN_SCOPES and (not resources or ((owner := tenant.owner_of(scope, press.issuer)) is not None and owner.identifier in resources))
    )


async def _decide(work: Work, wish: Wish) -> Given | Refused:
    plan = _plan(wish)
    if isinstance(plan, Refused):
        return plan
    now, token = seconds(work.now), TokenId(ids.new(TOKEN_PREFIX, work.now))
    client, expires = plan.client.id, now + plan.ground.access_seconds
    if plan.target.format is TokenFormat.OPAQUE:
        until = work.now + plan.ground.limits.access_token
        opaque = await grants.add_opaque(work, OpaqueToken(token, None, None, client, plan.scopes, plan.target.audience, work.now, until, wish.bound or None))
        made = Made(token, expires, None, opaque.reveal(), wish.bound)
    else:
        claims = ServiceClaims(plan.issuer, client, plan.audience, client, plan.scope, now, expires, token, cnf=confirmation(wish.bound))
        made = Made(token, expires, claims, bound=wish.bound)
    return Given(access=made, client=client, scope=plan.scope, lifetime=plan.ground.access_seconds)


CLIENT_CREDENTIALS: Final = Grant(GrantType.CLIENT_CREDENTIALS, (), _decide)
