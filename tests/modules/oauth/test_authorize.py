"""The authorization endpoint (RFC 6749, 3.1 and 4.1; OpenID Connect Core 1.0, 3.1.2; RFC 9207; RFC 9700, 4.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from limen.kernel.ids import ClientId
from limen.modules import clients, consents, sessions
from limen.modules.oauth.authorize.checks import CHECKS, Entry
from limen.modules.oauth.authorize.interaction import RULES
from limen.platform.wire import jose
from tests.modules.oauth.conftest import BASE, CALLBACK, RIVAL, Door, answered, asked, to_app, uri_of

pytestmark = pytest.mark.anyio

ATTACKS = [
    "https://shop.example/callback",  # registered with a query
    CALLBACK + "&x=1",
    CALLBACK + "#fragment",
    CALLBACK + "/",
    CALLBACK.replace("https", "http"),
    CALLBACK.replace("shop.example", "SHOP.example"),
    CALLBACK.replace("shop.example", "shop.example:443"),
    CALLBACK.replace("shop.example", "shop.example."),
    CALLBACK.replace("shop.example", "shop.example@evil.example"),
    CALLBACK.replace("shop.example", "shop.example.evil.example"),
    CALLBACK.replace("shop.example", "evil.example"),
    CALLBACK.replace("https://", "https://user:password@"),
    CALLBACK.replace("/callback", "/../callback"),
    CALLBACK.replace("/callback", "/callback/../callback"),
    CALLBACK.replace("/callback", "//callback"),
    CALLBACK.replace("/callback", "/%63allback"),
    CALLBACK.replace("/callback", "\\callback"),
    CALLBACK + " ",
    " " + CALLBACK,
    CALLBACK + "\r\nSet-Cookie: a=b",
    "//shop.example/callback?from=limen",
    "/callback?from=limen",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "https://shop.example/*",
    "http://localhost:8400/oauth/authorize",
    "https://shop.example/callback?from=limen,https://evil.example",
]


async def test_the_browser_is_never_sent_to_an_address_that_is_not_registered(door: Door) -> None:
    """RFC 9700, 4.1.3: letter by letter, or a page of ours; nothing of the request leaks."""
    person = await door.person()
    for uri in ATTACKS:
        answer = await door.ask(person.browser, redirect_uri=uri)
        assert (answer.status, answer.location) == (400, ""), uri
        assert "evil.example" not in answer.headers["content-security-policy"], uri


async def test_an_unknown_client_is_told_on_a_page(door: Door) -> None:
    """There is nobody to redirect to; the page says so, and the refusals are counted in one fact."""
    person = await door.person()
    for client in ("nobody", "", "SHOP", None, "shop ", "'"):
        answer = await door.ask(person.browser, client_id=client)
        assert (answer.status, answer.location) == (400, ""), client
        assert "unknown_client" in answer.words
    await door.app.house.refusals.flush()
    assert [(fact.data["reason"], fact.data["count"]) for fact in await door.facts("http.refusals_counted")] == [("unknown_client", 6)]


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"response_type": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_type": "none"}, "unsupported_response_type"),
    ({"response_mode": "web_message"}, "invalid_request"),
    ({"claims": "no json"}, "invalid_request"),
    ({"claims": '{"id_token": []}'}, "invalid_request"),
    ({"resource": "https://elsewhere.example"}, "invalid_target"),
    ({"authorization_details": '[{"type": "unheard"}]'}, "invalid_authorization_details"),
    ({"authorization_details": "no json"}, "invalid_authorization_details"),
    ({"dpop_jkt": "short"}, "invalid_request"),
    ({"scope": None}, "invalid_scope"),
    ({"scope": " "}, "invalid_scope"),
    ({"scope": "openid admin"}, "invalid_scope"),
    ({"scope": 'openid "'}, "invalid_scope"),
    ({"scope": "openid limen:accounts:read"}, "invalid_scope"),
    ({"scope": "read open"}, "invalid_scope"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"code_challenge": "x" * 44}, "invalid_request"),
    ({"code_challenge": "x" * 42 + "="}, "invalid_request"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "whatever"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"max_age": "soon"}, "invalid_request"),
    ({"max_age": "9" * 40}, "invalid_request"),
    ({"nonce": "n" * 1001}, "invalid_request"),
    ({"request": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request_object"),
    ({"request_uri": "https://shop.example/request.jwt"}, "invalid_request_uri"),
    ({"registration": "{}"}, "registration_not_supported"),
]


@pytest.mark.parametrize("method", ["get", "post"])
async def test_other_mistakes_go_back_to_the_app(door: Door, method: str) -> None:
    """With error, description, the state as it came, and our iss; by GET and by POST."""
    browser = door.browser()
    for changes, error in MISTAKES:
        if method == "get":
            answer = await door.ask(browser, **changes)
        else:
            answer = await browser.post("/oauth/authorize", form=asked(**changes), cross_site=True, follow=False)
        found = answered(answer)
        assert answer.location.startswith(f"{CALLBACK}&"), changes
        assert (found["error"], found["state"], found["iss"]) == (error, "st&te=1 %\u00e9", BASE), changes
        assert len(found["error_description"]) > 10
        assert all(" " <= letter <= "~" and letter not in '"\\' for letter in found["error_description"])  # RFC 6749, 4.1.2.1
        assert "code" not in found


async def test_a_client_without_the_grant_is_told_so(door: Door) -> None:
    """unauthorized_client, or nothing at all where no address is registered."""
    answer = await door.ask(door.browser(), redirect_uri=CALLBACK, client_id="svc")
    assert answer.status == 400


async def test_a_parameter_given_twice_is_refused(door: Door) -> None:
    """RFC 6749, 3.1; which of two addresses is meant cannot be known, so nothing is sent anywhere."""
    for twice in ("client_id", "redirect_uri", "state", "scope", "nonce", "code_challenge"):
        pairs = [*asked().items(), (twice, asked()[twice])]
        for answer in (
            await door.browser().get(f"/oauth/authorize?{urlencode(pairs)}", follow=False),
            await door.browser().post("/oauth/authorize", form=pairs, cross_site=True, follow=False),
        ):
            assert (answer.status, answer.location) == (400, ""), twice


async def test_a_request_by_post_goes_on_as_a_get_with_the_cookies(door: Door) -> None:
    """Cross-site forms bring no Lax cookies; the request waits sealed and is taken out once."""
    person = await door.person()
    first = await person.browser.post("/oauth/authorize", form=asked(), cross_site=True, follow=False)
    assert first.status == 303
    assert urlsplit(first.location).path == "/oauth/authorize/resume"
    assert "st%26te" not in first.location
    second = await person.browser.get(first.location, follow=False)
    assert "code" in answered(second)
    third = await person.browser.get(first.location, follow=False)
    assert third.status == 404


async def test_redirect_uri_may_be_left_out_where_there_is_one_and_no_openid(door: Door) -> None:
    """RFC 6749, 3.1.2.3; OpenID Connect always wants it."""
    person = await door.person()
    found = answered(await door.ask(person.browser, "spa", redirect_uri=None, scope="read"))
    assert (await door.redeem(found["code"], "spa", redirect_uri=None)).status == 200
    assert answered(await door.ask(person.browser, "spa", redirect_uri=None, scope="openid"))["error"] == "invalid_request"
    assert (await door.ask(person.browser, "shop", redirect_uri=None, scope="read")).status == 400


async def test_prompt_none_says_what_would_have_to_be_asked(door: Door) -> None:
    """login_required, consent_required, login_required again when too old or another person is meant; a code where nothing is missing."""
    stranger = door.browser()
    assert answered(await door.ask(stranger, prompt="none"))["error"] == "login_required"
    person = await door.person(consent=("openid",))
    assert answered(await door.ask(person.browser, prompt="none"))["error"] == "consent_required"
    assert "code" in answered(await door.ask(person.browser, prompt="none", scope="openid"))
    door.world.advance(100)
    assert answered(await door.ask(person.browser, prompt="none", scope="openid", max_age="50"))["error"] == "login_required"
    assert "code" in answered(await door.ask(person.browser, prompt="none", scope="openid", max_age="500"))
    assert answered(await door.ask(person.browser, prompt="none", scope="openid", login_hint="bob@example.com"))["error"] == "login_required"
    assert "code" in answered(await door.ask(person.browser, prompt="none", scope="openid", login_hint="ADA1@example.com"))
    assert answered(await door.ask(person.browser, prompt="none", scope="openid", acr_values="aal2"))["error"] == "unmet_authentication_requirements"
    assert "code" in answered(await door.ask(person.browser, prompt="none", scope="openid", acr_values="urn:example:1 lmn:email"))
    assert "code" in answered(await door.ask(person.browser, prompt="none", scope="openid", acr_values="1 2"))


async def test_prompt_none_heeds_whom_an_id_token_hint_names(door: Door) -> None:
    """OpenID Connect Core 1.0, 3.1.2.1: another person than the hinted one is no answer."""
    ada, bob = await door.person(), await door.person()
    hint = (await door.tokens(ada))["id_token"]
    assert "code" in answered(await door.ask(ada.browser, prompt="none", id_token_hint=hint))
    assert answered(await door.ask(bob.browser, prompt="none", id_token_hint=hint))["error"] == "login_required"


async def test_a_prompt_asks_the_person_though_she_is_signed_in(door: Door) -> None:
    """login, select_account, create, consent and max_age=0 each lead to a page; the journey knows the app's origin for its forms."""
    person = await door.person(ago=1)
    wanted: list[tuple[dict[str, Any], str]] = [
        ({"prompt": "login"}, "/signin"),
        ({"prompt": "select_account"}, "/signin"),
        ({"prompt": "create"}, "/signup"),
        ({"prompt": "consent"}, "/consent"),
        ({"max_age": "0"}, "/signin"),
    ]
    for changes, path in wanted:
        answer = await person.browser.get(f"/oauth/authorize?{urlencode(asked(**changes))}")
        assert answer.status == 200, answer.words
        assert urlsplit(answer.url).path == path, changes
        assert "form-action 'self' https://shop.example" in answer.headers["content-security-policy"]


