"""What an application says of itself when it registers, as our record, and back: RFC 7591, section 2, and OpenID Connect Registration 1.0, section 2.

The specifications know no kinds. Ours follows from what is said:

| said | kind |
|---|---|
| `token_endpoint_auth_method` is not `none`, and a grant leads a person | `web` |
| likewise, and none does | `service` |
| it is `none`, and the device grant comes without a code | `device` |
| it is `none`, and `application_type` is `native` or an address is loopback or of a private-use scheme | `native` |
| it is `none` otherwise | `spa` |

Where no method is named it is `client_secret_basic`, but for `application_type` `native`: such an app cannot keep a secret, so it is `none`.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Annotated, Final, get_args, get_origin, get_type_hints

import msgspec

from limen.kernel.ids import ClientId
from limen.modules.clients.errors import InvalidClient
from limen.modules.clients.model import redirects
from limen.modules.clients.model.client import ASKS_PEOPLE, AuthMethod, Client, ClientKind, GrantType
from limen.modules.clients.model.metadata import Metadata
from limen.modules.tenants import Flaw
from limen.platform.wire.jose import Alg

REGISTRABLE_SCOPES: Final = ("openid", "profile", "email", "address", "phone", "offline_access")

_OURS: Final = frozenset({"refresh_rotation", "profile", "legacy"})
"""Members of the record that are no registered metadata, and the operator's to say."""
_LIST: Final = Annotated[tuple[str, ...], msgspec.Meta(max_length=50)]
_TEXT: Final = Annotated[str, msgspec.Meta(max_length=5_000)]


class ApplicationType(enum.Enum):
    """`application_type` (OpenID Connect Registration 1.0, section 2)."""

    WEB = "web"
    NATIVE = "native"


_HINTS: Final = get_type_hints(Metadata)
_MORE: Final = tuple(one.name for one in fields(Metadata) if one.name not in _OURS)
_COLUMNS: Final[Mapping[str, str]] = {
    "client_name": "name",
    "redirect_uris": "redirect_uris",
    "post_logout_redirect_uris": "post_logout_redirect_uris",
    "token_endpoint_auth_method": "auth_method",
    "grant_types": "grants",
    "id_token_signed_response_alg": "id_token_signed_response_alg",
    "client_uri": "client_uri",
    "policy_uri": "policy_uri",
    "tos_uri": "tos_uri",
    "contacts": "contacts",
}
"""Members with the record's field."""
_TYPES: Final[Mapping[str, object]] = {
    "client_name": _TEXT,
    "redirect_uris": _LIST,
    "post_logout_redirect_uris": _LIST,
    "token_endpoint_auth_method": AuthMethod,
    "grant_types": tuple[GrantType, ...],
    "id_token_signed_response_alg": Alg,
    "client_uri": _TEXT,
    "policy_uri": _TEXT,
    "tos_uri": _TEXT,
    "contacts": Annotated[tuple[str, ...], msgspec.Meta(max_length=10)],
    "application_type": ApplicationType,
    "scope": _TEXT,
    **{name: _LIST if _HINTS[name] == tuple[str, ...] else _HINTS[name] for name in _MORE},
    "jwks": dict[str, object],
}
_WORDS: Final = {**{field: member for member, field in _COLUMNS.items()}, "scopes": "scope", "pkce_required": "code_challenge_method", "id": "client_id"}


def member_of(flaw: Flaw) -> str:
    """Return the member a flaw of the record is about, as applications spell it."""
    return _WORDS.get(flaw.field, flaw.field)


def read_metadata(given: Mapping[str, object]) -> dict[str, object]:
    """Return the members that are known, each of its type; unknown ones are ignored, and null or empty is left out. InvalidClient."""
    found: dict[str, object] = {}
    flaws: list[Flaw] = []
    for name, kind in _TYPES.items():
        value = given.get(name)
        if value is None or value in ("", []):
            continue
        try:
            found[name] = msgspec.convert(value, kind)
        except msgspec.ValidationError:
            flaws.append(Flaw(name, "is not what it has to be", _wanted(kind)))
    if flaws:
        raise InvalidClient(*flaws)
    return found


def _wanted(kind: object) -> str:
    """Return what a member is, in words."""
    inner = get_args(kind)
    if get_origin(kind) is Annotated:
        return _wanted(inner[0])
    several = get_origin(kind) is tuple
    one = next((each for each in (*inner, kind) if isinstance(each, type) and each is not type(None)), str)
    if issubclass(one, enum.Enum):
        return f"{'A list of' if several else 'One of'} {', '.join(str(each.value) for each in one)}"
    return "A list of texts" if several else {bool: "true or false", int: "A number", dict: "An object"}.get(one, "A text")


def client_of(client: ClientId, said: Mapping[str, object], scopes: Sequence[str]) -> Client:
    """Return the record of what `read_metadata` returned; `scopes` are those it gets if it names none. Nothing is checked."""
    grants = said.get("grant_types", (GrantType.AUTHORIZATION_CODE,))
    native = said.get("application_type") is ApplicationType.NATIVE
    method = said.get("token_endpoint_auth_method", AuthMethod.NONE if native else AuthMethod.BASIC)
    uris = said.get("redirect_uris", ())
    kind = _kind(grants, method, native=native or any(redirects.is_native(uri) for uri in uris))  # type: ignore[arg-type, attr-defined] # of `_TYPES`
    own = {field: said[member] for member, field in _COLUMNS.items() if member in said}
    more = {name: said[name] for name in _MORE if name in said}
    if "jwks" in more:
        more["jwks"] = json.dumps(more["jwks"], separators=(",", ":"))
    asked = tuple(dict.fromkeys(str(said["scope"]).split())) if "scope" in said else _usual(kind, scopes)
    return Client(id=client, kind=kind, **{**own, **more, "auth_method": method, "grants": grants, "scopes": asked})  # type: ignore[arg-type] # likewise


def _kind(grants: Sequence[GrantType], method: AuthMethod, *, native: bool) -> ClientKind:
    if method is not AuthMethod.NONE:
        return ClientKind.SERVICE if ASKS_PEOPLE.isdisjoint(grants) else ClientKind.WEB
    if GrantType.DEVICE_CODE in grants and GrantType.AUTHORIZATION_CODE not in grants:
        return ClientKind.DEVICE
    return ClientKind.NATIVE if native else ClientKind.SPA


def _usual(kind: ClientKind, scopes: Sequence[str]) -> tuple[str, ...]:
    return tuple(one for one in scopes if kind is not ClientKind.SERVICE or one not in REGISTRABLE_SCOPES)


def described(client: Client) -> dict[str, object]:
    """Return everything that is registered, as the application is told (RFC 7591, section 3.2.1): what has no value is left out."""
    native = client.kind in (ClientKind.NATIVE, ClientKind.DEVICE)
    said: dict[str, object] = {member: getattr(client, field) for member, field in _COLUMNS.items()}
    said |= {name: getattr(client, name) for name in _MORE}
    said["response_types"] = client.types
    said["scope"] = " ".join(client.scopes)
    said["application_type"] = ApplicationType.NATIVE if native else ApplicationType.WEB
    if client.jwks is not None:
        said["jwks"] = json.loads(client.jwks)
    return {"client_id": client.id, **{name: value for name, value in said.items() if value not in (None, (), "", False)}}
