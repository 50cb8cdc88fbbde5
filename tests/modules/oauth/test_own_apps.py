"""Apps of the operator's own (`consent = "none"`): nobody is asked, and it is known all the same what they have."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from limen.kernel.ids import ClientId
from limen.modules import clients, consents
from limen.modules.clients import ConsentRule
from tests.modules.oauth.conftest import Door, answered, asked, to_app
from tests.modules.oauth.test_ways import PASSWORD, code_sent

pytestmark = pytest.mark.anyio

SHOP = ClientId("shop")


async def trust(door: Door, rule: ConsentRule = ConsentRule.NONE) -> None:
    """Set whether people are asked before the shop gets what it wants."""
    async with door.world.work() as work:
        await clients.save(work, replace(await clients.take(work, SHOP), consent=rule), dev=True)


async def test_an_own_app_gets_its_code_at_once_and_it_is_written_down(door: Door) -> None:
    """Nobody is asked, with prompt=none neither; the consent stands as implied, the log says so once, and the code gives tokens."""
    await trust(door)
    person = await door.person(consent=())
    found = answered(await door.ask(person.browser, prompt="none", scope="openid email"))
    assert (await door.redeem(found["code"])).status == 200
    async with door.world.read() as reader:
        assert {(one.scope, one.implied) for one in await consents.list_of(reader, person.account)} == {("openid", True), ("email", True)}
    await door.code(person, scope="openid email")
    told = [fact.data for fact in await door.facts("consents.consent_given")]
    assert told == [{"client": "shop", "scopes": ["email", "openid"], "implied": True}]


async def test_whoever_signs_up_for_an_own_app_is_not_asked(door: Door) -> None:
    """From the app through sign-up and straight back to it."""
    await trust(door)
    browser = door.browser()
    page = await browser.get(f"/oauth/authorize?{urlencode(asked(prompt='create'))}")
    page = await browser.submit(page, {"identifier": "eve@example.com"})
    page = await browser.submit(page, {"code": await code_sent(door, "eve@example.com")})
    assert "code" in answered(await to_app(browser, await browser.submit(page, {"new_password": PASSWORD}, follow=False)))


async def test_prompt_consent_asks_for_an_own_app_too(door: Door) -> None:
    """The page lets its form lead to the app; no is a no, and yes is remembered as hers."""
    await trust(door)
    person = await door.person(consent=())
    for action, word in (("deny", "error"), ("allow", "code")):
        page = await person.browser.get(f"/oauth/authorize?{urlencode(asked(prompt='consent', scope='openid'))}")
        assert urlsplit(page.url).path == "/consent"
        assert "form-action 'self' https://shop.example" in page.headers["content-security-policy"]
        assert word in answered(await to_app(person.browser, await person.browser.submit(page, action=action, follow=False)))
    async with door.world.read() as reader:
        assert [(one.scope, one.implied) for one in await consents.list_of(reader, person.account)] == [("openid", False)]


async def test_an_app_that_has_to_ask_again_asks_for_what_it_had_without(door: Door) -> None:
    """What the operator gave counts only while she gives it; what the person allowed stays allowed."""
    await trust(door)
    person = await door.person(consent=("openid",))
    await door.code(person, scope="openid email")
    await trust(door, ConsentRule.ASK)
    assert answered(await door.ask(person.browser, prompt="none", scope="openid email"))["error"] == "consent_required"
    assert "code" in answered(await door.ask(person.browser, prompt="none", scope="openid"))


async def test_the_portal_lists_an_own_app_and_takes_its_access(door: Door) -> None:
    """It stands there as one that did not ask; removed, its tokens are dead, and its next visit starts anew."""
    await trust(door)
    person = await door.person(consent=())
    tokens = await door.tokens(person)
    page = await person.browser.get("/account/apps")
    assert "The Shop" in page.words
    assert "belongs to" in page.words
    assert "allowed on" not in page.words
    await person.browser.submit(page, action="remove")
    assert (await door.userinfo(tokens["access_token"])).status == 401
    assert (await door.refresh(tokens["refresh_token"])).status == 400
    assert "code" in answered(await door.ask(person.browser, prompt="none"))


async def test_access_taken_back_before_the_code_is_used_gives_nothing(door: Door) -> None:
    """Between code and tokens the person's word still counts, whoever had to ask."""
    await trust(door)
    person = await door.person(consent=())
    code = await door.code(person)
    async with door.world.work() as work:
        await consents.withdraw(work, person.account, SHOP)
    refused = await door.redeem(code)
    assert (refused.status, refused.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("consent", [ConsentRule.ASK, ConsentRule.NONE])
async def test_the_way_back_to_the_app_is_the_same(door: Door, consent: ConsentRule) -> None:
    """With and without a question, a sign-in ends at the registered address with code, state and iss."""
    await trust(door, consent)
    person = await door.person(consent=("openid",), ago=10)
    page = await person.browser.get(f"/oauth/authorize?{urlencode(asked(scope='openid', prompt='select_account'))}")
    answer = await to_app(person.browser, await person.browser.submit(page, follow=False))
    assert answer.location.startswith("https://shop.example/callback?from=limen&code=")
    assert set(parse_qs(urlsplit(answer.location).query)) == {"from", "code", "state", "iss"}
