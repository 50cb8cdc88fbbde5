"""Keys: in and out as JWK, pinned to one algorithm, foreign sets within bounds."""

from __future__ import annotations

import json
import pickle
from typing import Final

import joserfc.jwk
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, BadKey, JsonValue, KeySet, SigningKey, VerifyKey
from tests.platform.wire.jose import vectors as v

EC: Final[dict[str, str]] = {name: value for name, value in v.A3_KEY.items() if name != "d"}
RSA: Final = {name: v.A2_KEY[name] for name in ("kty", "n", "e")}
OKP: Final = {name: value for name, value in v.RFC8037_KEY.items() if name != "d"}


def parsed(*keys: object, algs: tuple[Alg, ...] = tuple(Alg)) -> KeySet:
    return KeySet.parse(json.dumps({"keys": keys}).encode(), algs)


@pytest.mark.parametrize("alg", [Alg.ES256, Alg.RS256, Alg.PS256, Alg.ED25519, Alg.EDDSA])
def test_keys_survive_storage(alg: Alg) -> None:
    """What `dump` wrote, `load` reads: same name, same public key."""
    key = SigningKey.generate(alg)
    again = SigningKey.load(key.dump(), alg)
    assert (again.kid, again.public.jwk) == (key.kid, key.public.jwk)
    key.public.verify(b"x", again.sign(b"x"))


def test_the_world_sees_public_members_only() -> None:
    """A published key names its use, algorithm and `kid`, and holds nothing private."""
    key = SigningKey.generate(Alg.ES256)
    shown = json.loads(msgspec.json.encode(key.public.jwk))
    assert shown == {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": key.kid, "x": shown["x"], "y": shown["y"]}


def test_keys_hide() -> None:
    """Neither repr nor pickle lets a private key out."""
    key = SigningKey.generate(Alg.ED25519)
    assert repr(key) == f"SigningKey(Ed25519 {key.kid})"
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_a_key_serves_one_algorithm() -> None:
    """A key object refuses an algorithm that is not its own, a shared secret's above all, and other curves."""
    for private, alg in (
        (ec.generate_private_key(ec.SECP256R1()), Alg.RS256),
        (ed25519.Ed25519PrivateKey.generate(), Alg.ES256),
        (ec.generate_private_key(ec.SECP384R1()), Alg.ES256),
        (ed25519.Ed25519PrivateKey.generate(), Alg.HS256),
        (ec.generate_private_key(ec.SECP256R1()), Alg.HS256),
        (rsa.generate_private_key(public_exponent=65537, key_size=2048), Alg.HS256),
    ):
        with pytest.raises(BadKey):
            SigningKey(private, alg)
    with pytest.raises(jose.BadSignature):
        VerifyKey(jose.read_public(dict(RSA)), Alg.PS256).verify(v.A2_RS256.rpartition(".")[0].encode(), jose.unb64url(v.A2_SIGNATURE.encode()))


def test_a_shared_secret_is_not_made_here() -> None:
    """No key is generated for HS256: its secret comes from whoever shares it."""
    with pytest.raises(BadKey):
        SigningKey.generate(Alg.HS256)


@pytest.mark.parametrize("members", [EC, RSA, OKP, v.A4_KEY, v.RFC9449_KEY])
def test_thumbprints_of_what_somebody_sent(members: dict[str, str]) -> None:
    """Whatever else stands in the key and in whatever order, also for curves that do not serve, as another library has it."""
    sent = dict(reversed((members | {"kid": "x", "use": "sig", "x5c": "rubbish"}).items()))
    assert jose.thumbprint_of(dict(sent)) == joserfc.jwk.import_key(dict(members)).thumbprint()


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"kty": ["EC"]},
        {"kty": "oct"},
        {"kty": "oct", "k": "AAAA"},
        v.A3_KEY,
        EC | {"x": 1},
        EC | {"y": EC["y"] + "="},
        EC | {"crv": None},
        {"kty": "RSA", "n": RSA["n"]},
    ],
)
def test_what_has_no_thumbprint(members: dict[str, JsonValue]) -> None:
    """A key with a member missing, of the wrong type or spelt in a second way, and above all a private one."""
    with pytest.raises(BadKey):
        jose.thumbprint_of(members)


