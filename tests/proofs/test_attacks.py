"""What a thief, a malicious app and a hostile site try, over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import socket
import threading
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from limen.app.compose import install
from limen.platform.http import Endpoint
from limen.platform.http.refusing import speaks_pages
from tests.proofs.house import API, BYE, CALLBACK, DOMAIN, PASSWORD, House, Person, Reply, Site, advance, send

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proofs")]

EVIL: Final = "https://evil.example"
LIES: Final = {"Origin": EVIL, "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil", "X-Original-URL": "/evil"}
CROSS: Final = {"Sec-Fetch-Site": "cross-site", "Origin": EVIL}


@pytest.fixture(scope="module")
def site(plain: House) -> Site:
    """The default tenant."""
    return plain.site()


@pytest.fixture(scope="module")
def victim(site: Site) -> tuple[Person, str]:
    """Somebody signed in, with a password, and her address."""
    email = f"victim-{secrets.token_hex(6)}@example.com"
    person = site.person()
    site.sign_up(person, email, password=PASSWORD)
    return person, email


def new_one(site: Site) -> tuple[Person, str]:
    """Return somebody else, signed in, and her address."""
    email, person = f"one-{secrets.token_hex(6)}@example.com", site.person()
    site.sign_up(person, email)
    return person, email


def copy_of(person: Person) -> Person:
    """Return a browser with the same cookies."""
    other = Person(person.port)
    other.jar = {host: dict(kept) for host, kept in person.jar.items()}
    return other


# ------------------------------------------------------------------ redirects

TARGETS: Final = (
    EVIL,
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "/%2f/evil.example",
    "/account/../../evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "\t//evil.example",
    "/account@evil.example",
    "http://localhost@evil.example",
    "/account\r\nLocation: https://evil.example",
)
PLACES: Final = (
    ("/account/signin", "to"),
    ("/signin", "to"),
    ("/signin", "ui_locales"),
    ("/signin", "journey"),
    ("/signup", "journey"),
    ("/recover", "return"),
    ("/oauth/logout", "post_logout_redirect_uri"),
    ("/oauth/logout", "client_id"),
    ("/oauth/logout", "state"),
    ("/oauth/logout/confirm", "request"),
    ("/oauth/authorize", "redirect_uri"),
    ("/oauth/authorize/resume", "request"),
    ("/account", "to"),
    ("/.well-known/change-password", "to"),
)


def _leads_away(site: Site, answer: Reply) -> bool:
    to = answer.headers.get("location", "")
    if re.match(r"[/?#]", to) and not re.match(r"/[/\\]", to):
        return False
    return bool(to) and not to.startswith(f"{site.issuer}/")


@pytest.mark.parametrize("who", ["nobody", "somebody"])
def test_no_parameter_leads_elsewhere(site: Site, victim: tuple[Person, str], who: str) -> None:
    """Every parameter that could name a way back, with every shape of an address of somebody else's."""
    cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in victim[0].cookies(site).items())} if who == "somebody" else {}
    for path, name in PLACES:
        for target in TARGETS:
            url = f"{site.issuer}{path}?{urlencode({name: target})}"
            answer = send(site.port, "GET", url, None, cookie)
            assert answer.status < 500, url
            assert not _leads_away(site, answer), (url, answer.headers["location"])
            assert "evil.example" not in answer.headers.get("set-cookie", "")


def test_an_address_nearly_registered(site: Site) -> None:
    """Exact strings only: no prefix, no suffix, no other port, no user part, no fragment, no second parameter, no other case."""
    near = [
        f"{CALLBACK}/",
        f"{CALLBACK}/../callback",
        f"{CALLBACK}?x=1",
        f"{CALLBACK}#x",
        "http://127.0.0.1:9009/Callback",
        "http://127.0.0.1:9009@evil.example/callback",
        "http://127.0.0.1:90099/callback",
        "http://127.0.0.1:9009/callback%2f..",
        "http://127.0.0.1:9009//callback",
        "https://127.0.0.1:9009/callback",
        "http://127.1:9009/callback",
        CALLBACK.replace("callback", "callback\x00"),
        f" {CALLBACK}",
    ]
    for uri in near:
        url, _ = site.authorize(redirect_uri=uri)
        answer = send(site.port, "GET", url)
        assert (answer.status, "location" in answer.headers) == (400, False), uri
    url, _ = site.authorize()
    doubled = send(site.port, "GET", f"{url}&{urlencode({'redirect_uri': EVIL})}")
    assert (doubled.status, "location" in doubled.headers) == (400, False)


