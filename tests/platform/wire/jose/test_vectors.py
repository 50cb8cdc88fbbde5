"""The vectors of RFC 7515 (appendix A), 7520, 7638, 8037, 8705 and 9449."""

from __future__ import annotations

import base64
import json

import pytest

from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, KeySet, SharedKey, SigningKey, VerifyKey
from tests.platform.wire.jose import vectors as v


def octets(members: object) -> bytes:
    return json.dumps(members).encode()


def public(key: dict[str, str], alg: Alg) -> KeySet:
    return KeySet([VerifyKey(jose.read_public({name: value for name, value in key.items() if name in {"kty", "crv", "x", "y", "n", "e"}}), alg)])


@pytest.mark.parametrize(("key", "alg", "token"), [(v.A2_KEY, Alg.RS256, v.A2_RS256), (v.A3_KEY, Alg.ES256, v.A3_ES256)])
def test_rfc_7515_tokens_verify(key: dict[str, str], alg: Alg, token: str) -> None:
    """The RS256 and ES256 examples verify and give the payload octet by octet; their claims read as claims."""
    keys = public(key, alg)
    assert jose.verify(token, keys, typ={""}).payload == v.CLAIMS
    assert jose.verify_jwt(token, keys, typ={""}).claims == {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}


@pytest.mark.parametrize("token", [v.A1_HS256, v.A5_NONE, v.A3_ES256.replace("eyJhbGciOiJFUzI1NiJ9", "eyJhbGciOiJFUzUxMiJ9")])
def test_other_algorithms_are_refused(token: str) -> None:
    """HS256, `none` and ES512 find no key, whatever keys are at hand."""
    for key, alg in ((v.A2_KEY, Alg.RS256), (v.A3_KEY, Alg.ES256), (v.RFC8037_KEY, Alg.EDDSA)):
        with pytest.raises(jose.UnknownKey):
            jose.verify(token, public(key, alg), typ={"", "jwt"})


def test_the_hs256_of_a1() -> None:
    """The shared secret makes exactly the signature that is printed there, and takes it."""
    key = SharedKey(jose.unb64url(v.A1_SECRET.encode()))
    head, _, signature = v.A1_HS256.rpartition(".")
    assert jose.b64url(key.sign(head.encode())).decode() == signature
    assert jose.verify(v.A1_HS256, KeySet([key]), typ={"jwt"}).payload == v.CLAIMS


def test_rs256_signs_the_published_signature() -> None:
    """The private key of A.2, read as a JWK, makes exactly the signature that is printed there."""
    key = SigningKey(jose.read_private(octets(v.A2_KEY)), Alg.RS256)
    assert jose.b64url(key.sign(v.A2_RS256.rpartition(".")[0].encode())).decode() == v.A2_SIGNATURE


def test_es256_key_of_a3_signs() -> None:
    """The private key of A.3 belongs to its public one; ECDSA is random, so the signature is checked, not compared."""
    key = SigningKey(jose.read_private(octets(v.A3_KEY)), Alg.ES256)
    token = jose.encode(key, v.CLAIMS, "")
    assert jose.verify(token, KeySet([key.public]), typ={""}).payload == v.CLAIMS
    assert len(jose.unb64url(token.rpartition(".")[2].encode())) == 64


def test_rfc_8037() -> None:
    """Ed25519: thumbprint (A.3), signature (A.4) and its verification under the old name of the algorithm (A.5)."""
    private = jose.read_private(octets(v.RFC8037_KEY))
    key = SigningKey(private, Alg.ED25519)
    assert key.kid == v.RFC8037_THUMBPRINT
    assert jose.b64url(key.sign(v.RFC8037_EDDSA.rpartition(".")[0].encode())).decode() == v.RFC8037_SIGNATURE
    assert jose.verify(v.RFC8037_EDDSA, public(v.RFC8037_KEY, Alg.EDDSA), typ={""}).payload == b"Example of Ed25519 signing"


def test_rfc_7638() -> None:
    """The thumbprint of the published RSA key."""
    key = jose.read_public({name: value for name, value in v.RFC7638_KEY.items() if name in {"kty", "n", "e"}})
    assert jose.thumbprint(jose.export(key)) == v.RFC7638_THUMBPRINT


def test_rfc_9449_proof() -> None:
    """The proof of section 4.1 verifies by the key it brings, and that is the one whose thumbprint section 6.1 prints."""
    read = jose.verify_jwt_by_embedded_key(v.RFC9449_PROOF, {Alg.ES256}, typ={"dpop+jwt"})
    assert read.key is not None
    assert (read.key.alg, read.claims["htm"], read.claims["jti"]) == (Alg.ES256, "POST", "-BwC3ESc6acc2lTc")
    assert isinstance(read.key, VerifyKey)
    assert read.key.thumbprint == jose.thumbprint_of(dict(v.RFC9449_KEY)) == v.RFC9449_THUMBPRINT


def test_rfc_8705_certificate() -> None:
    """The certificate of appendix A has the thumbprint printed there."""
    der = base64.b64decode(v.RFC8705_CERTIFICATE)
    read = jose.read_certificate(der)
    assert jose.certificate_thumbprint(der) == read.thumbprint == v.RFC8705_THUMBPRINT
    assert (read.subject, read.not_before.isoformat()) == ("CN=mtls", "2018-10-18T12:37:09+00:00")
    assert jose.registered_certificates(octets({"keys": [{"kty": "EC", "x5c": [v.RFC8705_CERTIFICATE]}]})) == {v.RFC8705_THUMBPRINT}


def test_rfc_7520_cookbook() -> None:
    """Section 4.1: a key found by its `kid` in a set verifies a payload that is plain text, which is therefore no JWT."""
    keys = KeySet.parse(octets({"keys": [v.RFC7520_KEY]}), [Alg.RS256])
    assert jose.verify(v.RFC7520_RS256, keys, typ={""}).payload.decode().startswith("It\N{RIGHT SINGLE QUOTATION MARK}s a dangerous business, Frodo")
    with pytest.raises(jose.Malformed):
        jose.verify_jwt(v.RFC7520_RS256, keys, typ={""})


def test_p521_does_not_serve() -> None:
    """The key of A.4 is refused alone and passed over in a set."""
    with pytest.raises(jose.BadKey):
        jose.read_public(dict(v.A4_KEY))
    only = {name: value for name, value in v.A3_KEY.items() if name != "d"}
    assert [key.alg for key in KeySet.parse(octets({"keys": [v.A4_KEY, only]}), Alg)] == [Alg.ES256]
