"""Request objects (RFC 9101): an authorization request as a JWT of the client's. What it says counts, and nothing beside it.

The order of OpenID Connect Core 1.0, section 6.1, in which parameters outside count too, is for clients registered as legacy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from limen.kernel.errors import LimenError
from limen.modules.clients import Client
from limen.modules.oauth import client_keys, encryption
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.model import Asked
from limen.platform.http import Call, Crowd, Fetcher
from limen.platform.wire.jose import JoseError, JsonValue, Jwt, audiences, check_times, verify_jwt

TYPES: Final = ("oauth-authz-req+jwt", "jwt", "")
"""RFC 9101, section 10.8; older clients say JWT or nothing, and what is signed for another purpose says so in `typ`."""
_OUTSIDE: Final = frozenset({"request", "request_uri"})
_FAPI_LIFE: Final = 3_600
"""Seconds from `nbf` to `exp` at most (FAPI 2.0 Message Signing, section 5.3.1)."""

_BROKEN: Final = Refused(Code.INVALID_REQUEST_OBJECT, "The request object is no JWT signed with a key this client registered.", "request_object")
_NOT_OURS: Final = Refused(Code.INVALID_REQUEST_OBJECT, "aud of the request object is not this issuer.", "request_object_aud")
_ANOTHER: Final = Refused(Code.INVALID_REQUEST_OBJECT, "client_id, or iss, of the request object is not the client_id beside it.", "request_object_client")
_NESTED: Final = Refused(Code.INVALID_REQUEST_OBJECT, "A request object holds neither request nor request_uri (RFC 9101, section 4).", "request_object_nested")
_ASSERTION: Final = Refused(
    Code.INVALID_REQUEST_OBJECT,
    "sub of the request object is the client, as in an assertion of its: leave it out (RFC 9101, section 10.8).",
    "request_object_sub",
)
_OLD: Final = Refused(Code.INVALID_REQUEST_OBJECT, "The request object is expired, not yet valid, or lives too long.", "request_object_times")
_NO_TIMES: Final = Refused(Code.INVALID_REQUEST_OBJECT, "The request object needs exp and nbf, an hour apart at most.", "request_object_times")
_WRONG_ALG: Final = Refused(Code.INVALID_REQUEST_OBJECT, "The request object is not signed with the algorithm the client registered.", "request_object_alg")
_PLAIN: Final = Refused(Code.INVALID_REQUEST_OBJECT, "The client's request objects must be encrypted, as it registered.", "request_object_plain")
_STRANGE_URI: Final = Refused(Code.INVALID_REQUEST_URI, "request_uri is neither of a pushed request nor registered, letter by letter.", "request_uri")
_NOTHING_THERE: Final = Refused(Code.INVALID_REQUEST_URI, "Nothing that could be read was found at request_uri.", "request_uri_fetch")
_BOTH: Final = Refused(Code.INVALID_REQUEST, "request and request_uri exclude each other (RFC 9101, section 5).", "two_requests")
_CROWD: Final[Crowd[str | Refused]] = Crowd()


async def opened(call: Call, client: Client, asked: Asked) -> Asked | Refused:
    """Return a request as its object says it; the same request where there is none."""
    if asked.request and asked.request_uri:
        return _BOTH
    token = await _fetched(call, client, asked.request_uri) if asked.request_uri else asked.request
    if isinstance(token, Refused) or not token:
        return token or asked
    jwt = await _verified(call, client, token)
    if isinstance(jwt, Refused):
        return jwt
    return _misfit(call, client, asked, jwt) or _read(client, asked, jwt.claims)


async def _fetched(call: Call, client: Client, uri: str) -> str | Refused:
    """Fetch a request object from an address the client registered (a fragment tells versions apart: OpenID Connect Core 1.0, 6.2)."""
    bare, dev = uri.partition("#")[0], call.site.dev
    if uri not in client.request_uris and bare not in client.request_uris:
        return _STRANGE_URI
    return await _CROWD.wait((dev, bare), lambda: _found(bare, dev=dev))


async def _found(uri: str, *, dev: bool) -> str | Refused:
    try:
        found = await Fetcher(own_machine=dev).get(uri, accept="application/oauth-authz-req+jwt, application/jwt")
        return found.body.decode("ascii") if found.status == 200 else _NOTHING_THERE  # noqa: PLR2004 - OK
    except (LimenError, UnicodeDecodeError):
        return _NOTHING_THERE


async def _verified(call: Call, client: Client, token: str) -> Jwt | Refused:
    inner: str | None = token.strip()
    if encryption.is_encrypted(token):
        inner = await encryption.opened(call, client, token)
    elif client.request_object_encryption_alg is not None:
        return _PLAIN
    if inner is None:
        return _BROKEN
    try:
        jwt = verify_jwt(inner, await client_keys.checking(call, client, inner, client_keys.algorithms(client)), typ=TYPES)
    except JoseError:
        return _BROKEN
    wanted = client.request_object_signing_alg
    return jwt if wanted is None or jwt.header.alg == wanted.value else _WRONG_ALG


def _misfit(call: Call, client: Client, asked: Asked, jwt: Jwt) -> Refused | None:
    said = jwt.claims
    if said.get("client_id", client.id) != client.id or said.get("iss", client.id) != client.id:
        return _ANOTHER
    if "client_id" not in said and not client.legacy:
        return _ANOTHER
    if said.get("sub") == client.id:
        return _ASSERTION
    if not _OUTSIDE.isdisjoint(said):
        return _NESTED
    if ("aud" in said or not client.legacy) and call.site.issuer not in audiences(jwt):
        return _NOT_OURS
    try:
        check_times(jwt, call.db.clock.now(), needs_exp=False)
    except JoseError:
        return _OLD
    if client.fapi and not _is_short(said):
        return _NO_TIMES
    return None if asked.client_id == client.id else _ANOTHER


def _is_short(said: Mapping[str, JsonValue]) -> bool:
    exp, nbf = said.get("exp"), said.get("nbf")
    return isinstance(exp, (int, float)) and isinstance(nbf, (int, float)) and exp - nbf <= _FAPI_LIFE


_ABOUT_ITSELF: Final = frozenset({"iss", "aud", "exp", "iat", "nbf", "jti", "sub"})


def _read(client: Client, asked: Asked, said: Mapping[str, JsonValue]) -> Asked | Refused:
    """Return the parameters of the object; for a legacy client over those beside it."""
    given = {name: text_of(name, value) for name, value in said.items() if name not in _ABOUT_ITSELF}
    outside = msgspec.to_builtins(asked) if client.legacy else {}
    inside = {**outside, "client_id": client.id, **given, "request": "", "request_uri": ""}
    try:
        return msgspec.convert(inside, Asked)
    except msgspec.ValidationError:
        return Refused(Code.INVALID_REQUEST_OBJECT, "A member of the request object is of the wrong type.", "request_object_members")


def text_of(name: str, value: JsonValue) -> object:
    """Return a member as the parameter of its name would be written: objects as JSON text, numbers as digits."""
    if name == "resource":
        return tuple(value) if isinstance(value, list) else (value,)
    if isinstance(value, (dict, list)):
        return msgspec.json.encode(value).decode()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
