"""Which claims an answer has: it follows from the client, its scopes, the use and the tenant's settings, and is worked out once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from limen.kernel.ids import TenantId
from limen.modules import tenants
from limen.modules.claims.model import BY_SCOPE, EMAIL, SPELT, STANDARD, Asking, Use, expression
from limen.modules.claims.settings import Claim, Tenant
from limen.modules.clients import Client

_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What all answers to one client with the same scopes, for one use, have in common."""

    client: Client
    settings: Tenant
    plain: tuple[str, ...]
    """Standard claims that are attributes of the profile as they are."""
    spelt: tuple[str, ...]
    """Those that are not."""
    added: Mapping[str, Claim]
    profile: bool
    """Whether the profile is read for it."""
    email: bool


_TOLD: Final = frozenset({Use.USERINFO, Use.ID_TOKEN})
_PLANS: Final[OrderedDict[tuple[str, str, tuple[str, ...], Use, bool], Plan]] = OrderedDict()


def plan(tenant: TenantId, settings: Tenant, asking: Asking) -> Plan:
    """Return the plan, from memory while the very same client and settings are in memory; a single claim asked for makes one of its own."""
    if asking.requested:
        return _made(settings, asking)
    key = (tenant, asking.client.id, asking.scopes, asking.use, asking.alone)
    found = _PLANS.get(key)
    if found is None or found.client is not asking.client or found.settings is not settings:
        found = _PLANS[key] = _made(settings, asking)
        if len(_PLANS) > _MOST:
            _PLANS.popitem(last=False)
    return found


def given_by(settings: Tenant, scopes: Iterable[str]) -> tuple[str, ...]:
    """Return the standard claims that scopes give, in the order of the table."""
    some = frozenset(scopes)
    found = {name for scope in some for name in (*BY_SCOPE.get(scope, ()), *settings.scopes.get(scope, ()))}
    return tuple(name for name in STANDARD if name in found)


def supported(tenant: tenants.Tenant) -> tuple[str, ...]:
    """Return what apps may find at userinfo or in an ID token (`claims_supported`), less claims of the protocol and those for some apps alone."""
    settings = tenants.settings_of(tenant, Tenant.section, Tenant)
    own = (name for name, one in settings.add.items() if not one.clients and not _TOLD.isdisjoint(one.tokens) and name not in STANDARD)
    return (*STANDARD, *own)


def covering(tenant: tenants.Tenant, asking_for: Iterable[str], client: Client, scopes: tuple[str, ...]) -> tuple[str, ...]:
    """Return which scopes, beside those at hand, stand for claims that are asked for one by one: consent to a claim is consent to its scope.

    Of several that give it the first one that the client is registered for; none where nothing may be told.
    """
    settings = tenants.settings_of(tenant, Tenant.section, Tenant)
    more: list[str] = []
    for name in asking_for:
        giving = [scope for scope in client.scopes if name in given_by(settings, (scope,)) or _adds(settings, client, scope, name)]
        if giving and {*scopes, *more}.isdisjoint(giving):
            more.append(giving[0])
    return tuple(more)


def _adds(settings: Tenant, client: Client, scope: str, name: str) -> bool:
    claim = settings.add.get(name)
    return claim is not None and scope in claim.scopes and _is_for(claim, client)


def _is_for(claim: Claim, client: Client) -> bool:
    return not claim.clients or client.id in claim.clients


def names(settings: Tenant, asking: Asking) -> frozenset[str]:
    """Return the claims that are told though nobody asks for them one by one."""
    return frozenset((*_by_scope(settings, asking), *added(settings, asking)))


def _by_scope(settings: Tenant, asking: Asking) -> tuple[str, ...]:
    told_here = asking.use is Use.USERINFO or (asking.use is Use.ID_TOKEN and asking.alone)
    return given_by(settings, asking.scopes) if told_here else ()


def added(settings: Tenant, asking: Asking) -> Mapping[str, Claim]:
    """Return the tenant's own claims that are told here though nobody asks for them one by one."""
    return {name: one for name, one in settings.add.items() if asking.use in one.tokens and _is_given(one, asking.client, asking.scopes)}


def _made(settings: Tenant, asking: Asking) -> Plan:
    standard, own = _by_scope(settings, asking), dict(added(settings, asking))
    if asking.requested and asking.use in (Use.USERINFO, Use.ID_TOKEN):
        allowed = (*asking.client.scopes, *asking.scopes)
        standard += tuple(name for name in given_by(settings, allowed) if name in asking.requested and name not in standard)
        own |= {name: one for name, one in settings.add.items() if name in asking.requested and _is_given(one, asking.client, allowed)}
    standard = tuple(name for name in standard if name not in own)
    reads = {*standard, *(path for one in own.values() for path in _read_by(one))}
    return Plan(
        client=asking.client,
        settings=settings,
        plain=tuple(name for name in standard if name not in SPELT),
        spelt=tuple(name for name in standard if name in SPELT),
        added=own,
        profile=not reads <= EMAIL,
        email=not EMAIL.isdisjoint(reads),
    )


def _is_given(claim: Claim, client: Client, scopes: tuple[str, ...]) -> bool:
    return _is_for(claim, client) and (not claim.scopes or not frozenset(scopes).isdisjoint(claim.scopes))


def _read_by(claim: Claim) -> Iterable[str]:
    """Return what of a person a claim reads, by the names of standard claims."""
    if claim.attribute:
        return (claim.attribute,)
    return tuple(name.removeprefix("profile.") for name in expression(claim.value).uses if name in EMAIL or name.startswith("profile."))


def adds(tenant: tenants.Tenant, use: Use) -> bool:
    """Whether claims of the tenant's own are told there at all."""
    return any(use in one.tokens for one in tenants.settings_of(tenant, Tenant.section, Tenant).add.values())
