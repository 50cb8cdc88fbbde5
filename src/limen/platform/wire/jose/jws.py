"""Compact JWS (RFC 7515) and JWT (RFC 7519): encoding at full speed, reading with every door shut that need not be open.

Reading goes in this order: size, three parts, header, algorithm and key, type and critical extensions, signature, and only then the
content. The key decides the algorithm; `none`, `jku`, `x5u` and embedded keys have no way in, and a shared secret only as a `SharedKey`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from limen.platform.wire.jose.errors import Malformed, Unsupported
from limen.platform.wire.jose.keys import CheckKey, SharedKey, SigningKey
from limen.platform.wire.jose.keyset import KeySet
from limen.platform.wire.jose.strict import JsonValue, b64url, json_object, unb64url

T = TypeVar("T")

TOKEN_LIMIT: Final = 16_384
"""Octets of a token that are read at most."""

_HEADER_LIMIT: Final = 8_192
_PARTS: Final = 3
_LARGEST_NUMBER: Final = 2**53
_REGISTERED: Final = frozenset({"alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit"})
_ENCODE: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Header:
    """The protected header: `typ` in lower case without `application/`, "" where absent; `members` all of it as sent."""

    alg: str
    typ: str
    kid: str | None
    members: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Jws:
    """A signed message whose signature holds, and the key that made it."""

    header: Header
    key: CheckKey
    payload: bytes


@dataclass(frozen=True, slots=True)
class Jwt:
    """A token's claims. From `verify_jwt` they are its issuer's word; from `peek` (`key` None) they are anybody's."""

    header: Header
    key: CheckKey | None
    claims: Mapping[str, JsonValue]

    def into(self, kind: type[T]) -> T:
        """Return the claims as a Struct or dataclass of the caller, its types checked strictly; Malformed names the place, never the value."""
        try:
            return msgspec.convert(self.claims, kind)
        except msgspec.ValidationError as error:
            raise Malformed(f"a claim is missing or of the wrong type: {error}") from None


def encode(key: SigningKey | SharedKey, payload: bytes, typ: str) -> str:
    """Return the compact JWS of `payload`."""
    signed = key.header(typ) + b64url(payload)
    return (signed + b"." + b64url(key.sign(signed))).decode()


def encode_jwt(key: SigningKey | SharedKey, claims: msgspec.Struct | Mapping[str, object], typ: str) -> str:
    """Return the signed JWT of `claims`, which msgspec can encode."""
    return encode(key, _ENCODE(claims), typ)


def verify(token: str | bytes, keys: KeySet, *, typ: Collection[str], understood: Collection[str] = (), limit: int = TOKEN_LIMIT) -> Jws:
    """Return the message if one of `keys` signed it; any JoseError otherwise.

    `typ` lists the accepted types in lower case, such as `at+jwt` ("" accepts its absence); `understood` the critical extensions
    that the caller itself honours.
    """
    head, payload, signature = parts(token, limit)
    header = read_header(head)
    key = keys.find(header.kid, header.alg)
    if header.typ not in typ:
        raise Unsupported("a token of another type is needed here")
    check_critical(header, understood)
    key.verify(head + b"." + payload, unb64url(signature))
    return Jws(header, key, unb64url(payload))


def verify_jwt(token: str | bytes, keys: KeySet, *, typ: Collection[str], understood: Collection[str] = (), limit: int = TOKEN_LIMIT) -> Jwt:
    """Like `verify`, for claims: registered ones have their types. Times, issuer and audience are the caller's to check."""
    message = verify(token, keys, typ=typ, understood=understood, limit=limit)
    return Jwt(message.header, message.key, read_claims(message.payload))


def peek(token: str | bytes, *, limit: int = TOKEN_LIMIT) -> Jwt:
    """Read a token WITHOUT checking its signature: only to learn whose keys to check it with."""
    head, payload, _ = parts(token, limit)
    return Jwt(read_header(head), None, read_claims(unb64url(payload)))


def parts(token: str | bytes, limit: int) -> tuple[bytes, bytes, bytes]:
    """Return header, payload and signature as sent; Malformed if the token is too long or has not three parts."""
    if len(token) > limit:
        raise Malformed(f"a token of more than {limit} bytes")
    try:
        octets = token.encode("ascii") if isinstance(token, str) else token
    except UnicodeEncodeError:
        raise Malformed("a token is ASCII text") from None
    if octets.count(b".") != _PARTS - 1:
        raise Malformed("a token has three parts")
    head, payload, signature = octets.split(b".")
    if len(head) > _HEADER_LIMIT:
        raise Malformed(f"a header of more than {_HEADER_LIMIT} bytes")
    return head, payload, signature


def read_header(head: bytes) -> Header:
    """Decode a header; Malformed unless what is registered has its type."""
    members = json_object(unb64url(head))
    alg, kid, typ = members.get("alg"), members.get("kid"), members.get("typ", "")
    if not isinstance(alg, str) or not isinstance(typ, str) or not (kid is None or isinstance(kid, str)):
        raise Malformed("`alg`, `typ` or `kid` in the header is missing or no text")
    if "kid" in members and kid is None:
        raise Malformed("`kid` in the header is no text")
    return Header(alg, short_type(typ), kid, members)


def short_type(typ: str) -> str:
    """Normalise as RFC 7515, section 4.1.9 says: media types ignore case, and `application/` may be left out."""
    low = typ.lower()
    bare = low.removeprefix("application/")
    return low if "/" in bare else bare


def check_critical(header: Header, understood: Collection[str]) -> None:
    """RFC 7515, section 4.1.11: a non-empty list of distinct names of extensions that are present, every one understood."""
    if "crit" not in header.members:
        return
    names = header.members["crit"]
    if not isinstance(names, list) or not names:
        raise Malformed("`crit` is no list of names")
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str) or name in seen or name in _REGISTERED or name not in header.members:
            raise Malformed("`crit` names something it must not")
        seen.add(name)
    if not seen <= set(understood):
        raise Unsupported("a critical extension is not understood here")


def read_claims(payload: bytes) -> Mapping[str, JsonValue]:
    """Decode claims; Malformed unless the registered ones have their types."""
    claims = json_object(payload)
    for name in ("iss", "sub", "jti"):
        if name in claims and not isinstance(claims[name], str):
            raise Malformed(f"`{name}` is no text")
    for name in ("exp", "nbf", "iat"):
        if name in claims and not _is_date(claims[name]):
            raise Malformed(f"`{name}` is no date in seconds")
    audience = claims.get("aud", "")
    if not isinstance(audience, str) and not (isinstance(audience, list) and audience and all(isinstance(one, str) for one in audience)):
        raise Malformed("`aud` is neither text nor a list of texts")
    return claims


def _is_date(value: JsonValue) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -_LARGEST_NUMBER < value < _LARGEST_NUMBER
