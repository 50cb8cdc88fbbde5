"""What an app is told of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog

from limen.kernel.ids import AccountId
from limen.modules import accounts, keys, profiles, tenants
from limen.modules.claims import store
from limen.modules.claims.model import VARIABLES, Asking, Requested, expression
from limen.modules.claims.service import planning
from limen.modules.claims.service.planning import Plan
from limen.modules.claims.settings import Claim, Tenant
from limen.modules.profiles import Profile
from limen.platform.expressions import ExpressionFailed, JsonValue, Kind
from limen.platform.sql import Reader

_NOBODY: Final = Profile()
_EMPTY: Final[Mapping[Kind, object]] = {Kind.TEXT: "", Kind.NUMBER: 0, Kind.TRUTH: False}

_log = structlog.stdlib.get_logger(__name__)


@dataclass(slots=True)
class _Person:
    """What was read of somebody for an answer."""

    profile: Profile
    email: str | None

    def claim(self, name: str) -> JsonValue:
        """Return a standard claim, or `address.country` and its like; None where it is not known."""
        if name == "email":
            return self.email
        if name == "email_verified":
            return True if self.email is not None else None
        if name == "phone_number_verified":
            return False if self.profile.phone_number is not None else None  # it is what she wrote: accounts have no identifiers of that kind
        if name == "updated_at":
            return int(self.profile.updated_at.timestamp()) if self.profile.updated_at else None  # NumericDate (RFC 7519, section 2)
        address = self.profile.address
        if name == "address":
            return msgspec.to_builtins(address) if address else None
        if name.startswith("address."):
            return getattr(address, name.removeprefix("address.")) if address else None
        return getattr(self.profile, name, None)


async def of(reader: Reader, asking: Asking) -> dict[str, JsonValue]:
    """Return the claims about a person that an app is told, less `sub` and those of the protocol; what is not known is left out.

    Scopes give theirs at userinfo, and in an ID token that no access token goes with (OpenID Connect Core 1.0, section 5.4). What the
    parameter `claims` asks for (5.5) is told if a scope that gives it is among those the client is registered for: the operator let it
    ask, though this time it did not ask for the scope (`covering` has those scopes, for the consent page). A claim asked for with a
    value is told if it has that value. Claims of the tenant's own are told where its settings say.
    """
    settings = await tenants.settings(reader, Tenant.section, Tenant)
    told, failed = await answer(reader, asking, settings)
    for name, reason in failed.items():
        _log.warning("claims.failed", tenant=reader.tenant, client=asking.client.id, claim=name, reason=reason)
    return told


async def answer(reader: Reader, asking: Asking, settings: Tenant) -> tuple[dict[str, JsonValue], dict[str, str]]:
    """Return what `of` does, under these settings, and why claims whose expressions failed are missing, in words without any value."""
    plan = planning.plan(reader.tenant, settings, asking)
    failed: dict[str, str] = {}
    person = await _read(reader, asking.account, plan) if plan.plain or plan.spelt or plan.added else None
    if person is None:
        return {}, failed
    told = _standard(plan, person)
    for name, claim in plan.added.items():
        try:
            value = person.claim(claim.attribute) if claim.attribute else _computed(reader, asking, claim, person)
        except ExpressionFailed as reason:
            failed[name] = reason.public
            continue
        if value not in (None, ""):
            told[name] = value
    if asking.requested:
        told = _meant(told, asking.requested, plan, asking)
    return told, failed


async def _read(reader: Reader, account: AccountId, plan: Plan) -> _Person | None:
    """Return what is known of a person as far as the plan needs it; None of whom nothing is."""
    found = await store.person(reader, account) if plan.profile and plan.email else None
    if found is not None:
        identifier, email, wrapped, document = found
        if wrapped is None:
            return None
        box = keys.opened(reader, account, wrapped)
        return _Person(profiles.opened(reader, account, box, document), accounts.opened(reader, box, identifier, email))
    try:
        own_box = await keys.subject_box(reader, account) if plan.profile and plan.email else None
    except keys.Forgotten:
        return None
    profile = await profiles.read(reader, account, own_box) if plan.profile else _NOBODY
    own = await accounts.identifiers(reader, account, own_box) if plan.email else ()
    return _Person(profile, next((one.value for one in own if one.kind == accounts.EMAIL), None))


def _standard(plan: Plan, person: _Person) -> dict[str, JsonValue]:
    told: dict[str, JsonValue] = {}
    profile = person.profile
    for name in plan.plain:
        value = getattr(profile, name)
        if value is not None:
            told[name] = value
    for name in plan.spelt:
        value = person.claim(name)
        if value is not None:
            told[name] = value
    return told


def _computed(reader: Reader, asking: Asking, claim: Claim, person: _Person) -> JsonValue:
    """Return the value of an expression; ExpressionFailed."""
    made = expression(claim.value)
    client = asking.client
    around: dict[str, object] = {
        "scopes": asking.scopes,
        "now": reader.now,
        "client.id": client.id,
        "client.name": client.display,
        "client.kind": client.kind.value,
    }
    bindings: dict[str, object] = {}
    for name in made.uses:
        value = around[name] if name in around else person.claim(name.removeprefix("profile."))
        bindings[name] = _EMPTY[VARIABLES[name]] if value is None else value
    return made.value(bindings)


def _meant(told: dict[str, JsonValue], requested: Mapping[str, Requested], plan: Plan, asking: Asking) -> dict[str, JsonValue]:
    """Leave out what is told only since it was asked for, with a value that it has not (section 5.5.1)."""
    anyhow = planning.names(plan.settings, asking)
    return {name: value for name, value in told.items() if name in anyhow or _is_meant(requested[name], value)}


def _is_meant(asked: Requested, value: JsonValue) -> bool:
    return not asked.values or any(type(one) is type(value) and one == value for one in asked.values)