def test_line_ends_stay_where_they_are(site: Site, victim: tuple[Person, str]) -> None:
    """No parameter puts a header field of its own into an answer."""
    url, _ = site.authorize(state="x\r\nSet-Cookie: evil=1\r\n\r\n<script>", nonce="\r\nX-Evil: 1")
    answer = victim[0].once(url)
    assert "x-evil" not in answer.headers
    assert "evil=1" not in answer.headers.get("set-cookie", "")
    for path in ("/signin", "/account/signin", "/oauth/logout"):
        for name in ("ui_locales", "to", "state", "client_id"):
            reply = send(site.port, "GET", f"{site.issuer}{path}?{name}=%0d%0aX-Evil:%201%0d%0a%0d%0abody")
            assert "x-evil" not in reply.headers
            assert reply.status < 500


def test_hints_are_text(site: Site) -> None:
    """What an app sends for the page to show is shown as text."""
    url, _ = site.authorize(login_hint='"><script>alert(1)</script>', ui_locales='"><img src=x>')
    person = site.person()
    page = person.go(person.once(url))
    assert page.status == 200
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text


# ------------------------------------------------------------------ other sites' pages


def test_signing_somebody_in_as_somebody_else(site: Site) -> None:
    """Login CSRF: another site's form, a thief's journey in the victim's browser, and the thief's own form token are all refused."""
    thief, mark = site.person(), site.person()
    page = thief.go(thief.once(f"{site.issuer}/signin"))
    form = next(one for one in page.forms if one.method == "post")
    fields = {**form.fields, "identifier": "thief@example.com", "action": "continue"}
    own = mark.go(mark.once(f"{site.issuer}/signin"))
    assert mark.once(page.url, fields).status == 403
    assert mark.once(page.url, fields, CROSS).status == 403
    assert mark.once(own.url, {**fields, "csrf": ""}).status == 403
    mine = next(one for one in own.forms if one.method == "post")
    assert mark.once(own.url, {**mine.fields, "identifier": "m@example.com", "action": "continue"}, CROSS).status == 403
    assert mark.once(page.url).status == 404
    sealed = {**fields, "csrf": mine.fields["csrf"]}
    assert mark.once(page.url, sealed).status == 404


def test_signing_somebody_out(site: Site) -> None:
    """Logout CSRF: by GET, by POST, by an ID token of another session or person, by the pages of the portal; she stays signed in."""
    person, _ = new_one(site)
    other, _ = new_one(site)
    hint = site.tokens(other)["id_token"]
    asked = person.go(person.once(f"{site.issuer}/oauth/logout"))
    assert "/oauth/logout/confirm" in asked.url
    asked = person.go(person.once(f"{site.issuer}/oauth/logout?{urlencode({'id_token_hint': hint, 'post_logout_redirect_uri': BYE})}"))
    assert "/oauth/logout/confirm" in asked.url
    posted = person.go(person.once(f"{site.issuer}/oauth/logout", {"id_token_hint": hint}, CROSS))
    assert "/oauth/logout/confirm" in posted.url
    form = next(one for one in posted.forms if "request" in one.fields)
    forged = person.once(f"{site.issuer}/oauth/logout/confirm", {"request": form.fields["request"], "action": "signout"})
    assert forged.status == 403
    for path in ("/account/signout", "/account/password", "/account/sessions", "/account/apps", "/account/approvals"):
        assert person.once(f"{site.issuer}{path}", {"action": "signout"}, CROSS).status in {403, 404, 405}
    assert person.once(f"{site.issuer}/account").status == 200


def test_a_hint_of_another_kind(site: Site) -> None:
    """An access token, a broken signature, `none`, and a hint of an ended session sign nobody out and choose nobody."""
    person, _ = new_one(site)
    tokens = site.tokens(person)
    header, payload, signature = tokens["id_token"].split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    hints = [tokens["access_token"], f"{header}.{payload}.{signature[:-4]}AAAA", f"{none}.{payload}.", f"{none}.{payload}.{signature}", "a.b.c", "." * 5000]
    for hint in hints:
        answer = person.once(f"{site.issuer}/oauth/logout?{urlencode({'id_token_hint': hint})}")
        assert answer.status in {303, 400, 414, 431}, hint[:40]
        assert person.once(f"{site.issuer}/account").status == 200
    stranger, _ = new_one(site)
    url, _ = site.authorize(id_token_hint=tokens["id_token"], prompt="none")
    answer = stranger.once(url)
    assert parse_qs(urlsplit(answer.headers["location"]).query)["error"] == ["login_required"]