@given(st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid"]), st.sampled_from([*EC.values(), *RSA.values(), *OKP.values(), 1, None, []])))
def test_any_members_have_a_thumbprint_or_none(members: dict[str, JsonValue]) -> None:
    """Whatever stands in a key, its thumbprint is 43 characters, or it is BadKey; a key that can be read has one, and the same."""
    try:
        found = jose.thumbprint_of(members)
    except BadKey:
        with pytest.raises(BadKey):
            jose.read_public(members)
        return
    assert len(found) == 43
    try:
        assert jose.thumbprint(jose.export(jose.read_public(members))) == found
    except BadKey:
        return


@pytest.mark.parametrize("signature", [b"", b"\0" * 64, b"\xff" * 64, b"\1" * 63, b"\1" * 65])
def test_shapes_of_a_signature(signature: bytes) -> None:
    """A signature of the wrong length, of zeros or out of range is a bad one and no other error."""
    for key in (
        VerifyKey(jose.read_public(dict(EC)), Alg.ES256),
        VerifyKey(jose.read_public(dict(OKP)), Alg.ED25519),
        VerifyKey(jose.read_public(dict(RSA)), Alg.RS256),
    ):
        with pytest.raises(jose.BadSignature):
            key.verify(b"x", signature)


def test_a_set_pins_algorithms() -> None:
    """A key that names its algorithm serves that; others serve what the caller wants and their type fits."""
    keys = parsed(EC | {"kid": "e"}, RSA | {"kid": "r"}, RSA | {"kid": "p", "alg": "PS256"}, OKP | {"kid": "o"}, algs=(Alg.ES256, Alg.PS256, Alg.ED25519))
    assert [(key.kid, key.alg) for key in keys] == [("e", Alg.ES256), ("r", Alg.PS256), ("p", Alg.PS256), ("o", Alg.ED25519)]
    assert len(keys) == 4
    for kid, alg in (("r", "RS256"), ("p", "RS256"), ("e", "PS256"), ("e", "none"), ("x", "ES256"), (None, "PS256")):
        with pytest.raises(jose.UnknownKey):
            keys.find(kid, alg)


def test_a_key_without_a_name_serves_when_it_is_alone() -> None:
    """Without `kid` on either side the only key for the algorithm is meant; between two nobody guesses."""
    assert parsed(EC).find(None, "ES256").kid is None
    assert parsed(EC).find("whatever", "ES256").kid is None
    assert parsed(EC | {"kid": "e"}).find(None, "ES256").kid == "e"
    with pytest.raises(jose.UnknownKey):
        parsed(EC | {"kid": "e"}).find("other", "ES256")
    other = json.loads(msgspec.json.encode(SigningKey.generate(Alg.ES256).public.jwk)) | {"kid": None}
    with pytest.raises(jose.UnknownKey):
        parsed(EC, other).find(None, "ES256")


@pytest.mark.parametrize(
    "key",
    [
        {},
        {"kty": "EC"},
        EC | {"crv": "P-384"},
        EC | {"x": EC["y"]},
        EC | {"x": EC["x"] + "="},
        EC | {"x": "AA" + EC["x"]},
        EC | {"x": 1},
        EC | {"y": None},
        EC | {"kid": 7},
        EC | {"kid": "k" * 600},
        RSA | {"n": "AQAB"},
        RSA | {"e": "AA"},
        RSA | {"e": "AQ"},
        RSA | {"e": "AQAA"},
        RSA | {"e": "AAEAAQ"},
        RSA | {"n": "AA" + RSA["n"]},
        RSA | {"e": RSA["n"]},
        RSA | {"n": "_" * 2000},
        RSA | {"n": RSA["n"][:-1] + "g"},
        OKP | {"crv": "X25519"},
        OKP | {"x": "AAAA"},
        EC | {"use": "enc"},
        EC | {"key_ops": ["encrypt"]},
        EC | {"key_ops": "verify"},
        EC | {"alg": "ES512"},
        EC | {"alg": "RS256"},
        EC | {"alg": 1},
        {"kty": ["EC"]},
    ],
)
def test_keys_that_do_not_serve_are_passed_over(key: dict[str, object]) -> None:
    """In a set an unusable key harms nobody (RFC 7517, section 5); a set of nothing else is refused."""
    assert len(parsed(key, OKP | {"kid": "good"}, algs=(Alg.ES256, Alg.RS256, Alg.ED25519))) == 1
    with pytest.raises(BadKey):
        parsed(key)


@pytest.mark.parametrize("key", [v.A3_KEY, v.A2_KEY, v.RFC8037_KEY, {"kty": "oct", "k": "AAAA"}, {"kty": "oct"}, EC | {"use": "enc", "d": "x"}])
def test_private_keys_in_a_public_set_are_refused_loudly(key: dict[str, str]) -> None:
    """A set with a private key is refused whole: its owner must hear of it."""
    with pytest.raises(BadKey, match="revoke"):
        parsed(OKP, key)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":[]}',
        b'{"keys":[1]}',
        b'{"keys":[],"keys":[]}',
        b"\xff",
        b"[" * 70_000,
        b'{"keys":[' + b"{}," * 64 + b"{}]}",
    ],
)
def test_sets_that_are_none(raw: bytes) -> None:
    """A set is a JSON object with at most 64 keys in 64 kB."""
    with pytest.raises(BadKey):
        KeySet.parse(raw, Alg)


