"""Pushed requests, request objects and signed answers (RFC 9126, RFC 9101, JARM, OAuth 2.0 Form Post Response Mode, hybrid and implicit flows)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest

from limen.kernel import secrets
from limen.kernel.ids import ClientId
from limen.modules import clients
from limen.modules.clients import AuthMethod, GrantType
from limen.modules.oauth import tally
from limen.modules.oauth.client_auth.assertion import TYPE
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, SigningKey
from tests.modules.oauth.conftest import BASE, CALLBACK, CHALLENGE, Door, answered, asked, to_app

pytestmark = pytest.mark.anyio

KEY = SigningKey.generate(Alg.ES256)
OTHER = SigningKey.generate(Alg.ES256)
URN = "urn:ietf:params:oauth:request_uri:"


def jwks(*keys: SigningKey) -> str:
    """Return a JWK Set of these keys."""
    return msgspec.json.encode({"keys": [key.public.jwk for key in keys]}).decode()


async def change(door: Door, client: str, **fields: Any) -> clients.Client:
    """Change a client of the tenant."""
    async with door.world.work() as work:
        held = await clients.take(work, ClientId(client))
        await clients.save(work, replace(held, **fields))
        return await clients.take(work, ClientId(client))


@pytest.fixture
async def keyed(door: Door) -> Door:
    """The shop has a key of its own and proves itself by it."""
    await change(door, "shop", auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=jwks(KEY), grants=(GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN))
    return door


def assertion(door: Door, key: SigningKey = KEY, **changes: Any) -> dict[str, str]:
    """Return the parameters by which the shop proves itself."""
    now = int(door.world.clock.now().timestamp())
    said = {"iss": "shop", "sub": "shop", "aud": BASE, "iat": now, "exp": now + 60, "jti": secrets.token(), **changes}
    token = jose.encode_jwt(key, {name: value for name, value in said.items() if value is not None}, "JWT")
    return {"client_assertion_type": TYPE, "client_assertion": token}


async def push(door: Door, auth: dict[str, str] | None = None, **changes: Any) -> Any:
    """Push a request of the shop's."""
    form = {**asked("shop", **changes), **(assertion(door) if auth is None else auth)}
    return await door.calls.post("/oauth/par", form=form)


async def test_a_pushed_request_is_answered_once(keyed: Door) -> None:
    """RFC 9126, 2.2 and 4: its name is good for one answer, for its client, for a minute."""
    person = await keyed.person()
    pushed = await push(keyed)
    assert (pushed.status, pushed.json()["expires_in"]) == (201, 60), pushed.text
    name = pushed.json()["request_uri"]
    assert name.startswith(URN)
    way = f"/oauth/authorize?{urlencode({'client_id': 'shop', 'request_uri': name})}"
    stolen = await person.browser.get(f"/oauth/authorize?{urlencode({'client_id': 'old', 'request_uri': name})}", follow=False)
    assert parse_qs(urlsplit(stolen.location).query)["error"] == ["invalid_request_uri"]
    found = answered(await person.browser.get(way, follow=False))
    assert "code" in found
    assert found["state"] == "st&te=1 %\u00e9"
    again = await person.browser.get(way, follow=False)
    assert again.status == 400 or parse_qs(urlsplit(again.location).query)["error"] == ["invalid_request_uri"]
    late = (await push(keyed)).json()["request_uri"]
    keyed.world.advance(61)
    answer = await person.browser.get(f"/oauth/authorize?{urlencode({'client_id': 'shop', 'request_uri': late})}", follow=False)
    assert "code" not in answer.location


async def test_a_pushed_request_that_is_gone_says_so(keyed: Door) -> None:
    """Where the app's address is not beside it and not the only one, the page tells developers what is wrong, and no wrong thing about addresses."""
    person = await keyed.person()
    name = (await push(keyed)).json()["request_uri"]
    keyed.world.advance(61)
    page = await person.browser.get(f"/oauth/authorize?{urlencode({'client_id': 'shop', 'request_uri': name})}", follow=False)
    assert page.status == 400
    assert "unreadable_request" in page.text
    assert "too old" in page.words
    assert "redirect_uri" not in page.words
    named = await person.browser.get(f"/oauth/authorize?{urlencode({'client_id': 'shop', 'request_uri': name, 'redirect_uri': CALLBACK})}", follow=False)
    assert answered(named)["error"] == "invalid_request_uri"


async def test_pushing_in_a_name_that_everybody_knows_buys_no_line_of_the_log(keyed: Door) -> None:
    """What a client that proves itself pushes is told each time; of a public one it is counted."""
    for _ in range(3):
        assert (await push(keyed)).status == 201
        assert (await keyed.calls.post("/oauth/par", form=asked("spa"))).status == 201
    assert [fact.data["client"] for fact in await keyed.facts("oauth.request_pushed")] == ["shop"] * 3
    await tally.flush(keyed.world.db)
    assert [(fact.data["client"], fact.data["count"]) for fact in await keyed.facts("oauth.request_pushed")][3:] == [("spa", 3)]