FORMS: Final = [one for one in install() if one.method == "POST" and speaks_pages(one) and one.csrf is not False and "{" not in one.path]
"""Every form that a person sends: sign-in, consent, device, approvals, the portal."""


@pytest.mark.parametrize("endpoint", FORMS, ids=lambda one: one.path)
def test_no_form_is_sent_for_her(site: Site, victim: tuple[Person, str], endpoint: Endpoint) -> None:
    """CSRF: to allow, deny, approve, leave or change anything takes a form that this browser was given; another site's, or none, is refused."""
    person = copy_of(victim[0])
    person.once(f"{site.issuer}/account")
    for fields in ({}, {"csrf": ""}, {"csrf": "x" * 60}):
        for action in ("allow", "approve", "deny", "continue", "signout"):
            for headers in (CROSS, {"Origin": "null"}, {}):
                answer = person.once(
                    f"{site.issuer}{endpoint.path}", {**fields, "action": action, "request": "x", "approval": "x", "code": "BCDFGHJK"}, headers
                )
                assert answer.status == 403, (fields, action, headers)
    assert copy_of(victim[0]).once(f"{site.issuer}/account").status == 200


def _pages() -> list[Endpoint]:
    return [one for one in install() if one.method == "GET" and "{" not in one.path and not one.path.startswith(("/dev", "/api"))]


@pytest.mark.parametrize("endpoint", _pages(), ids=lambda one: one.path)
def test_every_answer_guards_itself(site: Site, victim: tuple[Person, str], endpoint: Endpoint) -> None:
    """Signed in and not: no framing, no sniffing, no referrer, no cache where a person is; no other origin with credentials."""
    path = endpoint.path
    for person in (site.person(), copy_of(victim[0])):
        if path == "/account/signout":
            continue
        base = site.issuer
        seen = person.once(
            f"{base}{path}", headers={"Origin": EVIL, "X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil", "X-Original-URL": "/evil"}
        )
        assert seen.status < 500
        ancestors = "*" if path == "/oauth/check_session" else "'none'"  # the one page that is there to be framed: nothing to press on it, and it knows nobody
        assert f"frame-ancestors {ancestors}" in seen.headers["content-security-policy"]
        assert "default-src 'none'" in seen.headers["content-security-policy"]
        assert seen.headers["x-content-type-options"] == "nosniff"
        assert seen.headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-credentials" not in seen.headers
        assert seen.headers.get("access-control-allow-origin", "*") == "*"
        assert "evil" not in seen.text
        assert "evil" not in seen.headers.get("location", "")
        if "set-cookie" in seen.headers or "csrf" in seen.text:
            assert seen.headers["cache-control"] == "no-store"
            assert seen.headers.get("access-control-allow-origin") is None
        cookie = seen.headers.get("set-cookie", "")
        if "lmn_b_" in cookie:  # read by that page's script in other sites' frames, and worth nothing
            assert "Secure; SameSite=None" in cookie
        elif cookie:
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie


def test_preflights(site: Site) -> None:
    """No endpoint lets another origin come with credentials; pages and the API let none come at all."""
    for endpoint in install():
        path = endpoint.path.replace("{account}", "acc_x").replace("{session}", "ses_x").replace("{client}", "shop").replace("{identifier}", "i")
        asked = {"Origin": EVIL, "Access-Control-Request-Method": endpoint.method, "Access-Control-Request-Headers": "authorization"}
        answer = send(site.port, "OPTIONS", f"{site.issuer}{path}", None, asked)
        assert answer.status < 500
        assert "access-control-allow-credentials" not in answer.headers
        allowed = answer.headers.get("access-control-allow-origin")
        assert allowed in (None, "*")
        if path.startswith(("/api/v1", "/account", "/sign", "/recover", "/consent", "/oauth/authorize", "/oauth/logout", "/dev", "/oauth/introspect")):
            assert allowed is None, path


# ------------------------------------------------------------------ the thief with a session


