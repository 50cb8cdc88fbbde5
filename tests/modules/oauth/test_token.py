"""The token endpoint: client authentication, client credentials, errors (RFC 6749, 2.3, 3.2, 4.4 and 5.2)."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from limen.kernel.ids import ClientId
from limen.modules import clients
from limen.platform.wire import jose
from tests.modules.oauth.conftest import API, BASE, RIVAL, SECRET, VAULT, Door, basic

pytestmark = pytest.mark.anyio


async def test_a_service_gets_a_token_for_the_resource_its_scopes_belong_to(door: Door) -> None:
    """RFC 9068: typ at+jwt, iss, sub and client_id the service, aud the resource, scope, iat, exp, jti; recorded before it leaves."""
    answer = await door.token(auth="svc", grant_type="client_credentials", scope="read write")
    assert answer.status == 200, answer.text
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    token = jose.peek(body["access_token"])
    assert token.header.typ == "at+jwt"
    assert token.header.alg == "ES256"
    claims = token.claims
    assert set(claims) == {"iss", "sub", "aud", "client_id", "scope", "iat", "exp", "jti"}
    assert (claims["iss"], claims["sub"], claims["client_id"], claims["aud"], claims["scope"]) == (BASE, "svc", "svc", API, "read write")
    assert int(str(claims["exp"])) - int(str(claims["iat"])) == body["expires_in"] == 600
    (fact,) = await door.facts("oauth.token_issued")
    assert fact.data == {
        "client": "svc",
        "grant_type": "client_credentials",
        "token": claims["jti"],
        "grant": None,
        "scope": "read write",
        "expires": claims["exp"],
        "network": fact.data["network"],
    }
    assert len(fact.data["network"]) == 16


async def test_the_scopes_of_one_token_belong_to_one_resource(door: Door) -> None:
    """RFC 9068, section 3; without scope a service gets all it has, if that is of one resource; openid is for people."""
    assert (await door.token(auth="orders-api", grant_type="client_credentials")).json()["scope"] == "read"
    for scope in ("read open", "openid", "admin", " ", "limen:accounts:read"):
        answer = await door.token(auth="svc", grant_type="client_credentials", scope=scope)
        assert (answer.status, answer.json()["error"]) == (400, "invalid_scope"), scope
    assert (await door.token(auth="svc", grant_type="client_credentials")).json()["error"] == "invalid_scope"


async def test_an_opaque_resource_gets_opaque_tokens(door: Door) -> None:
    """They carry a prefix for scanners, and introspection says what they mean."""
    body = (await door.token(auth="svc", grant_type="client_credentials", scope="open")).json()
    assert body["access_token"].startswith("lmn_at_")
    said = (await door.call("/oauth/introspect", auth="orders-api", token=body["access_token"])).json()
    assert said["active"] is True
    assert (said["aud"], said["sub"], said["scope"], said["client_id"]) == (VAULT, "svc", "open", "svc")


async def test_a_secret_is_shown_in_the_header_or_in_the_body(door: Door) -> None:
    """client_secret_basic with both parts form-urlencoded (RFC 6749, 2.3.1), client_secret_post, and the same client_id beside the header."""
    form = {"grant_type": "client_credentials", "scope": "read"}
    assert (await door.token(auth="svc", **form)).status == 200
    assert (await door.token(auth="", client_id="svc", client_secret=SECRET, **form)).status == 200
    assert (await door.token(auth="svc", client_id="svc", **form)).status == 200


async def test_whoever_does_not_prove_itself_gets_401(door: Door) -> None:
    """invalid_client with WWW-Authenticate, the same words whether the client is unknown or the secret wrong; counted, not written one by one."""
    form = {"grant_type": "client_credentials", "scope": "read"}
    wrong = [
        await door.token(auth="svc", secret="wrong", **form),
        await door.token(auth="nobody", **form),
        await door.token(auth="", client_id="svc", client_secret="", **form),
        await door.token(auth="", client_id="svc", **form),
        await door.token(auth="", **form),
        await door.token(auth="", client_id="spa", client_secret=SECRET, **form),
        await door.token(auth="SVC", **form),
    ]
    for answer in wrong:
        assert (answer.status, answer.json()["error"]) == (401, "invalid_client"), answer.text
        assert answer.headers["www-authenticate"] == f'Basic realm="{BASE}"'
        assert answer.headers["cache-control"] == "no-store"
    assert wrong[0].json() == wrong[1].json()
    assert await door.facts("oauth.token") == []
    await door.app.house.refusals.flush()
    assert sum(fact.data["count"] for fact in await door.facts("http.refusals_counted")) == 7


async def test_a_malformed_header_is_no_authentication(door: Door) -> None:
    """Other schemes, broken base64, no colon, broken escapes: 401, never a trace."""
    broken = ["Basic", "Basic ", "Basic %%%", "Basic c3Zj", "Bearer abc", "Basic " + base64.b64encode(b"svc:%ZZ").decode()]
    broken += ["Basic " + base64.b64encode(b"\xff\xfe:x").decode(), "Basic " + base64.b64encode(b":x").decode(), "Basic " + "A" * 3000]
    for header in broken:
        answer = await door.calls.post("/oauth/token", form={"grant_type": "client_credentials"}, headers={"authorization": header})
        assert (answer.status, answer.json()["error"]) == (401, "invalid_client"), header[:40]


async def test_two_methods_at_once_are_refused(door: Door) -> None:
    """RFC 6749, 2.3: one method a request; and the body must not name another client."""
    form = {"grant_type": "client_credentials", "scope": "read"}
    both = await door.token(auth="svc", client_secret=SECRET, **form)
    assert (both.status, both.json()["error"]) == (400, "invalid_request")
    other = await door.token(auth="svc", client_id="shop", **form)
    assert (other.status, other.json()["error"]) == (400, "invalid_request")


async def test_a_registered_method_is_the_only_one(door: Door) -> None:
    """A client registered for client_secret_basic does not authenticate by client_secret_post."""
    async with door.world.work() as work:
        client = await clients.find(work, ClientId("svc"))
        assert client
        await clients.save(work, replace(client, auth_method=clients.AuthMethod.BASIC))
    form = {"grant_type": "client_credentials", "scope": "read"}
    assert (await door.token(auth="", client_id="svc", client_secret=SECRET, **form)).status == 401
    assert (await door.token(auth="svc", **form)).status == 200


async def test_a_request_has_to_be_a_good_form(door: Door) -> None:
    """Missing or unknown grant_type, a grant the client has not, parameters given twice, another media type, too much."""
    found = [
        (await door.token(auth="svc"), 400, "invalid_request"),
        (await door.token(auth="svc", grant_type="password"), 400, "unsupported_grant_type"),
        (await door.token(auth="svc", grant_type="authorization_code"), 400, "invalid_request"),
        (await door.token(auth="svc", grant_type="authorization_code", code="x"), 400, "unauthorized_client"),
        (await door.token(auth="shop", grant_type="client_credentials"), 400, "unauthorized_client"),
        (await door.token(auth="shop", grant_type="refresh_token"), 400, "invalid_request"),
        (await door.token(auth="shop", grant_type="refresh_token", refresh_token="lmn_rt_x"), 400, "invalid_grant"),
        (await door.token(auth="spa", grant_type="authorization_code", code="lmn_ac_x"), 400, "invalid_grant"),
    ]
    for answer, status, error in found:
        assert (answer.status, answer.json()["error"]) == (status, error), answer.text
        assert answer.json()["error_description"]
    twice = await door.calls.post("/oauth/token", form=[("grant_type", "client_credentials"), ("grant_type", "client_credentials")])
    assert (twice.status, twice.json()["error"]) == (400, "invalid_request")
    json = await door.calls.post("/oauth/token", json={"grant_type": "client_credentials"}, headers={"authorization": basic("svc", SECRET)})
    assert json.status == 415
    large = await door.calls.post("/oauth/token", form={"grant_type": "x" * 20_000})
    assert large.status == 413
    got = await door.calls.get("/oauth/token", headers={"accept": "application/json"})
    assert got.status == 405
    # what a client with a secret is refused is a fact of its own; a public one's refusals are counted with those of strangers
    assert {fact.data["client"] for fact in await door.facts("oauth.token_refused")} == {"svc", "shop"}


async def test_scripts_of_other_origins_may_call_without_cookies(door: Door) -> None:
    """CORS: any origin, no credentials, WWW-Authenticate shown; the preflight is answered and kept."""
    form = {"grant_type": "client_credentials", "scope": "read"}
    answer = await door.calls.post("/oauth/token", form=form, headers={"authorization": basic("svc", SECRET), "origin": "https://spa.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert "WWW-Authenticate" in answer.headers["access-control-expose-headers"]
    preflight = await door.calls.send("OPTIONS", "/oauth/token", b"", {"origin": "https://spa.example", "access-control-request-method": "POST"})
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-methods"] == "POST"
    assert int(preflight.headers["access-control-max-age"]) > 0
    browser = await door.calls.send("OPTIONS", "/oauth/authorize", b"", {"origin": "https://spa.example", "access-control-request-method": "GET"})
    assert "access-control-allow-origin" not in browser.headers


async def test_what_a_tenant_sets_holds_at_once(door: Door) -> None:
    """Lifetimes are the tenant's; the plan of a client is worked out anew when client or tenant change."""
    form = {"grant_type": "client_credentials", "scope": "read"}
    assert (await door.token(auth="svc", **form)).json()["expires_in"] == 600
    await door.set("grants", access_token="PT2M")
    assert (await door.token(auth="svc", **form)).json()["expires_in"] == 120
    async with door.world.work() as work:
        client = await clients.find(work, ClientId("svc"))
        assert client
        await clients.save(work, replace(client, scopes=("write",)))
    assert (await door.token(auth="svc", **form)).json()["error"] == "invalid_scope"
    async with door.world.work() as work:
        await clients.drop(work, ClientId("svc"))
    assert (await door.token(auth="svc", **form)).status == 401


async def test_a_tenants_token_is_signed_by_its_own_key(door: Door) -> None:
    """The rival's token has another issuer and key, and is no token here."""
    form = {"grant_type": "client_credentials", "scope": "read"}
    mine = (await door.token(auth="svc", **form)).json()["access_token"]
    theirs = (await door.token(auth="svc", base=RIVAL, **form)).json()["access_token"]
    assert jose.peek(theirs).claims["iss"] == RIVAL
    assert jose.peek(mine).header.kid != jose.peek(theirs).header.kid
    assert await door.active(mine, "svc")
    assert not await door.active(theirs, "svc")
