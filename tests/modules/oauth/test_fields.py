"""Header fields, methods and media types of the door (RFC 6749, 5.1; RFC 6750, 3; RFC 9110, 9 and 15.5.6; Fetch)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from limen.app.compose import install
from tests.modules.oauth.conftest import BASE, RIVAL, SECRET, Door, basic
from tests.rig.asgi import Answer

pytestmark = pytest.mark.anyio

METADATA = ("/oauth/jwks", "/.well-known/openid-configuration")
CALLED = {"/oauth/token": "POST", "/oauth/introspect": "POST", "/oauth/revoke": "POST", "/oauth/userinfo": "GET"}
OPEN = (
    *METADATA,
    "/.well-known/oauth-authorization-server",
    "/oauth/token",
    "/oauth/par",
    "/oauth/register",
    "/oauth/revoke",
    "/oauth/userinfo",
    "/api/openapi.json",
    "/.well-known/apple-app-site-association",
    "/.well-known/assetlinks.json",
    "/.well-known/passkey-endpoints",
    "/.well-known/security.txt",
    "/.well-known/webauthn",
)
EVIL = "https://evil.example"


async def test_what_holds_tokens_is_kept_nowhere(door: Door) -> None:
    """RFC 6749, 5.1: no-store, and no-cache for those who know nothing newer; for every answer of every endpoint that tells a secret."""
    person = await door.person()
    body = await door.tokens(person)
    answers: list[Answer] = [
        await door.redeem(await door.code(person)),
        await door.refresh(body["refresh_token"]),
        await door.token(auth="svc", grant_type="client_credentials", scope="read"),
        await door.call("/oauth/introspect", auth="shop", token=body["access_token"]),
        await door.call("/oauth/introspect", auth="shop", token="nonsense"),
        await door.userinfo(body["access_token"]),
        await door.token(auth="svc", secret="wrong", grant_type="client_credentials"),
        await door.token(auth="svc", grant_type="password"),
        await door.userinfo("nonsense"),
    ]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["pragma"] == "no-cache"
        assert answer.headers["content-type"] == "application/json"
        assert sum(name == b"pragma" for name, _ in answer.raw_headers) == 1
    revoked = await door.call("/oauth/revoke", auth="shop", token=body["access_token"])
    assert (revoked.status, revoked.body, revoked.headers["cache-control"]) == (200, b"", "no-store")


async def test_a_challenge_says_what_was_wrong_and_no_more(door: Door) -> None:
    """RFC 6750, 3: no error where no token was shown, one error with its status where one was, quoted without what a quoted string forbids."""
    person = await door.person()
    narrow = (await door.tokens(person, scope="read"))["access_token"]
    table: list[tuple[dict[str, Any], int, str]] = [
        ({}, 401, f'Bearer realm="{BASE}", scope="openid"'),
        ({"authorization": basic("shop", SECRET)}, 401, f'Bearer realm="{BASE}", scope="openid"'),
        ({"authorization": "Bearer nonsense"}, 401, f'Bearer realm="{BASE}", error="invalid_token", error_description="'),
        ({"authorization": "Bearer"}, 401, f'Bearer realm="{BASE}", error="invalid_token", error_description="'),
        ({"authorization": f"Bearer {narrow}"}, 403, f'Bearer realm="{BASE}", error="insufficient_scope", error_description="'),
    ]
    for headers, status, challenge in table:
        for answer in (await door.calls.get("/oauth/userinfo", headers=headers), await door.calls.post("/oauth/userinfo", form={}, headers=headers)):
            assert answer.status == status, headers
            assert answer.headers["www-authenticate"].startswith(challenge), headers
            assert answer.headers["www-authenticate"].count('"') % 2 == 0
    assert (await door.calls.get("/oauth/userinfo", headers={"authorization": f"Bearer {narrow}"})).headers["www-authenticate"].endswith('scope="openid"')
    api = await door.calls.get("/api/v1/sessions?account=x", headers={"authorization": f"Bearer {narrow}"})
    assert (api.status, 'error="invalid_token"' in api.headers["www-authenticate"]) == (401, True)
    assert "error" not in (await door.calls.get("/api/v1/sessions?account=x")).headers["www-authenticate"]


@pytest.mark.parametrize("base", [BASE, RIVAL])
async def test_a_method_that_is_not_for_a_path_is_told_what_is(door: Door, base: str) -> None:
    """RFC 9110, 15.5.6: 405 with Allow, a program's words for programs and a page for people, under a tenant's prefix as well."""
    pages = {"/oauth/authorize": "GET, HEAD, OPTIONS, POST", "/oauth/logout": "GET, HEAD, OPTIONS, POST"}
    programs = dict.fromkeys(("/oauth/token", "/oauth/introspect", "/oauth/revoke"), "OPTIONS, POST")
    programs |= {"/oauth/userinfo": "GET, HEAD, OPTIONS, POST", **dict.fromkeys(METADATA, "GET, HEAD, OPTIONS")}
    for path, allow in {**pages, **programs}.items():
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"} - set(allow.split(", ")):
            answer = await door.calls.send(method, base + path, headers={})
            assert (answer.status, answer.headers["allow"]) == (405, allow), (method, path)
            assert answer.headers["content-type"].partition(";")[0] == ("text/html" if path in pages else "application/problem+json"), (method, path)
        options = await door.calls.send("OPTIONS", base + path, headers={})
        assert (options.status, options.headers["allow"]) == (204, allow)
    nowhere = await door.calls.send("GET", f"{base}/oauth/nothing", headers={})
    assert (nowhere.status, nowhere.headers["content-type"]) == (404, "application/problem+json")


async def test_head_is_get_without_the_body(door: Door) -> None:
    """RFC 9110, 9.3.2: the same fields, the length too."""
    token = (await door.tokens(await door.person()))["access_token"]
    for path, headers in ((METADATA[0], {}), (METADATA[1], {}), ("/oauth/userinfo", {"authorization": f"Bearer {token}"}), ("/oauth/userinfo", {})):
        got, head = await door.calls.send("GET", path, b"", headers), await door.calls.send("HEAD", path, b"", headers)
        assert (head.status, head.body) == (got.status, b"")
        assert head.headers == got.headers


async def test_who_may_call_from_another_origin(door: Door) -> None:
    """Metadata and keys anybody, token, revocation and userinfo any script that brings its own credentials, everything else nobody (RFC 9700, 2.6)."""
    asked = {"origin": EVIL, "access-control-request-headers": "authorization"}
    for endpoint in install():
        if "{" in endpoint.path or endpoint.path.startswith("/dev"):
            continue
        flight = await door.calls.send("OPTIONS", endpoint.path, b"", {**asked, "access-control-request-method": endpoint.method})
        let_in = endpoint.path in OPEN
        assert ("access-control-allow-origin" in flight.headers) is let_in, endpoint.path
        assert "access-control-allow-credentials" not in flight.headers
    for path in METADATA:
        assert (await door.calls.get(path, headers={"origin": EVIL})).headers["access-control-allow-origin"] == "*"
    for path, method in CALLED.items():
        answer = await door.calls.send(method, path, b"", {"origin": EVIL})
        assert answer.headers.get("access-control-allow-origin") == (None if path == "/oauth/introspect" else "*"), path
        if path != "/oauth/introspect":
            assert "WWW-Authenticate" in answer.headers["access-control-expose-headers"]
    for path in ("/oauth/authorize", "/oauth/logout", "/signin"):
        assert "access-control-allow-origin" not in (await door.calls.get(path, headers={"origin": EVIL}, follow=False)).headers


async def test_a_body_is_a_form_and_nothing_else(door: Door) -> None:
    """RFC 6749, 3.2 and appendix B: UTF-8, one media type, bounded; a body that cannot be read is the specification's error."""
    good = urlencode({"grant_type": "client_credentials", "scope": "read", "client_id": "svc", "client_secret": SECRET})
    form = "application/x-www-form-urlencoded"
    for media, status in ((form, 200), (f"{form}; charset=UTF-8", 200), (form.upper(), 200), (f"{form};charset=utf-16", 415), ("text/plain", 415), ("", 415)):
        answer = await door.calls.post("/oauth/token", body=good.encode(), headers={"content-type": media})
        assert answer.status == status, (media, answer.text)
        assert status == 200 or answer.json()["error"] == "invalid_request"
    for broken in (b"grant_type=%zz", b"grant_type=\xff", b"grant_type=%ff", b"a=%00", b"=x", b"&".join(b"p%d=1" % n for n in range(70)), b"x" * 20_000):
        answer = await door.calls.post("/oauth/token", body=broken, headers={"content-type": form})
        assert (answer.status in {400, 413}, answer.json()["error"]) == (True, "invalid_request"), broken[:20]


async def test_userinfo_by_post_takes_a_form_or_an_empty_body(door: Door) -> None:
    """OpenID Connect Core 1.0, 5.3.1: GET and POST, the token in the header or, by POST, in the form; other bodies are refused."""
    token = (await door.tokens(await door.person()))["access_token"]
    bearer = {"authorization": f"Bearer {token}"}
    assert (await door.calls.send("POST", "/oauth/userinfo", b"", bearer)).status == 200
    assert (await door.calls.post("/oauth/userinfo", form={"access_token": token})).status == 200
    assert (await door.calls.post("/oauth/userinfo", json={"access_token": token})).status == 415
    assert (await door.calls.send("POST", f"/oauth/userinfo?access_token={token}", headers={})).status == 401
    got = await door.calls.send("GET", "/oauth/userinfo", f"access_token={token}".encode(), {"content-type": "application/x-www-form-urlencoded"})
    assert got.status == 401
    twice = await door.calls.post("/oauth/userinfo", form=[("access_token", token), ("access_token", token)])
    assert (twice.status, twice.json()["error"]) == (400, "invalid_request")