def test_a_session_planted_before_the_sign_in(site: Site, victim: tuple[Person, str]) -> None:
    """Fixation: a session cookie that was there before is replaced, and the planted one stays somebody else's or nobody's."""
    thief, _ = new_one(site)
    planted = {name: value for name, value in thief.cookies(site).items() if "_s_" in name}
    mark = site.person()
    mark.cookies(site).update(planted)
    site.sign_in(mark, victim[1]) if not planted else None
    fresh = site.person()
    fresh.cookies(site)["lmn_s_acme"] = f"acme.{'A' * 43}"
    page = site.sign_in(fresh, victim[1])
    assert page.url.endswith("/account")
    assert fresh.cookies(site)["lmn_s_acme"] != f"acme.{'A' * 43}"
    again = copy_of(fresh)
    assert again.once(f"{site.issuer}/account").status == 200
    ghost = site.person()
    ghost.cookies(site)["lmn_s_acme"] = f"acme.{'A' * 43}"
    assert ghost.once(f"{site.issuer}/account").status == 303


def test_the_secret_changes_with_every_sign_in(site: Site, victim: tuple[Person, str]) -> None:
    """A cookie copied before somebody proved herself again is worth nothing afterwards."""
    person = site.person()
    site.sign_in(person, victim[1])
    stolen = copy_of(person)
    url, _ = site.authorize(prompt="login")
    page = person.go(person.once(url))
    for _ in range(4):
        if "password" in page.text and any("password" in one.fields for one in page.forms):
            break
        page = person.fill(page, identifier=victim[1])
    after = person.press(page, {"password": PASSWORD}, "continue")
    assert after.status == 303
    assert person.cookies(site)["lmn_s_acme"] != stolen.cookies(site)["lmn_s_acme"]
    assert stolen.once(f"{site.issuer}/account").status == 303


def test_a_stolen_cookie_gives_no_new_password(site: Site) -> None:
    """With a session alone nobody chooses a password: the mailbox is asked first."""
    person, email = new_one(site)
    thief = copy_of(person)
    page = thief.once(f"{site.issuer}/account")
    form = next(one for one in page.forms if one.action.endswith("/account/password"))
    page = thief.go(thief.once(f"{site.issuer}/account/password", {**form.fields}))
    for _ in range(3):
        assert "new_password" not in page.text
        if any("code" in one.fields for one in page.forms):
            break
        page = thief.fill(page, identifier=email)
    page = thief.fill(page, code="000000")
    assert "new_password" not in page.text


def test_after_out_comes_nothing(site: Site) -> None:
    """Signed out in the portal: the cookie is dead, and so are tokens that came with the session alone."""
    person, _ = new_one(site)
    tokens = site.tokens(person, scope="openid email")
    stolen = copy_of(person)
    page = person.once(f"{site.issuer}/account")
    form = next(one for one in page.forms if one.action.endswith("/account/signout"))
    person.once(f"{site.issuer}/account/signout", dict(form.fields))
    assert stolen.once(f"{site.issuer}/account").status == 303
    assert site.userinfo(tokens["access_token"]).status == 401
    assert site.refresh(tokens["refresh_token"]).error == "invalid_grant"


# ------------------------------------------------------------------ the malicious app


def test_codes_of_another_app(site: Site, victim: tuple[Person, str]) -> None:
    """A code is worth nothing to another client, without its verifier, with another, or with another address; and is used up by the attempt."""
    person = victim[0]
    code, verifier = site.code(person)
    assert site.exchange(code, verifier, "other").error == "invalid_grant"
    assert site.exchange(code, verifier).error == "invalid_grant"
    for form in (
        {"code_verifier": ""},
        {"code_verifier": secrets.token_urlsafe(40)},
        {"redirect_uri": "http://127.0.0.1:9010/callback"},
        {"redirect_uri": ""},
        {"client_secret": "wrong"},
    ):
        code, verifier = site.code(person)
        asked = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, "redirect_uri": CALLBACK, "client_id": "shop"}
        answer = site.post("/oauth/token", {**asked, "client_secret": site.secret(), **form})
        assert answer.error in {"invalid_grant", "invalid_client"}, form
        assert "access_token" not in answer.json
    code, verifier = site.code(person, "spa")
    as_web = site.post("/oauth/token", {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, "client_id": "spa", "client_secret": "x"})
    assert as_web.error == "invalid_client"


def test_refresh_tokens_of_another_app(site: Site, victim: tuple[Person, str]) -> None:
    """Another client neither uses nor ends nor sees a refresh token, and its attempt does no harm to the owner."""
    tokens = site.tokens(victim[0])
    refresh = tokens["refresh_token"]
    for client in ("other", "spa"):
        assert site.refresh(refresh, client).error == "invalid_grant"
    assert site.introspect(refresh, "other").json == {"active": False}
    assert site.revoke(refresh, "other").status in {200, 400}
    assert site.refresh(refresh).status == 200


