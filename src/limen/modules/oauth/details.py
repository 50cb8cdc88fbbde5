"""Rich authorization requests (RFC 9396): details of a type that the tenant declared, read strictly and said in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from limen.modules import tenants
from limen.modules.clients import Client
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.settings import DetailType
from limen.modules.oauth.settings import Tenant as Settings
from limen.platform.http import Form
from limen.platform.wire.jose import JsonValue, Malformed, json_object

Detail = Mapping[str, JsonValue]
"""One object: its `type`, the common members of section 2.2, and those of its type."""

_LONGEST: Final = 8_192
_MOST: Final = 20
_PLACE: Final = re.compile(r"\{([A-Za-z0-9_.]+)\}")
_COMMON: Final = ("locations", "actions", "datatypes", "privileges")
"""Lists of text that every type may have (section 2.2)."""
_LONGEST_SHOWN: Final = 100


def _refused(why: str, operator: str) -> Refused:
    return Refused(Code.INVALID_AUTHORIZATION_DETAILS, why, operator)


_BEYOND: Final = _refused("authorization_details are not those that were granted: ask for them in an authorization request.", "details_beyond_grant")


def declared(tenant: tenants.Tenant) -> tuple[DetailType, ...]:
    """Return the types there are."""
    return tenants.settings_of(tenant, Settings.section, Settings).details


def parse(text: str, tenant: tenants.Tenant, client: Client) -> tuple[Detail, ...] | Refused:
    """Read the parameter; what is not of a declared type that the client registered for is refused (section 5)."""
    if len(text) > _LONGEST:
        return _refused(f"authorization_details has at most {_LONGEST} characters.", "details_too_long")
    try:
        found = _listed(text)
    except Malformed:
        return _refused("authorization_details is no JSON array.", "details_malformed")
    if not 0 < len(found) <= _MOST:
        return _refused(f"authorization_details is an array of 1 to {_MOST} objects.", "details_malformed")
    known = {one.type: one for one in declared(tenant) if one.type in client.authorization_details_types}
    sound: list[Detail] = []
    for one in found:
        kind = one.get("type") if isinstance(one, dict) else None
        if not isinstance(one, dict) or not isinstance(kind, str) or kind not in known:
            return _refused("An object has no type, or one that is unknown here or that the client did not register.", "details_type")
        if fault := _fault(one, known[kind]):
            return _refused(fault, "details_members")
        sound.append(one)
    return tuple(sound)


def _fault(detail: Detail, kind: DetailType) -> str:
    """Say which member is missing, of the wrong type or unknown (section 5)."""
    missing = next((name for name in kind.required if name not in detail), None)
    if missing is not None:
        return f"An object of its type needs the member {missing}."
    if not set(detail) <= {"type", "identifier", *_COMMON, *kind.required, *kind.optional}:
        return "An object has a member that its type does not know."
    for name in _COMMON:
        if name in detail and not _is_texts(detail[name]):
            return f"{name} is a list of texts."
    return "" if isinstance(detail.get("identifier", ""), str) else "identifier is text."


def _is_texts(value: JsonValue) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def carried(text: str, tenant: tenants.Tenant, audience: Sequence[str]) -> str:
    """Return what a token for these resources says of the details of its grant: not what its type keeps for another resource (section 9)."""
    if not text:
        return text
    kept_for = {one.type: one.resource for one in declared(tenant) if one.resource is not None}
    if not kept_for:
        return text
    fitting = [one for one in _listed(text) if not isinstance(one, dict) or kept_for.get(str(one.get("type")), audience[0]) in audience]
    return msgspec.json.encode(fitting).decode() if fitting else ""


def beyond(form: Form, granted: str) -> Refused | None:
    """Return why a token request's own details will not do: a token has those of its grant, all of them (section 6)."""
    asked = form.get("authorization_details")
    if not asked:
        return None
    try:
        same = len(asked) <= _LONGEST and bool(granted) and _listed(asked) == _listed(granted)
    except Malformed:
        same = False
    return None if same else _BEYOND


def _listed(text: str) -> list[JsonValue]:
    """Read an array and nothing beside it: the text stands in tokens as it came, where what follows an array would be members of the token."""
    whole = json_object(b'{"_":' + text.encode() + b"}")
    found = whole["_"]
    if len(whole) != 1 or not isinstance(found, list):
        raise Malformed("no array")
    return found


def said(text: str, tenant: tenants.Tenant, client: Client) -> tuple[str, ...]:
    """Return what a person is told of a request's parameter `authorization_details`; of one that is refused, nothing."""
    found = parse(text, tenant, client) if text else ()
    return () if isinstance(found, Refused) else in_words(found, tenant)


def in_words(details: Sequence[Detail], tenant: tenants.Tenant) -> tuple[str, ...]:
    """Return a sentence for each, as the tenant wrote it, with the request's own values in it."""
    known = {one.type: one.words for one in declared(tenant)}
    return tuple(_said(known.get(str(one["type"]), str(one["type"])), one) for one in details)


def _said(words: str, detail: Detail) -> str:
    return _PLACE.sub(lambda place: _shown(_member(detail, place[1])), words)


def _member(detail: Detail, path: str) -> JsonValue:
    value: JsonValue = dict(detail)
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _shown(value: JsonValue) -> str:
    """Return a value as a person may read it: one line, of bounded length, without what turns the direction of writing."""
    text = ", ".join(str(one) for one in value) if isinstance(value, list) else "" if value is None else str(value)
    return "".join(letter for letter in text if letter.isprintable())[:_LONGEST_SHOWN]
