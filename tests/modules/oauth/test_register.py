"""Registration and its management (RFC 7591, RFC 7592, OpenID Connect Registration 1.0)."""

from __future__ import annotations

import asyncio
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from limen.kernel.ids import ClientId
from limen.modules import clients
from limen.modules.clients import ClientKind, Registered
from tests.modules.oauth.conftest import ACME, BASE, CHALLENGE, RIVAL, VERIFIER, Door, answered, asked, basic
from tests.modules.oauth.registering import PAGE, SHOP, desk, desk_outside, error, initial

pytestmark = pytest.mark.anyio


async def kept(door: Door, client: str) -> clients.Client | None:
    async with door.world.db.read(ACME) as read:
        return await clients.find(read, ClientId(client))


async def test_what_is_registered_is_told_with_its_defaults(door: Door) -> None:
    """201 with everything registered, defaults too, and the secret this once (RFC 7591, section 3.2.1; OpenID Connect Registration 1.0, section 2)."""
    answer = await desk(door).register({**SHOP, "unheard_of": [1], "client_name#de": "Das Neue", "logo_uri": None, "contacts": []})
    assert (answer.status, answer.headers["cache-control"], answer.headers["access-control-allow-origin"]) == (201, "no-store", "*")
    told = answer.json()
    assert told["client_id"].startswith("cli_")
    assert told["client_secret"].startswith("lmn_cs_")
    assert told["registration_access_token"].startswith("lmn_ra_")
    assert told["registration_client_uri"] == f"{BASE}/oauth/register/{told['client_id']}"
    assert told["client_id_issued_at"] == int(door.world.clock.now().timestamp()) or told["client_id_issued_at"] > 0
    for name in ("client_id", "client_secret", "registration_access_token", "registration_client_uri", "client_id_issued_at"):
        del told[name]
    assert told == {
        "client_name": "The New One",
        "redirect_uris": ["https://new.example/callback"],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "application_type": "web",
        "scope": "openid profile email address phone offline_access",
        "id_token_signed_response_alg": "RS256",
        "subject_type": "public",
        "client_secret_expires_at": 0,
    }


@pytest.mark.parametrize(
    ("said", "kind", "method"),
    [
        ({}, ClientKind.WEB, "client_secret_basic"),
        ({"token_endpoint_auth_method": "none"}, ClientKind.SPA, "none"),
        ({"token_endpoint_auth_method": "none", "redirect_uris": ["http://127.0.0.1/callback"]}, ClientKind.NATIVE, "none"),
        ({"token_endpoint_auth_method": "none", "redirect_uris": ["com.example.app:/callback"]}, ClientKind.NATIVE, "none"),
        ({"application_type": "native", "redirect_uris": ["http://[::1]:7000/callback"]}, ClientKind.NATIVE, "none"),
        ({"grant_types": ["client_credentials"], "redirect_uris": [], "scope": "read"}, ClientKind.SERVICE, "client_secret_basic"),
        (
            {"token_endpoint_auth_method": "none", "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"], "redirect_uris": []},
            ClientKind.DEVICE,
            "none",
        ),
    ],
)
async def test_the_kind_follows_from_what_is_said(door: Door, said: dict[str, Any], kind: ClientKind, method: str) -> None:
    """The specifications know no kinds: grants, method, application type and addresses tell."""
    grants = ["authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"]
    await door.set("registration", grants=grants, private_use=True, scopes=["openid", "read"])
    told = await desk(door).made(**said)
    found = await kept(door, told["client_id"])
    assert found is not None
    assert (found.kind, told["token_endpoint_auth_method"], "client_secret" in told) == (kind, method, method != "none")
    assert (found.registered, found.consent) == (Registered.ANYONE, clients.ConsentRule.ASK)