def test_powers_nobody_gave(site: Site, victim: tuple[Person, str]) -> None:
    """No person's token reaches the API, no app asks for its scopes, no refresh for more than was granted, no service for a person's."""
    tokens = site.tokens(victim[0])
    assert site.api(tokens["access_token"], "GET", "/accounts").status == 401
    assert site.api(tokens["id_token"], "GET", "/accounts").status == 401
    assert site.userinfo(tokens["id_token"]).status == 401
    assert site.userinfo(tokens["refresh_token"]).status == 401
    assert site.userinfo(site.service()).status in {401, 403}
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "shop", "client_secret": site.secret()}
    assert site.post("/oauth/token", {**form, "scope": "openid email profile"}).error == "invalid_scope"
    url, _ = site.authorize(scope="openid limen:accounts:read")
    assert parse_qs(urlsplit(victim[0].once(url).headers["location"]).query)["error"] == ["invalid_scope"]
    service = {"grant_type": "client_credentials", "client_id": "svc", "client_secret": site.secret("svc")}
    assert site.post("/oauth/token", {**service, "scope": "openid"}).error == "invalid_scope"
    assert site.post("/oauth/token", {**service, "grant_type": "authorization_code", "code": "x"}).error == "unauthorized_client"


def _forged(header: Mapping[str, object], payload: Mapping[str, object], key: bytes = b"") -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, payload)]
    signed = ".".join(parts)
    signature = hmac.new(key, signed.encode(), hashlib.sha256).digest() if key else b""
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_forged_tokens(site: Site, victim: tuple[Person, str]) -> None:
    """`none`, HMAC with the public key, another `typ`, another issuer, an embedded key, a `crit`: nothing of it opens anything."""
    token = site.tokens(victim[0])["access_token"]
    header, payload = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    jwk = send(site.port, "GET", f"{site.issuer}/oauth/jwks").json["keys"][0]
    public = json.dumps(jwk).encode()
    forged = [
        _forged({**header, "alg": "none"}, payload),
        _forged({**header, "alg": "HS256"}, payload, public),
        _forged({**header, "alg": "HS256", "jwk": jwk}, payload, public),
        _forged({**header, "kid": "../../etc/passwd"}, payload, b"x"),
        _forged({**header, "crit": ["exp"]}, payload, b"x"),
        _forged({**header, "jku": f"{EVIL}/jwks"}, payload, b"x"),
        token[:-6] + "AAAAAA",
        token + "=",
        token.replace(".", "..", 1),
    ]
    for one in forged:
        assert site.userinfo(one).status == 401, one[:60]
        assert site.introspect(one).json == {"active": False}


def test_tokens_travel_in_the_header_alone(site: Site, victim: tuple[Person, str]) -> None:
    """A token in the address is none, a cookie is nobody at the API, and a client's secret in the address neither."""
    access, service = site.tokens(victim[0])["access_token"], site.service()
    assert send(site.port, "GET", f"{site.issuer}/oauth/userinfo?access_token={access}").status == 401
    assert send(site.port, "GET", f"{site.issuer}/api/v1/accounts?access_token={service}").status in {400, 401}
    cookie = "; ".join(f"{name}={value}" for name, value in victim[0].cookies(site).items())
    assert send(site.port, "GET", f"{site.issuer}/api/v1/accounts", None, {"Cookie": cookie}).status == 401
    query = urlencode({"grant_type": "client_credentials", "client_id": "svc", "client_secret": site.secret("svc")})
    assert send(site.port, "GET", f"{site.issuer}/oauth/token?{query}").status == 405
    assert site.post(f"/oauth/token?{query}", {}).status in {400, 401}
    override = send(site.port, "GET", f"{site.issuer}/api/v1/sessions", None, {"X-HTTP-Method-Override": "DELETE", "Authorization": f"Bearer {service}"})
    assert override.status in {200, 400}


# ------------------------------------------------------------------ time and standing