async def test_who_is_asked_may_take_her_time(keyed: Door) -> None:
    """RFC 9126, 2.2: its time is that until the browser comes. Whoever reads a page for longer gets her answer, and its name opens no other page."""
    person = await keyed.person(consent=())
    name = (await push(keyed)).json()["request_uri"]
    way = f"/oauth/authorize?{urlencode({'client_id': 'shop', 'request_uri': name})}"
    page = await person.browser.get(way)
    keyed.world.advance(600)
    await keyed.runner.order_turns()
    await keyed.runner.run_due()
    late = await keyed.browser().get(f"{way}&{urlencode({'redirect_uri': CALLBACK})}", follow=False)
    assert answered(late)["error"] == "invalid_request_uri"
    answer = await person.browser.submit(page, action="allow", follow=False)
    assert "code" in answered(await to_app(person.browser, answer))


async def test_what_stands_beside_a_pushed_request_is_nothing(keyed: Door) -> None:
    """RFC 9126, 4: the browser adds nothing to it."""
    person = await keyed.person()
    name = (await push(keyed, scope="openid")).json()["request_uri"]
    query = {
        "client_id": "shop",
        "request_uri": name,
        "scope": "openid email",
        "redirect_uri": "https://evil.example/",
        "state": "mine",
        "response_type": "token",
    }
    found = answered(await person.browser.get(f"/oauth/authorize?{urlencode(query)}", follow=False))
    assert found["state"] == "st&te=1 %\u00e9"
    body = (await keyed.calls.post("/oauth/token", form={**redeeming(found["code"]), **assertion(keyed)})).json()
    assert body["scope"] == "openid"


def redeeming(code: str) -> dict[str, str]:
    """Return the parameters that redeem a code of the shop's."""
    return {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}


async def test_a_push_is_refused_as_the_endpoint_itself_would(keyed: Door) -> None:
    """RFC 9126, 2.3: the mistakes of a request are told to its client, nothing is stored, and nobody else is believed."""
    for changes, error in (
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"request_uri": f"{URN}x"}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request_object"),
    ):
        refused = await push(keyed, **changes)
        assert (refused.status, refused.json()["error"]) == (400, error), changes
    assert (await push(keyed, auth=assertion(keyed, OTHER))).status == 401
    assert (await push(keyed, auth={})).status == 401


async def test_an_assertion_is_for_us_now_and_once(keyed: Door) -> None:
    """RFC 7523, 3: issuer and subject the client, audience the issuer as one string, short-lived, used once."""
    now = int(keyed.world.clock.now().timestamp())
    for wrong in (
        {"aud": f"{BASE}/oauth/token"},
        {"aud": [BASE]},
        {"aud": "https://another.example"},
        {"aud": None},
        {"iss": "old"},
        {"sub": "old", "iss": "old"},
        {"exp": now - 1},
        {"exp": None},
        {"exp": now + 4000},
        {"exp": 2**52},
        {"iat": now + 60},
        {"nbf": now + 60},
        {"jti": None},
        {"jti": ""},
    ):
        refused = await push(keyed, auth=assertion(keyed, **wrong))
        assert (refused.status, refused.json()["error"]) == (401, "invalid_client"), wrong
    once = assertion(keyed)
    assert (await push(keyed, auth=once)).status == 201
    assert (await push(keyed, auth=once)).status == 401
    for parts in ({"client_assertion_type": "other"}, {"client_assertion": "a.b.c"}, {"client_secret": "x"}):
        refused = await push(keyed, auth={**assertion(keyed), **parts})
        assert (refused.status, refused.json()["error"]) == (401, "invalid_client"), parts
    assert (await push(keyed, auth={**assertion(keyed), "client_id": "old"})).status == 400


async def test_only_the_registered_algorithm_signs(keyed: Door) -> None:
    """OpenID Connect Registration 1.0, 2; Core 1.0, 6.3.2: an assertion or a request by another key of the client, of another algorithm, is refused."""
    other = SigningKey.generate(Alg.PS256)
    await change(keyed, "shop", jwks=jwks(KEY, other))
    for key in (KEY, other):
        assert (await push(keyed, auth=assertion(keyed, key), request=request_object(keyed, key))).status == 201
    await change(keyed, "shop", token_endpoint_auth_signing_alg=Alg.PS256)
    assert (await push(keyed, auth=assertion(keyed, KEY))).status == 401
    assert (await push(keyed, auth=assertion(keyed, other))).status == 201
    await change(keyed, "shop", token_endpoint_auth_signing_alg=None, request_object_signing_alg=Alg.PS256)
    refused = await push(keyed, request=request_object(keyed, KEY))
    assert (refused.status, refused.json()["error"]) == (400, "invalid_request_object")
    assert (await push(keyed, request=request_object(keyed, other))).status == 201


