"""What an app is told of a person.

Which claims that are follows from the client, its scopes and the use: it is worked out once and kept as a `_Plan`, which holds while the
very same client is in memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from limen.kernel.ids import AccountId
from limen.modules import accounts, keys, profiles
from limen.modules.claims.model import BY_SCOPE, EMAIL, STANDARD, Asking, JsonValue, Requested, Use
from limen.modules.clients import Client
from limen.modules.profiles import Profile
from limen.platform.sql import Reader

_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Plan:
    """What all answers to one client with the same scopes, for one use, have in common."""

    client: Client
    profile: tuple[str, ...]
    """Claims that are attributes of the profile."""
    email: tuple[str, ...]


_PLANS: Final[OrderedDict[tuple[str, str, tuple[str, ...], Use, bool], _Plan]] = OrderedDict()


async def of(reader: Reader, asking: Asking) -> dict[str, JsonValue]:
    """Return the claims about a person that an app is told, less `sub` and those of the protocol; what is not known is left out.

    Scopes give theirs at userinfo, and in an ID token that no access token goes with (OpenID Connect Core 1.0, section 5.4). What the
    parameter `claims` asks for (5.5) is told if a scope that gives it is among those the client is registered for: the operator let it
    ask, though this time it did not ask for the scope. A claim asked for with a value is told if it has that value.
    """
    plan = _plan(reader, asking)
    told = await _known(reader, asking.account, plan.profile, plan.email)
    if asking.requested:
        told |= await _asked_for(reader, asking, told)
    return told


def _plan(reader: Reader, asking: Asking) -> _Plan:
    key = (reader.tenant, asking.client.id, asking.scopes, asking.use, asking.alone)
    plan = _PLANS.get(key)
    if plan is None or plan.client is not asking.client:
        plan = _PLANS[key] = _made(asking)
        if len(_PLANS) > _MOST:
            _PLANS.popitem(last=False)
    return plan


def _made(asking: Asking) -> _Plan:
    by_scope = asking.use is Use.USERINFO or (asking.use is Use.ID_TOKEN and asking.alone)
    names = _given_by(asking.scopes) if by_scope else ()
    return _Plan(asking.client, tuple(one for one in names if one not in EMAIL), tuple(one for one in names if one in EMAIL))


def _given_by(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return the claims that scopes give, in the order of the table."""
    return tuple(name for scope, names in BY_SCOPE.items() if scope in scopes for name in names)


async def _known(reader: Reader, account: AccountId, profile: tuple[str, ...], email: tuple[str, ...]) -> dict[str, JsonValue]:
    told: dict[str, JsonValue] = {}
    try:
        box = await keys.subject_box(reader, account) if profile and email else None
    except keys.Forgotten:
        return told
    if profile:
        found = await profiles.read(reader, account, box)
        for name in profile:
            value = getattr(found, name)
            if value is not None:
                told[name] = value
        _spell(told, found)
    if email:
        address = next((one.value for one in await accounts.identifiers(reader, account, box) if one.kind == accounts.EMAIL), None)
        told |= {name: address if name == "email" else True for name in email if address is not None}
    return told


def _spell(told: dict[str, JsonValue], profile: Profile) -> None:
    """Write what is no text as JSON has it."""
    if "updated_at" in told and profile.updated_at is not None:
        told["updated_at"] = int(profile.updated_at.timestamp())  # NumericDate (RFC 7519, section 2)
    if "address" in told:
        told["address"] = msgspec.to_builtins(profile.address)


async def _asked_for(reader: Reader, asking: Asking, told: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return what the parameter `claims` adds to what is told already."""
    wanted = asking.requested or {}
    allowed = set(_given_by((*asking.client.scopes, *asking.scopes)))
    names = [one for one in STANDARD if one in wanted and one in allowed and one not in told]
    found = await _known(reader, asking.account, tuple(one for one in names if one not in EMAIL), tuple(one for one in names if one in EMAIL))
    return {name: value for name, value in found.items() if _is_meant(wanted[name], value)}


def _is_meant(asked: Requested, value: JsonValue) -> bool:
    return not asked.values or any(type(one) is type(value) and one == value for one in asked.values)