async def test_a_consent_ends_at_the_app(door: Door) -> None:
    """The page names app and scopes in words; allow brings a code, and the next time nobody is asked."""
    person = await door.person(consent=())
    page = await person.browser.get(f"/oauth/authorize?{urlencode(asked(scope='openid email read'))}")
    assert urlsplit(page.url).path == "/consent"
    for words in ("The Shop", "Read your orders", "See your e-mail address", "Know who you are"):
        assert words in page.words
    found = answered(await to_app(person.browser, await person.browser.submit(page, action="allow", follow=False)))
    assert found["iss"] == BASE
    assert (await door.redeem(found["code"])).status == 200
    again = await door.ask(person.browser, scope="openid read")
    assert "code" in answered(again)


async def test_a_refused_consent_tells_the_app(door: Door) -> None:
    """access_denied goes back with state; nothing was given."""
    person = await door.person(consent=())
    page = await person.browser.get(f"/oauth/authorize?{urlencode(asked())}")
    found = answered(await to_app(person.browser, await person.browser.submit(page, action="deny", follow=False)))
    assert found["error"] == "access_denied"
    assert found["state"] == "st&te=1 %\u00e9"
    async with door.world.read() as reader:
        assert await consents.given(reader, person.account, ClientId("shop")) == frozenset()
    assert len(await door.facts("consents.consent_refused")) == 1