async def test_a_registered_app_signs_people_in(door: Door) -> None:
    """It is asked about like any stranger, and its tokens work; the consent keeps it from being cleared away."""
    told = await desk(door).made(grant_types=["authorization_code", "refresh_token"])
    person = await door.person()
    query = {
        "client_id": told["client_id"],
        "redirect_uri": "https://new.example/callback",
        "response_type": "code",
        "scope": "openid email",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    page = await person.browser.get(f"{BASE}/oauth/authorize?{urlencode(query)}")
    assert "The New One" in page.words
    assert "Its address is https://new.example:" in page.words.replace("\u2068", "").replace("\u2069", "")
    answer = await person.browser.submit(page, {}, action="allow", follow=False)
    while answer.location.startswith(("/", BASE)):
        answer = await person.browser.get(answer.location, follow=False)
    form = {
        "grant_type": "authorization_code",
        "code": answered(answer)["code"],
        "redirect_uri": "https://new.example/callback",
        "code_verifier": VERIFIER,
    }
    tokens = await door.calls.post(f"{BASE}/oauth/token", form=form, headers={"authorization": basic(told["client_id"], told["client_secret"])})
    assert tokens.status == 200, tokens.text
    assert (await door.userinfo(tokens.json()["access_token"])).status == 200
    door.world.advance(31 * 86_400)
    await door.runner.order_turns()
    await door.runner.run_due()
    assert await kept(door, told["client_id"])
    assert (await desk(door).at(told, "DELETE")).status == 204
    assert not await kept(door, told["client_id"])
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens.json()["refresh_token"]}
    again = await door.calls.post(f"{BASE}/oauth/token", form=refresh, headers={"authorization": basic(told["client_id"], told["client_secret"])})
    assert error(again) == (401, "invalid_client")


async def test_what_nobody_let_in_goes(door: Door) -> None:
    """After its days an app that anyone registered is deleted with a fact; one with an initial access token stays, and so does a service."""
    await door.set("registration", grants=["authorization_code", "client_credentials"], scopes=["openid", "read"])
    idle = await desk(door).made()
    invited = await desk(door).made(await initial(door))
    service = await desk(door).made(grant_types=["client_credentials"], redirect_uris=[], scope="read")
    door.world.advance(30 * 86_400 - 5)
    await door.runner.order_turns()
    await door.runner.run_due()
    assert await kept(door, idle["client_id"])
    door.world.advance(3_700)
    await door.runner.order_turns()
    await door.runner.run_due()
    assert [bool(await kept(door, one["client_id"])) for one in (idle, invited, service)] == [False, True, True]
    assert [fact.data["client"] for fact in await door.facts("clients.client_dropped")] == [idle["client_id"]]


async def test_a_registration_is_read_replaced_and_deleted(door: Door) -> None:
    """GET and PUT tell everything again but the secret; PUT takes back what is left out; after DELETE nothing is there, for its token either."""
    at = desk(door)
    told = await at.made(contacts=["ada@new.example"])
    read = await at.at(told)
    assert read.status == 200
    assert {**read.json(), "client_secret": told["client_secret"]} == told
    changed = await at.at(told, "PUT", {"client_id": told["client_id"], **SHOP, "client_name": "Renamed", "client_secret": told["client_secret"]})
    assert changed.status == 200, changed.text
    assert changed.json() == {**{name: value for name, value in told.items() if name != "contacts"}, "client_name": "Renamed"}
    assert (await at.at(told, "PATCH", {"client_id": told["client_id"], **SHOP})).status == 405
    assert (await at.at(told, "DELETE")).status == 204
    for method, body in (("GET", None), ("PUT", {"client_id": told["client_id"], **SHOP}), ("DELETE", None)):
        answer = await at.at(told, method, body)
        assert error(answer) == (401, "invalid_token")
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    names = [fact.name for fact in await door.facts("clients.") if fact.data.get("client") == told["client_id"]]
    assert names == ["clients.client_changed", "clients.client_registered", "clients.client_changed", "clients.client_dropped"]


