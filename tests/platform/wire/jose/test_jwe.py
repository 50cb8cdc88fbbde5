"""Encryption: what is made here others read and the other way round, and what is not exactly right ends in one error of this package."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from collections.abc import Mapping
from typing import Final

import joserfc.jwe
import joserfc.jwk
import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from limen.kernel import secrets
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, BadKey, DecryptionKey, Enc, EncryptionKey, JoseError, KeyAlg, KeySet, SigningKey
from tests.platform.wire.jose import vectors as v

RSA: Final = DecryptionKey.generate(KeyAlg.RSA_OAEP_256)
EC: Final = DecryptionKey.generate(KeyAlg.ECDH_ES)
OURS: Final = (RSA, EC)
PLAIN: Final = b'{"iss":"shop"}'


def ours(alg: KeyAlg) -> DecryptionKey:
    return RSA if alg in (KeyAlg.RSA_OAEP, KeyAlg.RSA_OAEP_256) else EC


def theirs(alg: KeyAlg) -> EncryptionKey:
    key = ours(alg)
    return EncryptionKey(key.public, alg, key.kid)


def read(token: str | bytes, *keys: DecryptionKey) -> jose.Decrypted:
    return jose.decrypt(token, keys or OURS, algs=tuple(KeyAlg), encs=tuple(Enc))


def sealed(header: Mapping[str, object], cek: bytes, *, wrapped: bytes | None = None, iv: bytes = b"\0" * 12, plain: bytes = PLAIN) -> str:
    """Return a message by A128GCM under whatever header and key a test wants; the key goes wrapped for our RSA key unless given."""
    head = jose.b64url(json.dumps(header).encode())
    content = AESGCM(cek).encrypt(iv, plain, head)
    assert isinstance(RSA.public, rsa.RSAPublicKey)
    key = RSA.public.encrypt(cek, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)) if wrapped is None else wrapped
    return b".".join((head, *map(jose.b64url, (key, iv, content[:-16], content[-16:])))).decode()


def good(**more: object) -> dict[str, object]:
    return {"alg": "RSA-OAEP-256", "enc": "A128GCM", "kid": RSA.kid} | more


CEK: Final = secrets.octets(16)
TOKEN: Final = sealed(good(), CEK)


@pytest.mark.parametrize("enc", list(Enc))
@pytest.mark.parametrize("alg", list(KeyAlg))
def test_another_library_reads_ours_and_we_read_its(alg: KeyAlg, enc: Enc) -> None:
    """Every pair of algorithms, in both directions, with the types in the header as they were given."""
    own = joserfc.jwk.generate_key(*(("RSA", 2048) if alg in (KeyAlg.RSA_OAEP, KeyAlg.RSA_OAEP_256) else ("EC", "P-256")))
    keys = jose.EncryptionKeys.parse(json.dumps({"keys": [own.as_dict(private=False, kid="k")]}).encode())
    made = jose.encrypt(PLAIN, keys.pick(alg), enc, cty="JWT", typ="x")
    found = joserfc.jwe.decrypt_compact(made, own, algorithms=[alg.value, enc.value])
    assert found.plaintext == PLAIN
    assert {name: value for name, value in found.headers().items() if name != "epk"} == {
        "alg": alg.value,
        "enc": enc.value,
        "kid": "k",
        "cty": "JWT",
        "typ": "x",
    }
    shown = joserfc.jwk.import_key(json.loads(msgspec.json.encode(ours(alg).jwk)))
    again = read(joserfc.jwe.encrypt_compact({"alg": alg.value, "enc": enc.value}, PLAIN, shown, algorithms=[alg.value, enc.value]))
    assert (again.payload, again.header.alg, again.cty) == (PLAIN, alg.value, "")


def test_who_encrypts_nothing_imports_nothing_for_it() -> None:
    """The library for encryption and the reader of certificates are imported when first needed, since servers start in 1.5 s."""
    asked = "import sys; from limen.platform.wire import jose; print(sorted({'joserfc', 'cryptography.x509'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_recipient_on_x25519() -> None:
    """Whoever publishes such a key can be written to."""
    own = joserfc.jwk.OKPKey.generate_key("X25519")
    keys = jose.EncryptionKeys.parse(json.dumps({"keys": [own.as_dict(private=False)]}).encode())
    made = jose.encrypt(PLAIN, keys.pick(KeyAlg.ECDH_ES), Enc.A256GCM)
    assert joserfc.jwe.decrypt_compact(made, own, algorithms=["ECDH-ES", "A256GCM"]).plaintext == PLAIN


def test_rfc_7516_a1() -> None:
    """RSA-OAEP with A256GCM: the published message opens with the published key."""
    private = jose.read_private(json.dumps(v.RFC7516_KEY).encode())
    assert isinstance(private, rsa.RSAPrivateKey)
    assert read(v.RFC7516_A1, DecryptionKey(private)).payload == v.RFC7516_PLAIN


def test_rfc_7520_55() -> None:
    """ECDH-ES with A128CBC-HS256: the published message opens with the published key, found by its name."""
    private = jose.read_private(json.dumps(v.RFC7520_55_KEY).encode())
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    found = read(v.RFC7520_55, RSA, EC, DecryptionKey(private, v.RFC7520_55_KEY["kid"]))
    assert found.payload.decode().startswith("You can trust us to stick with you through thick and thin")


def test_rfc_7518_c() -> None:
    """What Bob agrees upon with the passing key of Alice is the published key: a message under it opens."""
    private = jose.read_private(json.dumps(v.RFC7518_BOB).encode())
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    header = {"alg": "ECDH-ES", "enc": "A128GCM", "apu": "QWxpY2U", "apv": "Qm9i", "epk": v.RFC7518_ALICE}
    token = sealed(header, jose.unb64url(v.RFC7518_DERIVED.encode()), wrapped=b"")
    assert read(token, DecryptionKey(private)).payload == PLAIN


def test_a_signed_token_within() -> None:
    """Signed first, then encrypted; the outside says that a token is inside, in whichever spelling."""
    signer = SigningKey.generate(Alg.ES256)
    found = read(jose.nest(jose.encode_jwt(signer, {"iss": "shop"}, "oauth-authz-req+jwt"), theirs(KeyAlg.ECDH_ES), Enc.A256GCM))
    assert found.cty == "jwt"
    assert jose.verify_jwt(found.payload, KeySet([signer.public]), typ={"oauth-authz-req+jwt"}).claims == {"iss": "shop"}
    assert read(jose.encrypt(PLAIN, theirs(KeyAlg.RSA_OAEP), Enc.A128GCM, cty="Application/JWT")).cty == "jwt"
    with pytest.raises(JoseError):
        jose.verify_jwt(jose.nest("a.b.c", theirs(KeyAlg.ECDH_ES), Enc.A256GCM), KeySet([signer.public]), typ={""})


@pytest.mark.parametrize(
    "header",
    [
        good(alg="RSA1_5"),
        good(alg="RSA-OAEP"),
        good(alg="dir"),
        good(alg="none"),
        good(alg="A128KW"),
        good(alg="ECDH-ES"),
        good(alg="PBES2-HS256+A128KW", p2c=2**31 - 1, p2s="AAAA"),
        good(alg=None),
        good(alg=["RSA-OAEP-256"]),
        good(enc="A192GCM"),
        good(enc="A256GCM"),
        good(enc="A128CBC-HS256"),
        good(enc=None),
        good(kid="other"),
        good(kid=EC.kid),
        good(kid=None),
        good(kid=1),
        good(cty=1),
        good(typ=1),
        good(crit=["exp"], exp=1),
        good(crit=["alg"]),
        good(crit=[]),
        good(zip="DEF"),
        good(zip=None),
        good(x="x" * 5000),
    ],
)
def test_bad_headers_are_refused(header: Mapping[str, object]) -> None:
    """A message in which all else fits is refused for anything that is wrong in its header."""
    assert read(TOKEN).payload == PLAIN
    with pytest.raises(JoseError):
        read(sealed(header, CEK))


def test_no_header_makes_work() -> None:
    """A count of rounds for a password, or a compressed bomb, is refused by its name: nothing is derived and nothing unpacked."""
    bomb = zlib.compress(b"\0" * 4_000_000, 9)[2:-4]
    with pytest.raises(jose.Unsupported):
        read(sealed(good(zip="DEF"), CEK, plain=bomb))
    with pytest.raises(jose.UnsupportedAlgorithm):
        read(sealed(good(alg="PBES2-HS512+A256KW", p2c=10**15, p2s="AAAA"), CEK))
    assert read(sealed(good(p2c=10**15, p2s="AAAA"), CEK)).payload == PLAIN


def test_the_reader_says_what_it_accepts() -> None:
    """An algorithm that is known is still refused where the reader did not list it."""
    for algs, encs in (((KeyAlg.RSA_OAEP,), tuple(Enc)), (tuple(KeyAlg), (Enc.A256GCM,)), ((), ())):
        with pytest.raises(jose.UnsupportedAlgorithm):
            jose.decrypt(TOKEN, OURS, algs=algs, encs=encs)
    assert jose.decrypt(TOKEN, OURS, algs=(KeyAlg.RSA_OAEP_256,), encs=(Enc.A128GCM,)).payload == PLAIN


def test_where_it_failed_is_nobodys_to_know() -> None:
    """Wrong key, wrong padding, a key of the wrong length, wrong tag, wrong initial vector, changed header: one error with one text."""
    head, key, iv, content, tag = TOKEN.split(".")
    other, short = DecryptionKey.generate(KeyAlg.RSA_OAEP_256), secrets.octets(24)
    assert isinstance(RSA.public, rsa.RSAPublicKey)
    assert isinstance(other.public, rsa.RSAPublicKey)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    zeros, tag_of_another = jose.b64url(b"\0" * 256).decode(), jose.b64url(b"\0" * 16).decode()
    tries = [
        sealed(good(), CEK, wrapped=other.public.encrypt(CEK, oaep)),
        sealed(good(), CEK, wrapped=RSA.public.encrypt(CEK, padding.PKCS1v15())),
        sealed(good(), CEK, wrapped=RSA.public.encrypt(short, oaep)),
        sealed(good(), CEK, wrapped=RSA.public.encrypt(b"", oaep)),
        sealed(good(), CEK, wrapped=b"\xff" * 256),
        sealed(good(), CEK, wrapped=b""),
        f"{head}.{zeros}.{iv}.{content}.{tag}",
        f"{head}.{key}.{iv}.{content}.{tag_of_another}",
        f"{head}.{key}.{iv}.{content}.",
        f"{head}.{key}.{iv}..{tag}",
        f"{head}.{key}..{content}.{tag}",
        f"{head}.{key}.{jose.b64url(bytes(11) + b'1').decode()}.{content}.{tag}",
        f"{head}.{key}.{iv}.{jose.b64url(jose.unb64url(content.encode()) * 2).decode()}.{tag}",
        f"{jose.b64url(json.dumps(good(x=1)).encode()).decode()}.{key}.{iv}.{content}.{tag}",
        f"{head}.{key}.{iv}.{content}.{jose.b64url(jose.unb64url(tag.encode())[:12]).decode()}",
    ]
    said = set()
    for token in tries:
        with pytest.raises(jose.Undecipherable) as caught:
            read(token)
        said.add(str(caught.value))
        assert caught.value.__cause__ is None
    assert len(said) == 1


@pytest.mark.parametrize("alg", [KeyAlg.ECDH_ES, KeyAlg.ECDH_ES_A128KW, KeyAlg.ECDH_ES_A256KW])
@pytest.mark.parametrize("enc", list(Enc))
def test_a_changed_letter_never_opens(alg: KeyAlg, enc: Enc) -> None:
    """Whichever letter of a message is another, nothing comes out."""
    token = jose.encrypt(PLAIN, theirs(alg), enc)
    for at in range(0, len(token), 7):
        if token[at] != ".":
            with pytest.raises(JoseError):
                read(token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :])


def _members(public: ec.EllipticCurvePublicKey) -> dict[str, object]:
    return json.loads(msgspec.json.encode(jose.export(public)))  # type: ignore[no-any-return] # an object


POINT: Final = _members(ec.generate_private_key(ec.SECP256R1()).public_key())


@pytest.mark.parametrize(
    "epk",
    [
        None,
        "x",
        [],
        {},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        POINT | {"y": POINT["x"]},
        POINT | {"x": jose.b64url(b"\0" * 32).decode(), "y": jose.b64url(b"\0" * 32).decode()},
        POINT | {"x": jose.b64url(b"\xff" * 32).decode()},
        POINT | {"crv": "P-384"},
        POINT | {"crv": "P-521"},
        POINT | {"crv": "X25519", "kty": "OKP"},
        POINT | {"crv": "Ed25519", "kty": "OKP"},
        POINT | {"d": "AAAA"},
        POINT | {"x": str(POINT["x"]) + "="},
        {name: value for name, value in v.A2_KEY.items() if name in ("kty", "n", "e")},
        {"kty": "oct", "k": "AAAA"},
    ],
)
def test_a_passing_key_is_a_point_of_our_curve(epk: object) -> None:
    """A point off the curve, of another one, or none would leak our key bit by bit: refused before it is multiplied."""
    for alg, length in (("ECDH-ES", 0), ("ECDH-ES+A128KW", 24)):
        with pytest.raises((jose.Malformed, BadKey)):
            read(sealed({"alg": alg, "enc": "A128GCM", "epk": epk}, CEK, wrapped=b"\0" * length))


@pytest.mark.parametrize("more", [{"apu": 1}, {"apv": []}, {"apu": "A"}, {"apv": "="}, {"apu": "A" * 600}, {"apv": "ü"}])
def test_parties_are_short_texts(more: Mapping[str, object]) -> None:
    """What goes into the derivation has its one spelling and a bound."""
    with pytest.raises(jose.Malformed):
        read(sealed({"alg": "ECDH-ES", "enc": "A128GCM", "epk": POINT, **more}, CEK, wrapped=b""))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "....",
        "a.b.c",
        "a.b.c.d",
        "a.b.c.d.e.f",
        TOKEN + ".",
        TOKEN + "=",
        " " + TOKEN,
        TOKEN + "\n",
        "ü.....",
        "a" * 30_000,
        "." * 30_000,
        "a" * 5000 + "....",
    ],
)
def test_what_is_no_message(token: str) -> None:
    """It has five parts, each in its one spelling, and bounds."""
    for one in (token, token.encode()):
        with pytest.raises(jose.Malformed):
            read(one)
    with pytest.raises(jose.Malformed):
        jose.decrypt(TOKEN, OURS, algs=tuple(KeyAlg), encs=tuple(Enc), limit=100)


@given(st.binary(max_size=3000), st.sampled_from(list(KeyAlg)), st.sampled_from(list(Enc)))
def test_every_payload_comes_back(payload: bytes, alg: KeyAlg, enc: Enc) -> None:
    """Octet by octet, the empty one too."""
    assert read(jose.encrypt(payload, theirs(alg), enc)).payload == payload


_PIECES: Final = st.one_of(st.binary(max_size=30).map(jose.b64url), st.sampled_from([part.encode() for part in TOKEN.split(".")]), st.binary(max_size=10))
_HEADS: Final = st.dictionaries(
    st.sampled_from(["alg", "enc", "kid", "epk", "apu", "zip", "crit", "cty", "p2c", "jwk", "x5c"]),
    st.sampled_from(["RSA-OAEP-256", "ECDH-ES", "A128GCM", "A128CBC-HS256", RSA.kid, EC.kid, POINT, 1, None, [], {}]),
).map(lambda head: jose.b64url(json.dumps(head).encode()))


@given(st.one_of(_HEADS, _PIECES), st.lists(_PIECES, min_size=3, max_size=5))
def test_any_parts_open_or_are_refused(head: bytes, rest: list[bytes]) -> None:
    """Whatever stands in the parts, it ends in a payload of ours or in a JoseError."""
    try:
        assert read(b".".join((head, *rest))).payload == PLAIN
    except JoseError:
        return


def test_several_keys_of_ours() -> None:
    """Without a name each key that fits is tried; with one that one alone, and an unknown name is told as such."""
    older = DecryptionKey.generate(KeyAlg.ECDH_ES)
    nameless = jose.encrypt(PLAIN, EncryptionKey(EC.public, KeyAlg.ECDH_ES), Enc.A128GCM)
    assert read(nameless, older, RSA, EC).payload == PLAIN
    named = jose.encrypt(PLAIN, EncryptionKey(EC.public, KeyAlg.ECDH_ES, older.kid), Enc.A128GCM)
    with pytest.raises(jose.Undecipherable):
        read(named, older, EC)
    for keys in ((RSA,), (EC, RSA)):
        with pytest.raises(jose.UnknownKey):
            read(named, *keys)
    with pytest.raises(jose.UnknownKey):
        jose.decrypt(nameless, (), algs=tuple(KeyAlg), encs=tuple(Enc))
