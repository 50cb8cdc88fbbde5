"""JWK (RFC 7517, RFC 7518 section 6, RFC 8037): reading and writing public keys, reading private ones, thumbprints (RFC 7638)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from limen.platform.wire.jose.errors import BadKey, Malformed
from limen.platform.wire.jose.strict import JsonValue, b64url, json_object, unb64url

JWK_LIMIT: Final = 16_384
"""Octets of one JWK that are read at most."""
PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members that hold a secret; `k` is the key of `oct`."""

_ESSENTIAL: Final[Mapping[str, tuple[str, ...]]] = {"EC": ("x", "y"), "RSA": ("n", "e"), "OKP": ("x",)}
_RSA_FEWEST: Final = 2048
_RSA_MOST: Final = 8192
_EXPONENT_MOST: Final = 2**32
_COORDINATE: Final = 32

_Public: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
_Private: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


class PublicJwk(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A public key as the world sees it; members that do not belong to its `kty` are empty and left out."""

    kty: str
    kid: str | None = None
    use: str | None = None
    alg: str | None = None
    crv: str | None = None
    x: str | None = None
    y: str | None = None
    n: str | None = None
    e: str | None = None


def export(public: _Public, *, kid: str | None = None, alg: str | None = None) -> PublicJwk:
    """Return the JWK of a public key; with `alg` also `use: sig`."""
    use = "sig" if alg else None
    if isinstance(public, ec.EllipticCurvePublicKey):
        point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return PublicJwk(kty="EC", kid=kid, use=use, alg=alg, crv="P-256", x=_text(point[1 : 1 + _COORDINATE]), y=_text(point[1 + _COORDINATE :]))
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return PublicJwk(kty="RSA", kid=kid, use=use, alg=alg, n=_number(numbers.n), e=_number(numbers.e))
    return PublicJwk(kty="OKP", kid=kid, use=use, alg=alg, crv="Ed25519", x=_text(public.public_bytes_raw()))


def thumbprint(jwk: PublicJwk) -> str:
    """Return the SHA-256 thumbprint (RFC 7638), 43 characters of base64url."""
    match jwk.kty:
        case "EC":
            members = {"crv": jwk.crv, "kty": jwk.kty, "x": jwk.x, "y": jwk.y}
        case "RSA":
            members = {"e": jwk.e, "kty": jwk.kty, "n": jwk.n}
        case _:
            members = {"crv": jwk.crv, "kty": jwk.kty, "x": jwk.x}
    return _text(hashlib.sha256(msgspec.json.encode(members)).digest())


def thumbprint_of(members: Mapping[str, JsonValue]) -> str:
    """Return the thumbprint of a JWK that somebody sent (RFC 7638, section 3), of any curve; BadKey if a member it needs is missing or odd.

    Says nothing about whether the key serves, or is one.
    """
    refuse_private(members)
    kind, curve = members.get("kty"), members.get("crv")
    if not isinstance(kind, str) or kind not in _ESSENTIAL:
        raise BadKey("a key of this type has no thumbprint here")
    needed = {name: _text(_octets(members, name)) for name in _ESSENTIAL[kind]}
    if kind != "RSA" and not isinstance(curve, str):
        raise BadKey("`crv` is missing or no text")
    return thumbprint(PublicJwk(kty=kind, crv=curve if isinstance(curve, str) else None, **needed))


def read_public(members: Mapping[str, JsonValue]) -> _Public:
    """Return the public key of a JWK, whose private members are not looked at; BadKey if it is none that serves here."""
    try:
        match members.get("kty"), members.get("crv"):
            case "EC", "P-256":
                point = b"\x04" + coordinate(members, "x") + coordinate(members, "y")
                return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            case "OKP", "Ed25519":
                return ed25519.Ed25519PublicKey.from_public_bytes(coordinate(members, "x"))
            case "RSA", _:
                return _rsa_numbers(members).public_key()
            case _:
                raise BadKey("a key of this type does not serve here")
    except ValueError:
        raise BadKey("the key's numbers make no key") from None


def read_private(raw: bytes) -> _Private:
    """Return the private key of a JWK, checked in full; BadKey if it is none or its public part is another key's."""
    members = jwk_members(raw)
    public = read_public(members)
    try:
        private = _private(public, members)
    except ValueError:
        raise BadKey("the key's numbers make no key") from None
    if private.public_key() != public:
        raise BadKey("the private part belongs to another key")
    return private


def jwk_members(raw: bytes) -> dict[str, JsonValue]:
    """Parse the text of one JWK; BadKey if it is too long or no JSON object."""
    if len(raw) > JWK_LIMIT:
        raise BadKey(f"a key of more than {JWK_LIMIT} bytes")
    try:
        return json_object(raw)
    except Malformed:
        raise BadKey("the key is not a well-formed JSON object") from None


def refuse_private(members: Mapping[str, JsonValue]) -> None:
    """Raise BadKey if a member holds a secret, or the key is one: its owner must hear of it."""
    if PRIVATE_MEMBERS & members.keys() or members.get("kty") == "oct":
        raise BadKey("a private or secret key where only public ones may stand: revoke it, it is no secret any more")


def _private(public: _Public, members: Mapping[str, JsonValue]) -> _Private:
    if isinstance(public, ec.EllipticCurvePublicKey):
        return ec.EllipticCurvePrivateNumbers(int.from_bytes(coordinate(members, "d")), public.public_numbers()).private_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        return ed25519.Ed25519PrivateKey.from_private_bytes(coordinate(members, "d"))
    d, p, q, dp, dq, qi = (_integer(members, name) for name in ("d", "p", "q", "dp", "dq", "qi"))
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, public.public_numbers()).private_key()


def _rsa_numbers(members: Mapping[str, JsonValue]) -> rsa.RSAPublicNumbers:
    n, e = _integer(members, "n"), _integer(members, "e")
    if not _RSA_FEWEST <= n.bit_length() <= _RSA_MOST:
        raise BadKey(f"an RSA key has {_RSA_FEWEST} to {_RSA_MOST} bits")
    if n % 2 == 0 or e % 2 == 0 or not 1 < e < _EXPONENT_MOST:
        raise BadKey("the key's numbers make no key")
    return rsa.RSAPublicNumbers(e, n)


def _octets(members: Mapping[str, JsonValue], name: str) -> bytes:
    value = members.get(name)
    if not isinstance(value, str) or not value.isascii():
        raise BadKey(f"`{name}` is missing or no text")
    try:
        return unb64url(value.encode())
    except Malformed:
        raise BadKey(f"`{name}` is not canonical base64url") from None


def coordinate(members: Mapping[str, JsonValue], name: str) -> bytes:
    """Return a member of exactly 32 octets; BadKey if it is missing or another length."""
    octets = _octets(members, name)
    if len(octets) != _COORDINATE:
        raise BadKey(f"`{name}` has not 32 octets")
    return octets


def _integer(members: Mapping[str, JsonValue], name: str) -> int:
    octets = _octets(members, name)
    if not octets or octets[0] == 0:
        raise BadKey(f"`{name}` is not in its shortest form")
    return int.from_bytes(octets)


def _text(octets: bytes) -> str:
    return b64url(octets).decode()


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8))