async def test_a_secret_comes_and_goes_with_the_method(door: Door) -> None:
    """Who turns to `none` has none any more, who turns back gets a new one; nobody chooses one (RFC 7592, section 2.2)."""
    at = desk(door)
    told = await at.made()
    own = {"client_id": told["client_id"], **SHOP}
    chosen = await at.at(told, "PUT", {**own, "client_secret": "one of my own choice that is long enough"})
    assert error(chosen) == (400, "invalid_client_metadata")
    public = (await at.at(told, "PUT", {**own, "token_endpoint_auth_method": "none"})).json()
    assert ("client_secret" in public, "client_secret_expires_at" in public) == (False, False)
    again = (await at.at(told, "PUT", own)).json()
    assert again["client_secret"] not in ("", told["client_secret"])
    assert error(await at.at(told, "PUT", {**SHOP, "client_id": "shop"})) == (400, "invalid_client_metadata")
    assert error(await at.at(told, "PUT", SHOP)) == (400, "invalid_client_metadata")


async def test_a_registration_belongs_to_its_own_token(door: Door) -> None:
    """Another client's token, an access token, none at all, an operator's client, another tenant: each is 401, and tells nothing apart."""
    at = desk(door)
    one, other = await at.made(), await at.made()
    assert all(one[name] != other[name] for name in ("client_id", "client_secret", "registration_access_token"))
    person = await door.person()
    access = (await door.tokens(person))["access_token"]
    foreign = {**one, "registration_client_uri": one["registration_client_uri"].replace(BASE, RIVAL)}
    operators = {**one, "registration_client_uri": f"{BASE}/oauth/register/shop"}
    answers = [
        *[await at.at(one, method, {"client_id": one["client_id"], **SHOP}, other["registration_access_token"]) for method in ("PUT",)],
        await at.at(one, "DELETE", None, other["registration_access_token"]),
        await at.at(one, "GET", None, access),
        await at.at(foreign),
        await at.at(operators),
    ]
    assert {(answer.status, answer.text) for answer in answers} == {(401, answers[0].text)}
    assert error(await at.at(one, "GET", None, "")) == (401, "invalid_token")
    assert await kept(door, one["client_id"])


@pytest.mark.parametrize(
    "uri",
    [
        *("javascript:alert(1)", "data:text/html,x", "https://new.example/#here", "https://*.new.example/", "http://new.example/"),
        *("https://user@new.example/", "https://new.example/a/../b", "https://new.example\\@evil.example/", "//new.example/", "", "myapp:/callback"),
        *("https://new.example/%00", "https://0x7f.1/", "file:///etc/passwd", "com.example.app:/callback", "https://new.example/?code=1"),
    ],
)
async def test_an_address_that_leads_astray_is_not_registered(door: Door, uri: str) -> None:
    """Each is `invalid_redirect_uri`, whoever asks (RFC 7591, section 5): no script, fragment, wildcard, plain http or scheme another app could claim."""
    for said in ({"redirect_uris": ["https://new.example/", uri]}, {"redirect_uris": ["https://new.example/", uri], "token_endpoint_auth_method": "none"}):
        assert error(await desk(door).register(said)) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({"scope": "openid limen:accounts:read"}, "scope"),
        ({"scope": "openid read"}, "scope"),
        ({"grant_types": ["client_credentials"]}, "grant_types"),
        ({"grant_types": ["password"]}, "grant_types"),
        ({"grant_types": "authorization_code"}, "grant_types"),
        ({"response_types": ["code id_token"], "grant_types": ["authorization_code", "implicit"]}, "response_types"),
        ({"response_types": ["token"]}, "response_types"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "jwks"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AA"}]}}, "jwks"),
        ({"jwks": "https://new.example/jwks"}, "jwks"),
        ({"jwks_uri": "http://new.example/jwks"}, "jwks_uri"),
        ({"initiate_login_uri": "http://new.example/"}, "initiate_login_uri"),
        ({"logo_uri": "javascript:alert(1)"}, "logo_uri"),
        ({"tos_uri": "javascript:alert(1)"}, "tos_uri"),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
        ({"id_token_signed_response_alg": "HS256"}, "id_token_signed_response_alg"),
        ({"client_name": "a\u202eb\n" * 60}, "client_name"),
        ({"contacts": ["x"] * 11}, "contacts"),
        ({"redirect_uris": ["https://new.example/x"] * 51}, "redirect_uris"),
        ({"default_max_age": -1}, "default_max_age"),
        ({"redirect_uris": ["https://a.example/", "https://b.example/"], "subject_type": "pairwise"}, "sector_identifier_uri"),
    ],
)
async def test_what_an_app_may_not_have_is_refused_with_what_it_may(door: Door, said: dict[str, object], names: str) -> None:
    """400 with the codes of RFC 7591, section 3.2.2, and a description that names the member; `limen:` scopes are never registered."""
    answer = await desk(door).register({**SHOP, **said})
    code = "invalid_redirect_uri" if names == "redirect_uris" else "invalid_client_metadata"
    assert error(answer) == (400, code), answer.text
    assert names in answer.json()["error_description"]
    assert answer.json()["error_description"].isascii()


