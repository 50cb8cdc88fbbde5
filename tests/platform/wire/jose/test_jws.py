"""Tokens: what is made here others read, and what is not exactly right is refused with this package's own errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import joserfc.jwk
import joserfc.jws
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, JoseError, Jwt, KeySet, SigningKey
from limen.platform.wire.jose.keys import raw_signature

NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
KEYS: Final = {alg: SigningKey.generate(alg) for alg in (Alg.ES256, Alg.RS256, Alg.PS256, Alg.ED25519)}
ES: Final = KEYS[Alg.ES256]
SET: Final = KeySet(key.public for key in KEYS.values())
CLAIMS: Final = {"iss": "https://id.example", "sub": "acc_1", "aud": "api", "exp": int(NOW.timestamp()) + 600}


def forged(header: object, payload: bytes | None = None, key: SigningKey = ES) -> str:
    """Sign whatever header and payload a test wants."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    signed = jose.b64url(head) + b"." + jose.b64url(json.dumps(CLAIMS).encode() if payload is None else payload)
    return (signed + b"." + jose.b64url(key.sign(signed))).decode()


def good(**more: object) -> dict[str, object]:
    return {"alg": "ES256", "kid": ES.kid, "typ": "at+jwt"} | more


@pytest.mark.parametrize("alg", list(KEYS))
def test_tokens_come_back(alg: Alg) -> None:
    """Every algorithm signs what it verifies, with header, claims and key as they were."""
    read = jose.verify_jwt(jose.encode_jwt(KEYS[alg], CLAIMS, "at+jwt"), SET, typ={"at+jwt"})
    assert read.claims == CLAIMS
    assert (read.header.alg, read.header.kid, read.header.typ) == (alg.value, KEYS[alg].kid, "at+jwt")
    assert read.key is KEYS[alg].public


@pytest.mark.parametrize("alg", list(KEYS))
def test_another_library_reads_our_tokens_and_we_read_its(alg: Alg) -> None:
    """An independent implementation agrees on signatures and on the JWK, in both directions."""
    theirs = joserfc.jwk.import_key(json.loads(msgspec.json.encode(KEYS[alg].public.jwk)))
    token = jose.encode(KEYS[alg], b"hello", "")
    assert joserfc.jws.deserialize_compact(token, theirs, algorithms=[alg.value]).payload == b"hello"
    assert theirs.thumbprint() == KEYS[alg].kid
    kind = {Alg.ES256: ("EC", "P-256"), Alg.ED25519: ("OKP", "Ed25519")}.get(alg, ("RSA", 2048))
    own = joserfc.jwk.generate_key(*kind)
    made = joserfc.jws.serialize_compact({"alg": alg.value}, b"from elsewhere", own, algorithms=[alg.value])
    keys = KeySet.parse(json.dumps({"keys": [own.as_dict(private=False)]}).encode(), [alg])
    assert jose.verify(made, keys, typ={""}).payload == b"from elsewhere"


@given(st.integers(min_value=1, max_value=2**256 - 1), st.integers(min_value=1, max_value=2**256 - 1))
def test_signatures_leave_der_whole(r: int, s: int) -> None:
    """Turning DER into r and s keeps every bit, also where a number is short or has its highest bit set."""
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature  # noqa: PLC0415 - only here

    assert raw_signature(encode_dss_signature(r, s)) == r.to_bytes(32) + s.to_bytes(32)


