"""HS256: a secret that both sides know, which no public key can pass for."""

from __future__ import annotations

import json
import pickle
from typing import Final

import joserfc.jwk
import joserfc.jws
import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from limen.kernel import secrets
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, BadKey, KeySet, SharedKey, SigningKey, VerifyKey
from tests.platform.wire.jose import vectors as v

SECRET: Final = b"lmn_cs_a-client-secret-of-a-client-that-wants-HS256"
CLAIMS: Final = {"iss": "shop", "sub": "shop", "aud": "https://id.example"}


def signed(header: object, secret: bytes) -> str:
    """Return a message with an HMAC over whatever header a test wants."""
    octets = jose.b64url(json.dumps(header).encode()) + b"." + jose.b64url(json.dumps(CLAIMS).encode())
    return (octets + b"." + jose.b64url(secrets.mac(secret, octets))).decode()


def test_both_directions_with_another_library() -> None:
    """What is made here another library reads and the other way round; without a name in the key none stands in the header."""
    theirs = joserfc.jwk.OctKey.import_key(SECRET)
    token = jose.encode_jwt(SharedKey(SECRET), CLAIMS, "JWT")
    assert joserfc.jws.deserialize_compact(token, theirs, algorithms=["HS256"]).headers() == {"alg": "HS256", "typ": "JWT"}
    made = joserfc.jws.serialize_compact({"alg": "HS256", "kid": "whatever"}, b"{}", theirs, algorithms=["HS256"])
    read = jose.verify(made, KeySet([SharedKey(SECRET)]), typ={""})
    assert (read.key.alg, read.payload) == (Alg.HS256, b"{}")
    assert jose.peek(jose.encode_jwt(SharedKey(SECRET, "k1"), CLAIMS, "")).header.kid == "k1"


@pytest.mark.parametrize("other", [SECRET + b"x", SECRET[:-1], SECRET.swapcase()])
def test_another_secret_is_another_key(other: bytes) -> None:
    """One octet more, less or otherwise, and nothing verifies."""
    with pytest.raises(jose.BadSignature):
        jose.verify(jose.encode(SharedKey(other), b"{}", ""), KeySet([SharedKey(SECRET)]), typ={""})


@pytest.mark.parametrize("signature", ["", "AA", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjQ"])
def test_a_shortened_code_is_no_signature(signature: str) -> None:
    """Nothing of another length than the hash is compared with its beginning."""
    token = jose.encode(SharedKey(SECRET), b"{}", "").rpartition(".")[0]
    with pytest.raises(jose.BadSignature):
        jose.verify(f"{token}.{signature}", KeySet([SharedKey(SECRET)]), typ={""})


def test_a_secret_shorter_than_the_hash_serves_nobody() -> None:
    """32 octets at least (RFC 7518, section 3.2)."""
    SharedKey(b"x" * 32)
    with pytest.raises(BadKey):
        SharedKey(b"x" * 31)


@pytest.mark.parametrize("alg", [Alg.RS256, Alg.PS256, Alg.ES256, Alg.ED25519])
def test_a_public_key_is_no_shared_secret(alg: Alg) -> None:
    """Signed with HS256 under any spelling of a public key, a message finds no key, also where a real secret stands beside it."""
    pair = SigningKey.generate(alg)
    public = jose.read_public(jose.json_object(jwk(pair)))
    texts = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        jwk(pair),
    ]
    for secret in texts:
        for header in ({"alg": "HS256"}, {"alg": "HS256", "kid": pair.kid}):
            with pytest.raises(jose.UnknownKey):
                jose.verify(signed(header, secret), KeySet([pair.public]), typ={""})
            with pytest.raises(jose.BadSignature):
                jose.verify(signed(header, secret), KeySet([pair.public, SharedKey(SECRET)]), typ={""})


def test_a_secret_checks_nothing_but_hs256() -> None:
    """An HMAC under another algorithm's name, `none` included, finds no key; neither does a true signature find the secret."""
    keys = KeySet([SharedKey(SECRET)])
    for alg in ("RS256", "ES256", "none", "HS512", "hs256", "HS256 "):
        with pytest.raises(jose.UnknownKey):
            jose.verify(signed({"alg": alg}, SECRET), keys, typ={""})
    with pytest.raises(jose.UnknownKey):
        jose.verify(jose.encode(SigningKey.generate(Alg.ES256), b"{}", ""), keys, typ={""})


def test_no_set_yields_a_secret() -> None:
    """A set that holds one is refused whole, and asked for HS256 a set of public keys has nothing (OpenID Connect Registration 1.0, section 2)."""
    public = {name: value for name, value in v.A3_KEY.items() if name != "d"}
    with pytest.raises(BadKey, match="revoke"):
        KeySet.parse(json.dumps({"keys": [public, {"kty": "oct", "k": v.A1_SECRET, "alg": "HS256"}]}).encode(), Alg)
    with pytest.raises(BadKey, match="no key that serves"):
        KeySet.parse(json.dumps({"keys": [public | {"alg": "HS256"}]}).encode(), Alg)
    with pytest.raises(BadKey, match="no key that serves"):
        KeySet.parse(json.dumps({"keys": [public]}).encode(), [Alg.HS256])
    with pytest.raises(BadKey):
        VerifyKey(jose.read_public(dict(public)), Alg.HS256)


def test_a_secret_hides() -> None:
    """Neither repr nor pickle lets it out, and whoever looks through a set for keys to show meets the public ones alone."""
    pair = SigningKey.generate(Alg.ES256)
    keys = KeySet([SharedKey(SECRET), pair.public])
    assert (list(keys), len(keys)) == ([pair.public], 2)
    assert KeySet([SharedKey(SECRET)])
    assert repr(SharedKey(SECRET)) == "SharedKey(HS256 None)"
    with pytest.raises(TypeError):
        pickle.dumps(SharedKey(SECRET))


def jwk(pair: SigningKey) -> bytes:
    """Return the public key as the JWKS has it."""
    return msgspec.json.encode(pair.public.jwk)