async def test_a_client_cannot_make_itself_stronger(door: Door) -> None:
    """PUT is held to the same policy as POST: scopes, grants and methods beyond it are refused, and nothing changes."""
    at = desk(door)
    told = await at.made()
    own = {"client_id": told["client_id"], **SHOP}
    stronger: tuple[dict[str, Any], ...] = (
        {"scope": "openid limen:accounts:write"},
        {"scope": "openid read"},
        {"grant_types": ["authorization_code", "client_credentials"]},
        {"response_types": ["id_token"], "grant_types": ["implicit"]},
        {"redirect_uris": ["javascript:alert(1)"]},
    )
    for said in stronger:
        assert (await at.at(told, "PUT", {**own, **said})).status == 400
    for said in ({"consent": "none"}, {"profile": "fapi2"}, {"legacy": True}, {"require_pkce": False}, {"registered": "operator"}):
        assert (await at.at(told, "PUT", {**own, **said})).status == 200
    found = await kept(door, told["client_id"])
    assert found is not None
    assert (found.consent, found.profile, found.legacy, found.pkce_required, found.registered) == (
        clients.ConsentRule.ASK,
        None,
        False,
        True,
        Registered.ANYONE,
    )


async def test_the_policy_says_what_may_be_registered(door: Door) -> None:
    """Hosts, loopback, grants, scopes, PKCE and older ways are the tenant's to say, and a refusal lists them."""
    await door.set(
        "registration",
        hosts=["new.example", ".apps.example"],
        loopback=False,
        scopes=["openid", "read"],
        grants=["authorization_code"],
        pkce_required=False,
        legacy=True,
    )
    at = desk(door)
    told = await at.made(redirect_uris=["https://new.example/", "https://one.apps.example/"])
    found = await kept(door, told["client_id"])
    assert found is not None
    assert (told["scope"], found.pkce_required, found.legacy) == ("openid read", False, True)
    public = await kept(door, (await at.made(token_endpoint_auth_method="none"))["client_id"])
    assert public is not None
    assert public.pkce_required
    for uri in ("https://apps.example/", "https://evilapps.example/", "https://new.example.evil/", "https://old.example/"):
        refused = await at.register({"redirect_uris": [uri]})
        assert error(refused) == (400, "invalid_redirect_uri")
        assert "There are new.example, .apps.example" in refused.json()["error_description"]
    for said in ({**PAGE, "redirect_uris": ["http://127.0.0.1/"]}, {**SHOP, "redirect_uris": ["http://localhost:9000/"]}):
        assert error(await at.register(said)) == (400, "invalid_redirect_uri")
    assert error(await at.register({**SHOP, "backchannel_logout_uri": "https://intranet.example/"})) == (400, "invalid_client_metadata")
    assert error(await at.register({**SHOP, "grant_types": ["authorization_code", "refresh_token"]})) == (400, "invalid_client_metadata")


