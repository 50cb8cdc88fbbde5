"""Hostile input over real HTTP: the specification's error each time, never a 5xx, never a trace."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.proofs.house import API, CALLBACK, House, Site, send

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proofs")]

PATHS: Final = (
    "/oauth/token",
    "/oauth/introspect",
    "/oauth/revoke",
    "/oauth/userinfo",
    "/oauth/authorize",
    "/oauth/authorize/resume",
    "/oauth/logout",
    "/oauth/logout/confirm",
    "/oauth/jwks",
    "/signin",
    "/signup",
    "/recover",
    "/consent",
    "/account",
    "/account/signin",
    "/api/v1/accounts",
    "/dev/mailbox.json",
    "/.well-known/openid-configuration",
)
ERRORS: Final = {
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_token",
    "insufficient_scope", "access_denied", "slow_down", "unsupported_response_type",
}  # fmt: skip
NAMES: Final = (
    "client_id", "client_secret", "grant_type", "code", "code_verifier", "redirect_uri", "refresh_token", "scope", "token", "token_type_hint",
    "access_token", "response_type", "state", "nonce", "prompt", "max_age", "login_hint", "ui_locales", "acr_values", "id_token_hint", "code_challenge",
    "code_challenge_method", "request", "request_uri", "registration", "post_logout_redirect_uri", "journey", "step", "csrf", "action", "identifier", "to",
    "password", "response_mode", "display", "claims",
)  # fmt: skip
VALUES: Final = (
    b"shop", b"spa", b"svc", b"authorization_code", b"refresh_token", b"client_credentials", b"openid", b"orders", b"openid orders", b"code", b"none",
    b"login", b"S256",
    b"A" * 43, b"0", b"-1", b"9" * 30, CALLBACK.encode(), b"a@example.com", b"de", b"query", b"form_post", b"lmn_rt_" + b"A" * 43,
    b"lmn_ac_" + b"A" * 43, b"eyJhbGciOiJub25lIn0.e30.", b"[" * 500, b'{"a":' * 300, b"\x00", b"\r\n\r\n", b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf", b"%",
    b"%zz",
    "\u202e\u2066\ufffe".encode(), b"' OR 1=1 --", b"{{7*7}}", b"${jndi:x}", b"../../etc/passwd", b"x" * 3000,
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """One request, in octets."""

    method: str
    path: str
    query: bytes
    fields: tuple[bytes, ...]
    body: bytes


_value = st.one_of(st.sampled_from(VALUES), st.binary(max_size=40), st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass")))
_name = st.one_of(st.sampled_from(NAMES).map(str.encode), st.binary(max_size=8))


def _encoded(pairs: list[tuple[bytes, bytes]], *, raw: bool) -> bytes:
    if raw:
        return re.sub(rb"[\x00-\x20\x7f-\xff#]", b"", b"&".join(name + b"=" + value for name, value in pairs))
    return "&".join(f"{quote_from_bytes(name)}={quote_from_bytes(value)}" for name, value in pairs).encode()


_pairs = st.builds(_encoded, st.lists(st.tuples(_name, _value), max_size=9), raw=st.booleans())
_field = st.one_of(
    st.sampled_from(
        [
            b"Authorization: Basic !!!!", b"Authorization: Basic c2hvcA==", b"Authorization: Basic OjpoOg==",
            b"Authorization: Bearer", b"Authorization: \xff\xfe",
            b"Authorization: Bearer " + b"a." * 600, b"Authorization: Negotiate x", b"Authorization: Basic " + b"QUFB" * 900, b"Content-Encoding: gzip",
            b"Cookie: lmn_s_acme=acme.x; lmn_s_acme=acme.y", b"Cookie: lmn_j_acme=acme." + b"A" * 43, b"Cookie: " + b"a=b; " * 900, b"Cookie: \x01\x02=\xff",
            b"Accept-Language: " + b"de;q=0.1," * 300, b"Accept-Language: \xff", b"Accept-Encoding: gzip;q=nan", b"Origin: null", b"Origin: \xff",
            b"Sec-Fetch-Site: cross-site", b"X-Forwarded-For: ,,,;;;", b'Forwarded: for="', b"User-Agent: \xff\x01", b"Expect: 100-continue",
            b'If-Match: "\xff', b"Range: bytes=0-", b"DPoP: x.y.z", b"Upgrade: h2c", b"Content-Language: " + b"x" * 6000,
        ]
    ),
    st.binary(max_size=30).map(lambda raw: b"X-Rubbish: " + raw.replace(b"\r", b"").replace(b"\n", b"")),
)  # fmt: skip
_media = st.sampled_from(
    [b"application/x-www-form-urlencoded"] * 5
    + [b"application/json", b"application/x-www-form-urlencoded; charset=utf-16", b"multipart/form-data; boundary=x", b"text/plain", b"", b"\xff", b"a/b;" * 50]
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Return a request to one of our paths, of parts that are right, wrong and rubbish."""
    method = draw(st.sampled_from(["GET", "POST", "POST", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"]))
    body = draw(st.one_of(_pairs, _pairs, st.binary(max_size=200), st.just(b"a=" + b"b" * 40_000))) if method in {"POST", "PUT", "PATCH"} else b""
    fields = [*draw(st.lists(_field, max_size=3))]
    if body or draw(st.booleans()):
        fields += [b"Content-Type: " + draw(_media), b"Content-Length: %d" % len(body)]
    path = draw(st.sampled_from(PATHS)) + draw(st.sampled_from([""] * 12 + ["/", "/x", "%00", "%ff", "//", "/../token", ";x=1", "%2e%2e"]))
    return Request(method, path, draw(_pairs), tuple(fields), body)


def _asked(site: Site, request: Request) -> tuple[int, bytes, bytes]:
    """Send it; return status, head and body. Status 0: the connection was closed without a word, as HTTP allows for what is none."""
    head = f"{request.method} {request.path}".encode() + (b"?" + request.query if request.query else b"") + b" HTTP/1.1\r\n"
    lines = [f"Host: localhost:{site.port}".encode(), b"Connection: close", *request.fields]
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as raw:
        answer = b""
        try:
            raw.sendall(head + b"\r\n".join(lines) + b"\r\n\r\n" + request.body)
            while piece := raw.recv(65536):
                answer += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
    if not answer:
        return 0, b"", b""
    top, _, body = answer.partition(b"\r\n\r\n")
    return int(top.split(b" ", 2)[1]), top, body


def _sound(request: Request, status: int, head: bytes, body: bytes) -> None:
    assert status < 500, (request, status, body[:500])
    assert b"Traceback" not in body
    assert b'File "' not in body
    if status >= 400 and request.path.startswith(("/oauth/token", "/oauth/introspect", "/oauth/revoke", "/oauth/userinfo")) and body:
        assert b"cache-control: no-store" in head or b"Invalid HTTP" in body, (request, head)
        if b"application/json" in head:
            told: Any = json.loads(body)
            assert told == {} or told["error"] in ERRORS, (request, told)


@pytest.fixture(scope="module")
def site(plain: House) -> Site:
    """The default tenant."""
    return plain.site()


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large])
@given(request=requests())
def test_no_request_breaks_anything(site: Site, request: Request) -> None:
    """Parameters twice, oversized, of control characters and broken encodings; giant fields and cookies; foreign methods and media types."""
    _sound(request, *_asked(site, request))


@pytest.mark.soak
@settings(max_examples=20_000, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large])
@given(request=requests())
def test_no_request_breaks_anything_for_long(site: Site, request: Request) -> None:
    """Likewise, 20,000 requests."""
    _sound(request, *_asked(site, request))


