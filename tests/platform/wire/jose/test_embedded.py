"""Tokens that bring their own key: they prove possession of it, within the same bounds as all others, and have no way into `verify`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.kernel import secrets
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, BadKey, JoseError, KeySet, SigningKey
from tests.platform.wire.jose import vectors as v

KEYS: Final = {alg: SigningKey.generate(alg) for alg in (Alg.ES256, Alg.RS256, Alg.PS256, Alg.ED25519, Alg.EDDSA)}
ES: Final = KEYS[Alg.ES256]
CLAIMS: Final = {"jti": "a", "htm": "POST", "htu": "https://id.example/oauth/token", "iat": 1562262616}
DPOP: Final = ("dpop+jwt",)


def bare(key: SigningKey) -> dict[str, object]:
    """Return the public key as an app puts it into a header."""
    members = json.loads(msgspec.json.encode(key.public.jwk))
    return {name: value for name, value in members.items() if name not in {"kid", "use", "alg"}}


def proof(key: SigningKey = ES, /, claims: object = CLAIMS, **header: object) -> str:
    """Sign a proof with whatever header a test wants."""
    head = {"typ": "dpop+jwt", "alg": key.alg.value, "jwk": bare(key)} | header
    octets = jose.b64url(json.dumps(head).encode()) + b"." + jose.b64url(json.dumps(claims).encode())
    return (octets + b"." + jose.b64url(key.sign(octets))).decode()


def read(token: str, algs: tuple[Alg, ...] = tuple(Alg)) -> jose.Jwt:
    return jose.verify_jwt_by_embedded_key(token, algs, typ=DPOP)


@pytest.mark.parametrize("alg", list(KEYS))
def test_a_proof_says_whose_key_signed(alg: Alg) -> None:
    """With every algorithm of public keys; names of keys beside it count for nothing."""
    for token in (proof(KEYS[alg]), proof(KEYS[alg], kid="another"), proof(KEYS[alg], jku="https://evil.example/jwks", x5u="https://evil.example/x")):
        found = read(token)
        assert found.key is not None
        assert isinstance(found.key, jose.VerifyKey)
        assert (found.claims, found.key.alg) == (CLAIMS, alg)
        assert found.key.thumbprint == jose.thumbprint_of(jose.json_object(json.dumps(bare(KEYS[alg])).encode()))


def test_a_key_that_was_seen_is_not_read_again() -> None:
    """An app's second proof finds the very key object of its first; another app's does not."""
    assert read(proof()).key is read(proof(claims=CLAIMS | {"jti": "b"})).key
    assert read(proof()).key is not read(proof(SigningKey.generate(Alg.ES256))).key


def test_what_was_seen_proves_nothing() -> None:
    """A signature by another key under a header that is remembered, or over other claims, is refused each time."""
    good = proof()
    read(good)
    other = SigningKey.generate(Alg.ES256)
    octets = good.rpartition(".")[0].encode()
    with pytest.raises(jose.BadSignature):
        read((octets + b"." + jose.b64url(other.sign(octets))).decode())
    head, _, signature = good.split(".")
    with pytest.raises(jose.BadSignature):
        read(f"{head}.{jose.b64url(b'{}').decode()}.{signature}")


def test_the_caller_says_which_algorithms_and_types() -> None:
    """What is remembered for one caller is still refused to another."""
    read(proof(KEYS[Alg.RS256]))
    with pytest.raises(jose.UnsupportedAlgorithm):
        read(proof(KEYS[Alg.RS256]), (Alg.ES256, Alg.PS256))
    with pytest.raises(jose.Unsupported):
        jose.verify_jwt_by_embedded_key(proof(), (Alg.ES256,), typ=("jwt",))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "RS256"},
        {"alg": "EdDSA"},
        {"alg": "ES512"},
        {"alg": None},
        {"typ": "jwt"},
        {"typ": ""},
        {"typ": None},
        {"jwk": None},
        {"jwk": "text"},
        {"jwk": [bare(ES)]},
        {"jwk": {}},
        {"jwk": v.A3_KEY},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jwk": bare(ES) | {"d": "AAAA"}},
        {"jwk": bare(ES) | {"use": "enc"}},
        {"jwk": bare(ES) | {"alg": "RS256"}},
        {"jwk": bare(ES) | {"key_ops": ["sign"]}},
        {"jwk": bare(ES) | {"crv": "P-384"}},
        {"jwk": bare(ES) | {"x": bare(ES)["y"]}},
        {"jwk": bare(SigningKey.generate(Alg.ES256))},
        {"crit": ["jwk"]},
        {"crit": ["x"], "x": 1},
        {"crit": ["b64"], "b64": False},
        {"x": "x" * 3000},
    ],
)
def test_bad_proofs_are_refused(header: Mapping[str, object]) -> None:
    """A true signature does not help a header that is wrong, nor a key that is private, unusable or another one."""
    with pytest.raises(JoseError):
        read(proof(**header))


def test_an_hmac_with_the_key_that_is_shown() -> None:
    """HS256 under the public key in the header, the classic confusion, has no way in, even where a caller lists HS256."""
    for secret in (msgspec.json.encode(bare(ES)), b""):
        head = jose.b64url(json.dumps({"typ": "dpop+jwt", "alg": "HS256", "jwk": bare(ES)}).encode())
        octets = head + b"." + jose.b64url(b"{}")
        with pytest.raises(jose.UnsupportedAlgorithm):
            read((octets + b"." + jose.b64url(secrets.mac(secret, octets))).decode())
    with pytest.raises(BadKey):
        jose.read_embedded({"kty": "oct", "k": "AAAA"}, Alg.HS256)


@pytest.mark.parametrize("claims", [[], "x", {"jti": 1}, {"iat": "now"}, {"iat": True}])
def test_claims_have_their_types(claims: object) -> None:
    """As everywhere."""
    with pytest.raises(jose.Malformed):
        read(proof(claims=claims))


def test_a_proof_has_bounds() -> None:
    """In its whole and in its header, before anything is parsed."""
    with pytest.raises(jose.Malformed):
        read("a" * 20_000 + ".b.c")
    with pytest.raises(jose.Malformed):
        read("a" * 4_000 + ".b.c")
    with pytest.raises(jose.Malformed):
        jose.verify_jwt_by_embedded_key(proof(), (Alg.ES256,), typ=DPOP, limit=200)


def test_an_embedded_key_has_no_way_into_verify() -> None:
    """`verify` looks at its own keys alone: a proof of somebody else's key finds none, with or without the name of one of ours."""
    mallory = SigningKey.generate(Alg.ES256)
    for header in ({}, {"kid": ES.kid}, {"x5c": ["AAAA"], "jku": "https://evil.example/jwks"}):
        with pytest.raises((jose.UnknownKey, jose.BadSignature)):
            jose.verify_jwt(proof(mallory, **header), KeySet([ES.public]), typ=DPOP)


@given(st.text("ey.AQ-_ab0", max_size=60) | st.binary(max_size=60))
def test_any_octets_are_no_proof(raw: str | bytes) -> None:
    """Reading rubbish ends in a JoseError and nothing else."""
    with pytest.raises(JoseError):
        jose.verify_jwt_by_embedded_key(raw, tuple(Alg), typ=DPOP)