@pytest.mark.parametrize(
    "header",
    [
        good(alg="none"),
        good(alg="HS256"),
        good(alg="RS256"),
        good(alg="EdDSA"),
        good(alg="es256"),
        good(alg=None),
        good(alg=["ES256"]),
        good(kid="other"),
        good(kid=KEYS[Alg.RS256].kid),
        good(kid=1),
        good(kid=None),
        good(typ="jwt"),
        good(typ=""),
        good(typ=1),
        good(typ="image/at+jwt"),
        {"alg": "ES256", "kid": ES.kid},
        good(crit=[]),
        good(crit="exp"),
        good(crit=["b64"]),
        good(crit=["b64"], b64=False),
        good(crit=["alg"]),
        good(crit=["x", "x"], x=1),
        good(crit=[1]),
        good(crit=None),
        b'{"alg":"ES256","alg":"ES256","typ":"at+jwt"}',
        b'{"alg":"none","typ":"at+jwt","\\u0061lg":"ES256"}',
        b"[]",
        b"null",
        b"{",
        b"",
        b"\xff",
        b"\xef\xbb\xbf{}",
        b'{"alg":"ES256","typ":"at+jwt","x":NaN}',
        b'{"alg":"ES256","typ":"at+jwt","x":1e999}',
        b'{"alg":"ES256","typ":"at+jwt","x":"\\ud800"}',
        b'{"alg":"ES256","typ":"at+jwt","x":' + b"9" * 5000 + b"}",
        b'{"alg":"ES256","typ":"at+jwt","x":' + b"[" * 3000 + b"]" * 3000 + b"}",
        b'{"alg":"ES256","typ":"at+jwt","kid":"\\u0000"}',
        b'{"alg":"ES256","typ":"at+jwt","x":{"y":1,"y":2}}',
        good(x="x" * 7000),
    ],
)
def test_bad_headers_are_refused(header: object) -> None:
    """A token with a true signature is refused for anything that is wrong in its header."""
    with pytest.raises(JoseError):
        jose.verify(forged(header), SET, typ={"at+jwt"})


def test_types_compare_as_media_types() -> None:
    """`application/` may be left out and case does not count (RFC 7515, section 4.1.9)."""
    for typ in ("at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"):
        assert jose.verify(forged(good(typ=typ)), SET, typ={"at+jwt"}).header.typ == "at+jwt"


def test_critical_extensions_the_caller_honours() -> None:
    """An extension is accepted where the caller says it is understood, and only there."""
    token = forged(good(crit=["urn:x"], **{"urn:x": True}))
    assert jose.verify(token, SET, typ={"at+jwt"}, understood={"urn:x"}).header.members["urn:x"] is True
    with pytest.raises(jose.Unsupported):
        jose.verify(token, SET, typ={"at+jwt"})


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": ["a"]},
        {"iss": None},
        {"sub": 1},
        {"sub": {"a": 1}},
        {"jti": False},
        {"exp": "1"},
        {"exp": True},
        {"exp": None},
        {"nbf": 2**60},
        {"iat": []},
        {"aud": 1},
        {"aud": []},
        {"aud": ["a", 1]},
        {"aud": None},
    ],
)
def test_claims_have_their_types(claims: Mapping[str, object]) -> None:
    """A registered claim of another type is refused even under a true signature."""
    with pytest.raises(jose.Malformed):
        jose.verify_jwt(forged(good(), json.dumps(claims).encode()), SET, typ={"at+jwt"})


@pytest.mark.parametrize("payload", [b"", b"[]", b'"x"', b'{"sub":"a","sub":"b"}', b'{"sub":"\\ud800"}', b'{"sub":"\\u0000"}', b"{" * 9000, b"\xff"])
def test_payloads_that_are_no_claims(payload: bytes) -> None:
    """A payload must be one JSON object with each name once, and hold no text a database cannot."""
    with pytest.raises(jose.Malformed):
        jose.verify_jwt(forged(good(), payload), SET, typ={"at+jwt"})


def test_claims_as_a_struct() -> None:
    """The caller's own Struct takes the claims strictly; what does not fit is named by place, without its value."""

    class Wanted(msgspec.Struct):
        iss: str
        exp: int
        scope: str = ""

    token = jose.verify_jwt(jose.encode_jwt(ES, CLAIMS, "at+jwt"), SET, typ={"at+jwt"})
    assert token.into(Wanted) == Wanted("https://id.example", CLAIMS["exp"])  # type: ignore[arg-type] # a number
    with pytest.raises(jose.Malformed, match=r"\$\.scope") as caught:
        jose.verify_jwt(jose.encode_jwt(ES, CLAIMS | {"scope": 4711}, "at+jwt"), SET, typ={"at+jwt"}).into(Wanted)
    assert "4711" not in str(caught.value)


TOKEN: Final = jose.encode_jwt(ES, CLAIMS, "at+jwt")


