"""The parameter `claims` (OpenID Connect Core 1.0, section 5.5): what an app wants to know in the ID token and from userinfo, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from limen.modules.claims import Requested
from limen.modules.oauth.errors import Code, Refused
from limen.platform.wire.jose import JsonValue, Malformed, json_object

ID_TOKEN: Final = "id_token"  # noqa: S105 - a word of the protocol
USERINFO: Final = "userinfo"
MEMBERS: Final = (ID_TOKEN, USERINFO)

_LONGEST: Final = 4_096
_MOST: Final = 100
_MALFORMED: Final = Refused(Code.INVALID_REQUEST, "claims is no JSON object of the form of OpenID Connect Core 1.0, section 5.5.", "claims")

Wanted = Mapping[str, JsonValue]
"""Each claim with null, or an object that may have `essential`, `value` and `values`."""


def fault(text: str) -> Refused | None:
    """Return why the parameter cannot be read."""
    if len(text) > _LONGEST:
        return Refused(Code.INVALID_REQUEST, f"claims has at most {_LONGEST} characters.", "claims")
    try:
        whole = json_object(text.encode())
    except Malformed:
        return _MALFORMED
    return None if all(_is_sound(whole.get(member)) for member in MEMBERS) else _MALFORMED


def _is_sound(member: JsonValue) -> bool:
    if member is None:
        return True
    return isinstance(member, dict) and len(member) <= _MOST and all(one is None or _is_wish(one) for one in member.values())


def _is_wish(wish: JsonValue) -> bool:
    return isinstance(wish, dict) and isinstance(wish.get("essential", False), bool) and isinstance(wish.get("values", []), list)


def wanted(text: str, member: str) -> Wanted:
    """Return what a sound parameter wants of the ID token or of userinfo."""
    found = json_object(text.encode()).get(member) if text else None
    return found if isinstance(found, dict) else {}


def requested(text: str, member: str) -> Mapping[str, Requested] | None:
    """Return what a sound parameter wants, as `claims` takes it."""
    found = wanted(text, member)
    return {name: _requested(wish) for name, wish in found.items()} if found else None


def _requested(wish: JsonValue) -> Requested:
    if not isinstance(wish, dict):
        return Requested()
    values = wish.get("values") if "values" in wish else [wish["value"]] if "value" in wish else []
    return Requested(essential=wish.get("essential") is True, values=tuple(values) if isinstance(values, list) else ())


def required(text: str, claim: str) -> tuple[str, ...]:
    """Return the values of which the ID token's claim must have one; empty where any will do, or none is essential."""
    wish = wanted(text, ID_TOKEN).get(claim)
    if not isinstance(wish, dict):
        return ()
    values = wish.get("values") if "values" in wish else [wish.get("value")]
    essential = wish.get("essential") is True or claim == "sub"
    return tuple(one for one in values if isinstance(one, str)) if essential and isinstance(values, list) else ()


def wished(text: str, claim: str) -> tuple[str, ...]:
    """Return the values the ID token's claim should have, essential or not, the best first."""
    wish = wanted(text, ID_TOKEN).get(claim)
    values = (wish.get("values") if "values" in wish else [wish.get("value")]) if isinstance(wish, dict) else []
    return tuple(one for one in values if isinstance(one, str)) if isinstance(values, list) else ()
