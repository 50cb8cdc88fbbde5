"""Keys for encryption: which of somebody's may be written to, and our own."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from typing import Final

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, BadKey, DecryptionKey, EncryptionKey, KeyAlg, SigningKey
from tests.platform.wire.jose import vectors as v

RSA: Final = DecryptionKey.generate(KeyAlg.RSA_OAEP_256)
EC: Final = DecryptionKey.generate(KeyAlg.ECDH_ES)


def test_our_keys_survive_storage_and_hide() -> None:
    """What `dump` wrote, `load` reads; neither repr nor pickle lets a private key out; the world sees a key for encryption, and no `alg`."""
    for key in (RSA, EC):
        again = DecryptionKey.load(key.dump(), key.kid)
        assert again.jwk == key.jwk == DecryptionKey.load(key.dump()).jwk
        shown = json.loads(msgspec.json.encode(key.jwk))
        assert (shown["use"], shown["kid"], "alg" in shown, {"d", "p", "q"} & shown.keys()) == ("enc", jose.thumbprint(key.jwk), False, set())
        assert repr(key) == f"DecryptionKey({key.jwk.kty} {key.kid})"
        with pytest.raises(TypeError):
            pickle.dumps(key)
        assert not jose.verify_keys(shown, tuple(Alg))
    with pytest.raises(BadKey):
        DecryptionKey(ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(BadKey):
        DecryptionKey.load(SigningKey.generate(Alg.ED25519).dump())


PUBLIC_RSA: Final = json.loads(msgspec.json.encode(jose.export(RSA.public)))
PUBLIC_EC: Final = json.loads(msgspec.json.encode(jose.export(EC.public)))


def picked(alg: KeyAlg, *keys: Mapping[str, object]) -> str | None:
    return jose.EncryptionKeys.parse(json.dumps({"keys": keys}).encode()).pick(alg).kid


def test_which_key_of_a_set_is_written_to() -> None:
    """First those for encryption that name the algorithm, then those for encryption, then those that say nothing; never one for signatures."""
    sig, plain, enc = PUBLIC_RSA | {"kid": "sig", "use": "sig"}, PUBLIC_RSA | {"kid": "plain"}, PUBLIC_RSA | {"kid": "enc", "use": "enc"}
    exact, other = enc | {"kid": "exact", "alg": "RSA-OAEP-256"}, enc | {"kid": "other", "alg": "RSA-OAEP"}
    curve = PUBLIC_EC | {"kid": "ec", "use": "enc"}
    assert picked(KeyAlg.RSA_OAEP_256, curve, sig, plain, enc, exact, other) == "exact"
    assert picked(KeyAlg.RSA_OAEP, curve, sig, plain, enc, exact, other) == "other"
    assert picked(KeyAlg.RSA_OAEP_256, curve, sig, plain, enc, other) == "enc"
    assert picked(KeyAlg.RSA_OAEP_256, curve, sig, plain, other) == "plain"
    assert picked(KeyAlg.ECDH_ES_A256KW, plain, curve) == "ec"
    for alg, keys in (
        (KeyAlg.RSA_OAEP_256, (sig, other, curve)),
        (KeyAlg.ECDH_ES, (exact, plain)),
        (KeyAlg.ECDH_ES, (curve | {"key_ops": ["verify"]},)),
        (KeyAlg.ECDH_ES, (curve | {"alg": "ES256"},)),
        (KeyAlg.RSA_OAEP, ()),
    ):
        with pytest.raises(jose.UnknownKey):
            picked(alg, *keys)


@pytest.mark.parametrize(
    "broken",
    [
        PUBLIC_EC | {"y": PUBLIC_EC["x"]},
        PUBLIC_EC | {"crv": "P-384"},
        PUBLIC_EC | {"kid": "k" * 600},
        PUBLIC_EC | {"kid": 1},
        {"kty": "OKP", "crv": "X25519", "x": "AAAA"},
        {"kty": "OKP", "crv": "Ed25519", "x": v.RFC8037_KEY["x"]},
        PUBLIC_EC | {"key_ops": "encrypt"},
        PUBLIC_EC | {"use": 1},
        {},
    ],
)
def test_keys_that_cannot_be_written_to_are_passed_over(broken: Mapping[str, object]) -> None:
    """One bad key harms no other."""
    assert picked(KeyAlg.ECDH_ES, {"use": "enc", **broken}, PUBLIC_EC | {"kid": "good"}) == "good"
    with pytest.raises(jose.UnknownKey):
        picked(KeyAlg.ECDH_ES, broken)


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"keys":[1]}', json.dumps({"keys": [v.A3_KEY]}).encode(), b'{"keys":[{"kty":"oct","k":"AAAA"}]}', b" " * 70_000])
def test_sets_that_are_none(raw: bytes) -> None:
    """A set with a private key, too large or malformed is refused whole."""
    with pytest.raises(BadKey):
        jose.EncryptionKeys.parse(raw)


def test_a_key_is_for_its_own_algorithms() -> None:
    """RSA for RSA, curves for curves, and no other curve than P-256 and X25519."""
    for public, alg in ((RSA.public, KeyAlg.ECDH_ES), (EC.public, KeyAlg.RSA_OAEP), (ec.generate_private_key(ec.SECP384R1()).public_key(), KeyAlg.ECDH_ES)):
        with pytest.raises(BadKey):
            EncryptionKey(public, alg)