async def test_a_legacy_client_may_name_the_endpoint(keyed: Door) -> None:
    """OpenID Connect Core 1.0, 9: what older clients say, where the operator lets them; at the address for certificates too."""
    await change(keyed, "shop", legacy=True)
    await keyed.set("oauth", mtls_base="https://mtls.example")
    for audience in (f"{BASE}/oauth/token", [BASE, "https://another.example"], f"{BASE}/oauth/par", "https://mtls.example/oauth/token"):
        assert (await push(keyed, auth=assertion(keyed, aud=audience))).status == 201, audience


def request_object(door: Door, key: SigningKey = KEY, typ: str = "oauth-authz-req+jwt", *, legacy: bool = False, **changes: Any) -> str:
    """Return a request of the shop's as a JWT."""
    now = int(door.world.clock.now().timestamp())
    about = {} if legacy else {"iss": "shop", "aud": BASE, "exp": now + 300, "nbf": now}
    said = {**about, **asked("shop"), **changes}
    return jose.encode_jwt(key, {name: value for name, value in said.items() if value is not None}, typ)


async def sent(browser: Any, token: str, **beside: Any) -> dict[str, str]:
    """Send a request object through the browser."""
    query = {"client_id": "shop", "redirect_uri": CALLBACK, "request": token, **beside}
    return answered(await browser.get(f"/oauth/authorize?{urlencode(query)}", follow=False))


async def test_a_request_object_is_the_whole_request(keyed: Door) -> None:
    """RFC 9101, 6.3: parameters beside it count for nothing."""
    person = await keyed.person()
    found = await sent(person.browser, request_object(keyed, scope="openid"), scope="openid email", state="other", response_type="token")
    assert found["state"] == "st&te=1 %\u00e9"
    body = (await keyed.calls.post("/oauth/token", form={**redeeming(found["code"]), **assertion(keyed)})).json()
    assert body["scope"] == "openid"


async def test_a_request_object_has_to_be_the_clients_own(keyed: Door) -> None:
    """RFC 9101, 4, 5.2.2, 6 and 10: signed by it, for us, of its type, not old, and not in another object."""
    person = await keyed.person()
    now = int(keyed.world.clock.now().timestamp())
    rsa_as_none = "eyJhbGciOiJub25lIn0." + request_object(keyed).split(".")[1] + "."
    bad = [
        request_object(keyed, OTHER),
        request_object(keyed, typ="at+jwt"),
        request_object(keyed, client_id="old"),
        request_object(keyed, client_id=None),
        request_object(keyed, iss="old"),
        request_object(keyed, aud="https://another.example"),
        request_object(keyed, aud=None),
        request_object(keyed, exp=now - 1),
        request_object(keyed, nbf=now + 100),
        request_object(keyed, request="a.b.c"),
        request_object(keyed, request_uri=f"{URN}x"),
        request_object(keyed, scope=True),
        rsa_as_none,
        "a.b.c",
        "a.b.c.d.e",
    ]
    for token in bad:
        found = await sent(person.browser, token)
        assert found.get("error") in ("invalid_request_object", "invalid_request"), (found, token)


async def test_a_legacy_object_is_merged_with_what_stands_beside_it(keyed: Door) -> None:
    """OpenID Connect Core 1.0, 6.1: the object's members go before those of the query."""
    await change(keyed, "shop", legacy=True)
    person = await keyed.person()
    token = request_object(keyed, typ="", legacy=True, state="inside", redirect_uri=None, response_type=None)
    query = {**asked("shop"), "request": token, "state": "outside"}
    found = answered(await person.browser.get(f"/oauth/authorize?{urlencode(query)}", follow=False))
    assert found["state"] == "inside"
    assert "code" in found


async def test_where_requests_must_be_pushed_or_signed_nothing_else_goes(keyed: Door) -> None:
    """RFC 9126, 6 and RFC 9101, 10.5: as the client registered."""
    person = await keyed.person()
    await change(keyed, "shop", require_pushed_authorization_requests=True)
    assert answered(await keyed.ask(person.browser))["error"] == "invalid_request"
    assert (await push(keyed)).status == 201
    await change(keyed, "shop", require_pushed_authorization_requests=False, require_signed_request_object=True)
    assert answered(await keyed.ask(person.browser))["error"] == "invalid_request"
    assert (await push(keyed)).status == 400
    assert (await push(keyed, request=request_object(keyed))).status == 201
    assert "code" in await sent(person.browser, request_object(keyed))