async def test_an_agent_on_a_persons_device_may_come_back_to_localhost(door: Door) -> None:
    """In production too, as a public native app at any port (many agents register `http://localhost:PORT/callback`); the policy may forbid it."""
    at = desk_outside(door)
    agent = {**PAGE, "redirect_uris": ["http://localhost:3334/callback"]}
    await door.set("registration", open="anyone")
    found = await kept(door, (await at.made(**agent))["client_id"])
    assert found is not None
    assert (found.kind, clients.matches_redirect(found, "http://localhost:51000/callback")) == (ClientKind.NATIVE, True)
    assert not clients.matches_redirect(found, "http://127.0.0.1:51000/callback")
    for uri in ("http://app.localhost/callback", "http://localhost.evil.example/callback"):
        assert error(await at.register({**agent, "redirect_uris": [uri]})) == (400, "invalid_redirect_uri")
    assert error(await at.register({**SHOP, "redirect_uris": ["http://localhost/callback"]})) == (400, "invalid_redirect_uri")
    for name, literal in (("localhost", 201), ("loopback", 400)):
        await door.set("registration", open="anyone", **{name: False})
        assert error(await at.register(agent)) == (400, "invalid_redirect_uri")
        assert (await at.register({**agent, "redirect_uris": ["http://127.0.0.1/callback"]})).status == literal


async def test_in_production_nobody_registers_unless_the_tenant_lets_them(door: Door) -> None:
    """Off by default; with `token` an initial access token opens the door, as often as it was made for, and `anyone` needs none."""
    at = desk_outside(door)
    token = await initial(door, uses=2)
    assert error(await at.register(SHOP)) == (403, "access_denied")
    assert error(await at.register(SHOP, token)) == (403, "access_denied")
    await door.set("registration", open="token")
    assert error(await at.register(SHOP)) == (401, "invalid_token")
    assert error(await at.register(SHOP, "lmn_ia_made-up")) == (401, "invalid_token")
    assert error(await at.register({"redirect_uris": ["http://localhost/"]}, token)) == (400, "invalid_redirect_uri")
    first = await at.made(token)
    await at.made(token)
    assert error(await at.register(SHOP, token)) == (401, "invalid_token")
    found = await kept(door, first["client_id"])
    assert found is not None
    assert found.registered is Registered.TOKEN
    facts = [fact.data for fact in await door.facts("clients.client_registered")]
    assert {(fact["by"], bool(fact["token"])) for fact in facts} == {("token", True)}
    await door.set("registration", open="anyone")
    await at.made()