_TEXT: Final = st.sampled_from([*EC.values(), *RSA.values(), *OKP.values(), "", "sig", "ES256", "RS256"]) | st.text(max_size=8)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["kty", "crv", "x", "y", "n", "e", "alg", "use", "kid", "key_ops"]), _TEXT | st.integers() | st.none() | st.lists(_TEXT)
        ),
        max_size=4,
    )
)
def test_any_set_is_read_or_refused(keys: list[dict[str, object]]) -> None:
    """Whatever stands in a set, reading it ends in keys or in BadKey."""
    try:
        assert len(parsed(*keys)) > 0
    except BadKey:
        return


@given(st.binary(max_size=200))
def test_any_octets_are_no_private_key(raw: bytes) -> None:
    """Reading a private key from rubbish is BadKey and nothing else."""
    with pytest.raises(BadKey):
        jose.read_private(raw)


@pytest.mark.parametrize(
    "key",
    [
        v.A3_KEY | {"d": v.RFC8037_KEY["d"]},
        v.RFC8037_KEY | {"d": v.A3_KEY["d"]},
        v.A2_KEY | {"p": v.A2_KEY["q"]},
        v.A2_KEY | {"d": "AQ"},
        EC,
        v.A3_KEY | {"d": "AAAA"},
    ],
)
def test_halves_that_do_not_belong_together(key: dict[str, str]) -> None:
    """A private part of another key, or a missing one, is refused."""
    with pytest.raises(BadKey):
        jose.read_private(json.dumps(key).encode())


def test_a_long_key_is_not_read() -> None:
    """A JWK of more than 16 kB is refused before parsing."""
    with pytest.raises(BadKey):
        jose.jwk_members(b" " * 20_000 + b"{}")


def test_foreign_rsa_sizes() -> None:
    """RSA keys under 2,048 bits are refused."""
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - too small on purpose
    with pytest.raises(BadKey):
        parsed(json.loads(msgspec.json.encode(jose.export(small.public_key()))))


@given(st.binary(max_size=100))
def test_base64url_has_one_spelling(octets: bytes) -> None:
    """What is written reads back; any other spelling of it is refused."""
    text = jose.b64url(octets)
    assert jose.unb64url(text) == octets
    for other in (text + b"=", text + b"\n", b" " + text, text + b"A" if len(text) % 4 == 0 else text + b"=="):
        with pytest.raises(jose.Malformed):
            jose.unb64url(other)