async def test_an_answer_is_one_signed_message_where_asked(keyed: Door) -> None:
    """JARM, 2.1: iss, aud and exp beside the parameters; in every mode, errors too."""
    person = await keyed.person()
    keys = jose.KeySet.parse((await keyed.calls.get("/oauth/jwks")).body, (Alg.ES256,))
    for mode in ("jwt", "query.jwt", "fragment.jwt"):
        for scope, member in (("openid", "code"), ("admin", "error")):
            answer = await keyed.ask(person.browser, response_mode=mode, scope=scope)
            parts = urlsplit(answer.location)
            given = parse_qs(parts.fragment if mode == "fragment.jwt" else parts.query)
            said = jose.verify_jwt(given["response"][0], keys, typ=("jwt",)).claims
            assert (said["iss"], said["aud"], said["state"]) == (BASE, "shop", "st&te=1 %\u00e9")
            assert member in said
            assert "code" not in given
            assert "state" not in given


async def test_an_answer_may_be_posted(keyed: Door) -> None:
    """OAuth 2.0 Form Post Response Mode: a form to the app's address, with a button for who has no script."""
    person = await keyed.person()
    for mode in ("form_post", "form_post.jwt"):
        page = await keyed.ask(person.browser, response_mode=mode)
        (form,) = page.forms()
        assert (page.status, form.method, form.action) == (200, "post", CALLBACK)
        assert set(form.fields) == ({"response"} if mode == "form_post.jwt" else {"code", "state", "iss"})
        assert form.buttons
        assert "form-action" in page.headers["content-security-policy"]


HYBRID = (*("id_token", "id_token token"), *("code id_token", "code token", "code id_token token"))


async def test_older_flows_are_for_clients_registered_so(door: Door) -> None:
    """OpenID Connect Core 1.0, 3.2 and 3.3: tokens in the fragment, tied to the ID token by their hashes; nobody else gets one."""
    person = await door.person()
    for kind in HYBRID:
        assert answered(await door.ask(person.browser, response_type=kind))["error"] == "unsupported_response_type"
    await change(door, "shop", grants=(GrantType.AUTHORIZATION_CODE, GrantType.IMPLICIT, GrantType.REFRESH_TOKEN), response_types=("code", *HYBRID))
    keys = jose.KeySet.parse((await door.calls.get("/oauth/jwks")).body, (Alg.ES256,))
    for kind in HYBRID:
        answer = await door.ask(person.browser, response_type=kind, scope="openid email")
        assert answer.location.startswith(f"{CALLBACK}#"), answer.location
        found = {name: values[0] for name, values in parse_qs(urlsplit(answer.location).fragment).items()}
        words = set(kind.split())
        assert ("code" in found, "id_token" in found, "access_token" in found) == ("code" in words, "id_token" in words, "token" in words)
        if "id_token" in words:
            said = jose.verify_jwt(found["id_token"], keys, typ=("jwt",)).claims
            assert said["nonce"] == asked("shop")["nonce"]
            halves = {"c_hash": found.get("code"), "at_hash": found.get("access_token")}
            assert {name: said.get(name) for name in halves} == {name: half_hash(value) for name, value in halves.items()}
            assert ("email" in said) is (words == {"id_token"})
        if "token" in words:
            assert (await door.calls.get("/oauth/userinfo", headers={"authorization": f"Bearer {found['access_token']}"})).status == 200
            assert "refresh_token" not in found
        if "code" in words:
            later = await door.redeem(found["code"])
            assert later.status == 200
            once = jose.peek(found["id_token"]).claims if "id_token" in words else {}
            assert all(jose.peek(later.json()["id_token"]).claims[name] == once.get(name, BASE if name == "iss" else person.account) for name in ("iss", "sub"))
        for mode in ("query", "query.jwt"):
            assert "invalid_request" in (await refused_of(door, person.browser, kind, mode)), mode
        if "id_token" in words:
            refused = await door.ask(person.browser, response_type=kind, nonce=None)
            assert parse_qs(urlsplit(refused.location).fragment)["error"] == ["invalid_request"]


def half_hash(value: str | None) -> str | None:
    """Return the left half of the hash of an ASCII text, base64url (OpenID Connect Core 1.0, 3.1.3.6 and 3.3.2.11, for ES256)."""
    return None if value is None else jose.b64url(hashlib.sha256(value.encode()).digest()[:16]).decode()


async def refused_of(door: Door, browser: Any, kind: str, mode: str) -> str:
    """Return the error of a request that is refused for its mode, said in the very mode."""
    found = answered(await door.ask(browser, response_type=kind, response_mode=mode))
    return str(jose.peek(found["response"]).claims["error"]) if "response" in found else found["error"]


async def test_challenge_of_the_vector() -> None:
    """The challenge used here is the one of RFC 7636, appendix B."""
    assert CHALLENGE == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