async def test_the_way_back_belongs_to_one_browser_and_works_once(door: Door) -> None:
    """Another browser, or a second visit, gets a page and no code."""
    person = await door.person(consent=())
    page = await person.browser.get(f"/oauth/authorize?{urlencode(asked())}")
    goes = await person.browser.submit(page, action="allow", follow=False)
    assert urlsplit(goes.location).path == "/oauth/authorize/resume"
    thief = await door.browser().get(goes.location, follow=False)
    assert thief.status == 404
    assert "code" in answered(await person.browser.get(goes.location, follow=False))
    assert (await person.browser.get(goes.location, follow=False)).status == 404


async def test_what_changed_during_a_journey_is_looked_at_again(door: Door) -> None:
    """The client lost a scope, the session ended, or the client is gone: the answer says so."""
    person = await door.person(consent=())
    page = await person.browser.get(f"/oauth/authorize?{urlencode(asked(scope='openid read'))}")
    goes = await person.browser.submit(page, action="allow", follow=False)
    async with door.world.work() as work:
        client = await clients.find(work, ClientId("shop"))
        assert client
        await clients.save(work, _without_scope(client, "read"), dev=True)
    assert answered(await person.browser.get(goes.location, follow=False))["error"] == "invalid_scope"
    page = await person.browser.get(f"/oauth/authorize?{urlencode(asked(scope='openid profile'))}")
    goes = await person.browser.submit(page, action="allow", follow=False)
    assert person.session
    async with door.world.work() as work:
        await sessions.end(work, person.session, sessions.EndReason.REVOKED)
    assert answered(await person.browser.get(goes.location, follow=False))["error"] == "login_required"


