"""Parameters of authorization requests (RFC 6749, 3.1 and 4.1.1; OpenID Connect Core 1.0, 3.1.2.1, 3.1.2.2 and 15.1)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from limen.kernel.ids import ClientId
from limen.modules import consents
from limen.platform.wire import jose
from tests.modules.oauth.conftest import BASE, CALLBACK, Door, answered, asked, to_app

pytestmark = pytest.mark.anyio

STATES = [
    "plain",
    "with a space",
    "a+b",
    "%41%2B%zz%",
    "a=b&code=c&iss=evil#fragment?x",
    "line\r\nSet-Cookie: a=b\n\ttab",
    "\u00e9\u4e2d\u0639\u0631\u202e\U0001f600",
    "'\"><script>alert(1)</script>\\",
    json.dumps({"to": "/cart?x=1&y=2", "n": [1, None]}),
    "eyJhbGciOiJub25lIn0.e30.",
    " ",
    "\x7f\x1b\x01",
    "x" * 6000,
]


async def test_state_comes_back_letter_by_letter(door: Door) -> None:
    """RFC 6749, 4.1.2: the exact value, in answers and in errors, by GET and by POST."""
    person = await door.person()
    for state in STATES:
        assert answered(await door.ask(person.browser, state=state))["state"] == state
        assert answered(await door.ask(person.browser, state=state, scope="admin"))["state"] == state
        posted = await person.browser.post("/oauth/authorize", form=asked(state=state), cross_site=True, follow=False)
        assert answered(await person.browser.get(posted.location, follow=False))["state"] == state


async def test_state_and_nonce_survive_a_journey(door: Door) -> None:
    """They wait sealed while the person is asked, and come out as they went in."""
    odd = '\u00e9 +%\n"&=\U0001f600'
    person = await door.person(consent=())
    page = await person.browser.get(f"/oauth/authorize?{urlencode(asked(state=odd, nonce=odd))}")
    found = answered(await to_app(person.browser, await person.browser.submit(page, action="allow", follow=False)))
    assert found["state"] == odd
    assert jose.peek((await door.redeem(found["code"])).json()["id_token"]).claims["nonce"] == odd


async def test_what_is_not_known_is_ignored(door: Door) -> None:
    """RFC 6749, 3.1; OpenID Connect Core 1.0, 15.1: display, locales, voluntary claims, acr_values and parameters of others' are no error."""
    person = await door.person()
    wishes: list[dict[str, Any]] = [
        *({"display": one} for one in ("page", "popup", "touch", "wap", "hologram")),
        {"ui_locales": "xx-Klingon fr-CA de"},
        {"ui_locales": "';--"},
        {"claims_locales": "de fr"},
        {"claims": json.dumps({"id_token": {"acr": {"essential": True}}})},
        {"acr_values": "urn:mace:incommon:iap:silver urn:mace:incommon:iap:bronze"},
        {"extra": "value", "x-y": ""},
        {"max_age": "10000"},
        {"login_hint": "not an address"},
    ]
    for wish in wishes:
        found = answered(await door.ask(person.browser, prompt="none", **wish))
        assert "code" in found, (wish, found)
        assert (await door.redeem(found["code"])).status == 200


async def test_the_order_of_scopes_says_nothing(door: Door) -> None:
    """`openid` may stand anywhere, and a scope named twice is named once."""
    person = await door.person()
    body = await door.tokens(person, scope="email  profile openid email")
    assert body["scope"] == "email profile openid"
    assert "id_token" in body
    (issued,) = await door.facts("oauth.code_issued")
    assert issued.data["scope"] == "email profile openid"


async def test_without_openid_it_is_oauth(door: Door) -> None:
    """OpenID Connect Core 1.0, 3.1.2.1: no ID token, and userinfo refuses; the rest goes on."""
    person = await door.person()
    body = await door.tokens(person, scope="read")
    assert "id_token" not in body
    assert (await door.userinfo(body["access_token"])).status == 403


async def test_a_scope_without_consent_is_not_smuggled_in(door: Door) -> None:
    """Scopes are case-sensitive words: another case, a comma or a part of one is another scope, and unknown."""
    person = await door.person()
    for scope in ("OPENID", "openid,email", "openid rea", "openid read*", "openid\x00"):
        answer = await door.ask(person.browser, scope=scope)
        if "\x00" in scope:
            assert answer.status == 400
        else:
            assert answered(answer)["error"] == "invalid_scope", scope


async def test_several_prompts_are_all_heeded(door: Door) -> None:
    """`login consent` asks for both, one after the other; `create` leads to sign-up whatever stands beside it."""
    person = await door.person()
    for prompt, path in (("login consent", "/signin"), ("select_account consent", "/signin"), ("create login", "/signup"), ("consent consent", "/consent")):
        page = await person.browser.get(f"/oauth/authorize?{urlencode(asked(prompt=prompt))}")
        assert (page.status, urlsplit(page.url).path) == (200, path), prompt
    page = await person.browser.get(f"/oauth/authorize?{urlencode(asked(prompt='select_account consent'))}")
    page = await person.browser.submit(page, action="continue")
    assert urlsplit(page.url).path == "/consent"


async def test_a_consent_withdrawn_on_the_way_gives_no_code(door: Door) -> None:
    """Between the person's yes and the way back she took it back: the app hears that it has no consent."""
    person = await door.person(consent=())
    page = await person.browser.get(f"/oauth/authorize?{urlencode(asked())}")
    goes = await person.browser.submit(page, action="allow", follow=False)
    async with door.world.work() as work:
        await consents.withdraw(work, person.account, ClientId("shop"))
    found = answered(await person.browser.get(goes.location, follow=False))
    assert (found["error"], found["iss"]) == ("consent_required", BASE)


async def test_two_requests_of_one_browser_do_not_meet(door: Door) -> None:
    """Two tabs: each ends with its own state and nonce at its own app."""
    person = await door.person(consent=())
    one = await person.browser.get(f"/oauth/authorize?{urlencode(asked(state='one', nonce='first'))}")
    two = await person.browser.get(f"/oauth/authorize?{urlencode(asked('spa', state='two', nonce='second'))}")
    second = answered(await to_app(person.browser, await person.browser.submit(two, action="allow", follow=False)))
    first = answered(await to_app(person.browser, await person.browser.submit(one, action="allow", follow=False)))
    assert (first["state"], second["state"]) == ("one", "two")
    for found, client, nonce in ((first, "shop", "first"), (second, "spa", "second")):
        assert jose.peek((await door.redeem(found["code"], client)).json()["id_token"]).claims["nonce"] == nonce


async def test_an_answer_goes_by_303_and_tells_no_referrer(door: Door) -> None:
    """RFC 9700, 4.12 and 4.2: no 307 that would repeat a POST, no referrer, nothing kept."""
    person = await door.person()
    for answer in (await door.ask(person.browser), await door.ask(person.browser, scope="admin"), await door.ask(door.browser())):
        assert answer.status == 303
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
    assert (await door.ask(person.browser)).location.startswith(CALLBACK)