async def test_a_token_used_by_many_at_once_counts_each(door: Door) -> None:
    """Of eight registrations at once with a token for three, three succeed, whichever they are."""
    token = await initial(door, uses=3)
    answers = await asyncio.gather(*(desk(door).register(SHOP, token) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [201] * 3 + [401] * 5
    async with door.world.db.read(ACME) as read:
        assert (await clients.named(read, [ClientId(one.json()["client_id"]) for one in answers if one.status == 201])).keys()


async def test_a_flood_of_registrations_is_slowed_and_bounded(door: Door) -> None:
    """One address registers so many an hour, and all of them together so many as the tenant allows; others are not slowed."""
    await door.set("registration", open="anyone", hourly=3, max_clients=5)
    at, other = desk_outside(door), desk_outside(door)
    other.calls.address = "198.51.100.9"
    for _ in range(3):
        await at.made()
    slow = await at.register(SHOP)
    assert (slow.status, int(slow.headers["retry-after"]) > 60) == (429, True)
    await other.made()
    await other.made()
    assert error(await other.register(SHOP)) == (403, "access_denied")
    door.world.advance(3_600)
    await door.set("registration", open="anyone", hourly=3, max_clients=50)
    await at.made()


async def test_a_flood_of_changes_is_slowed_as_well(door: Door) -> None:
    """A change may have us fetch an address, as a registration may: both count alike, of apps that anyone may have registered."""
    await door.set("registration", open="anyone", hourly=3)
    at = desk_outside(door)
    told = await at.made()
    answers = [await at.at(told, "PUT", {"client_id": told["client_id"], **SHOP, "client_name": f"Name {number}"}) for number in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert (await at.at(told, "GET")).json()["client_name"] == "Name 1"


async def test_a_body_has_to_be_a_small_json_object(door: Door) -> None:
    """Too large, no JSON, no object, too deep, a member twice, another media type: each is refused before anything is registered."""
    at, url = desk(door), f"{BASE}/oauth/register"
    json = {"content-type": "application/json"}
    assert (await at.calls.send("POST", url, b'{"client_name": "' + b"x" * 70_000 + b'"}', json)).status == 413
    for body in (b"", b"[]", b"{", b'"x"', b"[" * 30_000, b'{"client_name": "a", "client_name": "b"}', b'{"client_name": "\\u0000"}'):
        answer = await at.calls.send("POST", url, body, json)
        assert error(answer) == (400, "invalid_client_metadata"), body[:40]
    assert (await at.calls.send("POST", url, b"client_name=x", {"content-type": "application/x-www-form-urlencoded"})).status == 415


async def test_scripts_of_other_origins_may_register(door: Door) -> None:
    """Pre-flights of all methods are answered, without credentials."""
    for method, path in (("POST", "/oauth/register"), ("PUT", "/oauth/register/cli_x"), ("DELETE", "/oauth/register/cli_x")):
        answer = await door.calls.send("OPTIONS", f"{BASE}{path}", b"", {"origin": "https://spa.example", "access-control-request-method": method})
        assert (answer.headers["access-control-allow-origin"], answer.headers["access-control-allow-methods"]) == ("*", method)
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ({}, {"response_type": "code"}),
        ({"response_types": ["id_token token"], "grant_types": ["implicit"]}, {"response_type": "id_token token", "nonce": "n"}),
        ({"response_types": ["code id_token"], "grant_types": ["authorization_code", "implicit"]}, {"response_type": "code id_token", "nonce": "n"}),
    ],
)
async def test_a_policy_lets_the_plans_of_the_openid_foundation_register(door: Door, said: dict[str, Any], asked: dict[str, str]) -> None:
    """The tenant of docs/conformance: every response type for whoever registers, and no PKCE for those with a secret."""
    table = tomllib.loads((Path(__file__).parents[3] / "docs" / "conformance" / "tenants.toml").read_text())["tenant"][0]["registration"]
    await door.set("registration", **table)
    told = await desk(door).made(**said)
    person = await door.person()
    query = {"client_id": told["client_id"], "redirect_uri": "https://new.example/callback", "scope": "openid", "state": "s", **asked}
    answer = await person.browser.get(f"{BASE}/oauth/authorize?{urlencode(query)}", follow=False)
    while answer.location.startswith(("/", BASE)):
        answer = await person.browser.get(answer.location, follow=False)
    page = await person.browser.submit(answer, {}, action="allow", follow=False)
    while page.location.startswith(("/", BASE)):
        page = await person.browser.get(page.location, follow=False)
    parts = urlsplit(page.location)
    given = parse_qs(parts.query or parts.fragment)
    assert {"code": "code", "id_token token": "access_token", "code id_token": "id_token"}[asked["response_type"]] in given, page.location


async def test_what_an_operator_saves_is_one_of_hers(door: Door) -> None:
    """It warns nobody any more and is not cleared away. Its own token manages it on, within the policy; what that changes nobody here has looked at."""
    at = desk(door)
    told = await at.made()
    async with door.world.work() as work:
        found = await clients.take(work, ClientId(told["client_id"]))
        assert await clients.save(work, replace(found, registered=Registered.OPERATOR)) == ("registered",)
    for said, by in (({}, Registered.OPERATOR), ({"client_name": "Acme Bank", "redirect_uris": ["https://thief.example/"]}, Registered.ANYONE)):
        changed = await at.at(told, "PUT", {"client_id": told["client_id"], **SHOP, **said})
        assert changed.status == 200
        held = await kept(door, told["client_id"])
        assert held is not None
        assert held.registered is by
    person = await door.person()
    page = await person.browser.get(f"/oauth/authorize?{urlencode({**asked(), 'client_id': told['client_id'], 'redirect_uri': 'https://thief.example/'})}")
    assert "Nobody here has checked this app" in page.words
    door.world.advance(31 * 86_400)
    await door.runner.order_turns()
    await door.runner.run_due()
    assert await kept(door, told["client_id"]) is not None