def _without_scope(client: clients.Client, scope: str) -> clients.Client:
    return replace(client, scopes=tuple(one for one in client.scopes if one != scope))


async def test_a_session_of_one_tenant_is_nobody_in_another(door: Door) -> None:
    """The cookie is named after its tenant and its secret is looked up there; the rival asks for a sign-in."""
    person = await door.person()
    assert answered(await door.ask(person.browser, base=RIVAL, prompt="none"))["error"] == "login_required"
    value = person.browser.cookie("lmn_s_acme")
    assert value
    stolen = await door.browser().get(
        f"{RIVAL}/oauth/authorize?{urlencode(asked(prompt='none'))}", headers={"cookie": f"lmn_s_rival=rival.{value.partition('.')[2]}"}, follow=False
    )
    assert answered(stolen)["error"] == "login_required"


async def test_codes_carry_what_the_session_is_now(door: Door) -> None:
    """acr, amr and auth_time of the tokens are the session's, not the request's."""
    person = await door.person(acr="lmn:email", ago=30)
    body = await door.tokens(person)
    claims = jose.peek(body["id_token"]).claims
    assert claims["acr"] == "lmn:email"
    assert int(str(claims["iat"])) - int(str(claims["auth_time"])) >= 30


def test_every_rule_says_where_it_holds() -> None:
    """Each row of the two tables has a name and at least one column."""
    assert len({name for name, *_ in CHECKS}) == len(CHECKS)
    assert len({name for name, *_ in RULES}) == len(RULES)
    assert all(row[-1] for row in CHECKS)
    assert all(row[-1] & (Entry.AUTHORIZE | Entry.RESUME) for row in RULES)


async def test_the_state_is_optional_and_so_is_the_query_of_the_address(door: Door) -> None:
    """Without state none comes back; an address without a query gets one."""
    person = await door.person()
    answer = await door.ask(person.browser, "spa", state=None)
    assert "state" not in answered(answer)
    assert answer.location.startswith(f"{uri_of('spa')}?code=")


async def test_an_apps_own_notices_are_linked_where_it_asks(door: Door) -> None:
    """OpenID Connect Registration 1.0, 2: `policy_uri` and `tos_uri` are shown to the person, and opened beside the page."""
    await door.change("shop", policy_uri="https://shop.example/privacy", tos_uri="https://shop.example/terms")
    person = await door.person(consent=())
    page = await person.browser.get(f"/oauth/authorize?{urlencode(asked())}")
    assert {"https://shop.example/privacy", "https://shop.example/terms"} <= set(page.links())
    assert "Privacy notice of The Shop" in page.words


async def test_terms_of_the_tenants_are_asked_for_on_the_way_to_an_app(door: Door) -> None:
    """A session from before they changed is not enough: a page asks, a silent question is told so, and after her yes the app gets its code."""
    person = await door.person()
    await door.set("consents", terms_version="2", terms_url="https://acme.example/terms")
    silent = await person.browser.get(f"/oauth/authorize?{urlencode(asked(prompt='none'))}", follow=False)
    assert "error=interaction_required" in silent.location
    page = await person.browser.get(f"/oauth/authorize?{urlencode(asked())}")
    assert page.forms()[0].fields["step"] == "consents.terms"
    answer = await person.browser.submit(page, action="allow")
    assert "code=" in answer.location, answer.words
    again = await person.browser.get(f"/oauth/authorize?{urlencode(asked(prompt='none'))}", follow=False)
    assert "code=" in again.location