_MEMBERS: Final = ("identifiers", "value", "kind", "reason", "name", "address", "x")
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["identifiers", "value", "kind", "reason", "name", "address", "x"]), inner, max_size=4)
    ),
    max_leaves=20,
)
_SPECIALS: Final = {
    0: b"[" * 20_000,
    1: b'{"a":' * 20_000,
    2: b'{"identifiers":[],"identifiers":[]}',
    3: b'{"x":1e999999}',
    4: b'{"x":"\\ud800"}',
    5: b"\xef\xbb\xbf{}",
}
_API_PLACES: Final = (
    ("POST", "/accounts"),
    ("POST", "/accounts/acc_x/suspend"),
    ("POST", "/accounts/acc_x/identifiers"),
    ("PATCH", "/profiles/acc_x"),
    ("POST", "/clients"),
    ("PUT", "/clients/shop2"),
    ("POST", "/clients/none/secret"),
)


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(place=st.sampled_from(_API_PLACES), body=st.one_of(_json.map(lambda value: json.dumps(value).encode()), st.binary(max_size=60)), odd=st.integers(0, 40))
def test_no_json_breaks_the_api(site: Site, token: str, place: tuple[str, str], body: bytes, odd: int) -> None:
    """JSON of every shape, deep nesting, duplicate members, numbers out of range, surrogates and rubbish at the writing endpoints."""
    method, path = place
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer = send(site.port, method, f"{site.issuer}/api/v1{path}", _SPECIALS.get(odd, body), headers)
    assert answer.status < 500, (place, body, answer.body)
    assert b"Traceback" not in answer.body
    if answer.status >= 400:
        assert answer.headers["content-type"] == "application/problem+json", answer.body
        assert {"status", "code", "title", "detail"} <= answer.json.keys()


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    """A token for the API."""
    return site.service(API)