@pytest.mark.parametrize(
    "token",
    [
        TOKEN + "=",
        TOKEN + " ",
        "\n" + TOKEN,
        TOKEN + ".",
        TOKEN.rpartition(".")[0] + ".",
        TOKEN.rpartition(".")[0],
        TOKEN.replace(".", ".\t", 1),
        TOKEN[:-1] + "é",
        TOKEN[:-4] + "+/+/",
        "x" * 20_000,
        "",
        "..",
    ],
)
def test_spellings_of_a_token(token: str) -> None:
    """Padding, blanks, other alphabets, more parts, an absent signature or too many octets are refused."""
    for form in (token, token.encode()):
        with pytest.raises(JoseError):
            jose.verify_jwt(form, SET, typ={"at+jwt"})


def test_a_token_has_one_spelling() -> None:
    """Setting the unused bits of the last letter makes another text for the same octets, which is refused."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = TOKEN[:-1] + letters[letters.index(TOKEN[-1]) ^ 1]
    with pytest.raises(jose.Malformed):
        jose.verify(twin, SET, typ={"at+jwt"})


@given(st.integers(min_value=0, max_value=10_000), st.integers(min_value=0, max_value=127))
def test_a_changed_letter_never_verifies(position: int, letter: int) -> None:
    """Whatever one letter is changed to, the token is refused."""
    token = bytearray(TOKEN.encode())
    position %= len(token)
    if token[position] == letter:
        return
    token[position] = letter
    with pytest.raises(JoseError):
        jose.verify_jwt(bytes(token), SET, typ={"at+jwt"})


@given(st.one_of(st.binary(max_size=400), st.lists(st.binary(max_size=60).map(jose.b64url), min_size=3, max_size=3).map(b".".join), st.text(max_size=200)))
def test_rubbish_raises_nothing_else(rubbish: bytes | str) -> None:
    """Any octets and any text end in a JoseError, reading and peeking."""
    with pytest.raises(JoseError):
        jose.verify_jwt(rubbish, SET, typ={"", "jwt"})
    with pytest.raises(JoseError):
        jose.peek(rubbish)


_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "iss", "sub", "aud", "exp", "x"]), inner, max_size=5)
    ),
    max_leaves=8,
)


@given(_JSON, _JSON)
def test_any_json_is_read_or_refused(header: object, claims: object) -> None:
    """Whatever JSON stands in header and claims, under a true signature, is read or ends in a JoseError."""
    try:
        token = forged(header, json.dumps(claims).encode())
        read = jose.verify_jwt(token, SET, typ={""})
    except JoseError:
        return
    assert isinstance(read.claims, dict)


def test_peeking_checks_no_signature() -> None:
    """`peek` tells whose keys to use and says by its missing key that nothing is proved."""
    token = jose.encode_jwt(SigningKey.generate(Alg.ES256), CLAIMS, "jwt")
    assert jose.peek(token).key is None
    assert jose.peek(token).claims["iss"] == "https://id.example"


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({}, jose.Malformed),
        ({"exp": 0}, jose.Expired),
        ({"exp": -1}, jose.Expired),
        ({"exp": 1}, None),
        ({"exp": 0.5}, None),
        ({"exp": 60, "iat": 10}, None),
        ({"exp": 60, "iat": 11}, jose.Early),
        ({"exp": 60, "nbf": 10.5}, jose.Early),
        ({"exp": 60, "nbf": -100}, None),
    ],
)
def test_times(claims: Mapping[str, float], error: type[JoseError] | None) -> None:
    """`exp` is over at its very second; `iat` and `nbf` may be ten seconds ahead and no more."""
    token = Jwt(jose.peek(TOKEN).header, None, {name: NOW.timestamp() + value for name, value in claims.items()})
    if error is None:
        jose.check_times(token, NOW)
        return
    with pytest.raises(error):
        jose.check_times(token, NOW)


def test_times_may_be_absent_where_the_caller_says_so() -> None:
    """Without `exp` a token passes only where none is needed; the window ahead is the caller's."""
    token = Jwt(jose.peek(TOKEN).header, None, {"iat": NOW.timestamp() + 30})
    jose.check_times(token, NOW, ahead=timedelta(seconds=60), needs_exp=False)


def test_audiences_in_both_forms() -> None:
    """`aud` is one text or several."""
    header = jose.peek(TOKEN).header
    assert jose.audiences(Jwt(header, None, {"aud": "a"})) == ("a",)
    assert jose.audiences(Jwt(header, None, {"aud": ["a", "b"]})) == ("a", "b")
    assert jose.audiences(Jwt(header, None, {})) == ()