def test_a_suspended_account_is_dead_at_once(site: Site) -> None:
    """Cookie, access tokens of both forms, refresh token, a code on its way, introspection: all of it, in the same moment."""
    person, email = new_one(site)
    jwt, opaque = site.tokens(person), site.tokens(person, scope="openid email offline_access orders")
    code, verifier = site.code(person)
    service = site.service(API)
    account = site.api(service, "GET", f"/accounts?identifier={email.replace('@', '%40')}").json["items"][0]["id"]
    assert site.api(service, "POST", f"/accounts/{account}/suspend", {}).status < 300
    assert person.once(f"{site.issuer}/account").status == 303
    for tokens in (jwt, opaque):
        assert site.userinfo(tokens["access_token"]).status == 401
        assert site.introspect(tokens["access_token"]).json == {"active": False}
        assert site.introspect(tokens["refresh_token"]).json == {"active": False}
        assert site.refresh(tokens["refresh_token"]).error == "invalid_grant"
    assert site.exchange(code, verifier).error == "invalid_grant"
    url, _ = site.authorize(prompt="none")
    assert "login_required" in person.once(url).headers["location"]


def test_a_token_from_the_future(site: Site, victim: tuple[Person, str]) -> None:
    """A clock set back makes tokens of an hour ahead worth nothing until their time has come."""
    advance(site.server, 3600)
    try:
        token = site.service()
    finally:
        advance(site.server, -3600)
    assert site.api(token, "GET", "/accounts").status == 401
    assert site.userinfo(site.tokens(victim[0])["access_token"]).status == 200


# ------------------------------------------------------------------ the mailbox and the network


def test_letters_lead_to_us(site: Site) -> None:
    """Whatever a request says of its host, links in mail are built from the issuer; a foreign Host gets no page and sends no mail."""
    email = f"nobody-{secrets.token_hex(6)}@example.com"
    lies = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example;proto=https", "X-Host": "evil.example", "X-Forwarded-Proto": "https"}
    person = site.person()
    person.headers |= lies
    page = person.go(person.once(f"{site.issuer}/recover"))
    assert "evil" not in page.text
    person.fill(page, identifier=email)
    letters: list[dict[str, str]] = []
    for _ in range(200):
        letters = [one for one in site.server.mailbox() if one["to"] == email]
        if letters:
            break
        threading.Event().wait(0.05)
    assert letters
    assert all("evil" not in json.dumps(one) for one in letters)
    assert letters[0]["link"].startswith(site.issuer)
    for host in ("evil.example", f"localhost.evil.example:{site.port}", f"localhost:{site.port}.evil.example", "localhost", f"{DOMAIN}.:1", "a" * 300):
        answer = send(site.port, "GET", f"http://{host}/signin")
        assert answer.status == 421, host
        assert "evil" not in answer.body.decode()


def test_a_code_is_its_browsers(site: Site) -> None:
    """A code read in somebody's mailbox is worth nothing in another browser's journey, and guessing costs tries however many guess at once."""
    email = f"box-{secrets.token_hex(6)}@example.com"
    person, thief = site.person(), site.person()
    page = person.fill(person.go(person.once(f"{site.issuer}/signup")), identifier=email)
    code = site.server.code_for(email)
    theirs = thief.fill(thief.go(thief.once(f"{site.issuer}/signup")), identifier=email)
    second = site.server.code_for(email)
    if code != second:
        assert "not right" in thief.fill(theirs, code=code).words
    guesses = [f"{(int(second) + n) % 1_000_000:06d}" for n in range(1, 13)]
    form = next(one for one in theirs.forms if one.method == "post" and "code" in one.fields)
    crowd = [threading.Thread(target=copy_of(thief).once, args=(theirs.url, {**form.fields, "code": guess, "action": "continue"})) for guess in guesses]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert "new_password" not in thief.fill(thief.once(theirs.url), code=second).text
    owner = person.fill(page, code=code)
    assert "new_password" in owner.text or "Try again in" in owner.words, owner.words  # a crowd at her address makes her wait, no more


def test_two_lengths_are_no_request(site: Site) -> None:
    """Request smuggling: a length and chunks, two lengths, a line end inside a field: refused, and nothing behind it is answered."""
    smuggled = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    host = f"Host: localhost:{site.port}\r\n".encode()
    for fields in (
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: +5\r\n\r\nhello",
        b"X: a\x00b\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", site.port), timeout=5) as raw:
            raw.sendall(b"POST /oauth/token HTTP/1.1\r\n" + host + fields + smuggled)
            answer = b""
            try:
                while piece := raw.recv(65536):
                    answer += piece
            except TimeoutError:
                pass
        assert b'"status":"ok"' not in answer, fields
        assert b" 500 " not in answer
