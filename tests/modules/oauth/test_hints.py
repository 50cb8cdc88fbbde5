"""Whom an app expects: `id_token_hint` means that person and nobody else, `login_hint` only suggests (OpenID Connect Core 1.0, 3.1.2.1)."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import pytest

from limen.kernel.ids import ClientId
from limen.modules import clients, sessions
from limen.platform.wire import jose
from tests.journeys.conftest import step_of
from tests.modules.oauth.conftest import Door, Person, answered, asked, to_app
from tests.modules.oauth.test_ways import code_sent
from tests.rig.asgi import Answer, Client

pytestmark = pytest.mark.anyio

ADA, BOB = "ada1@example.com", "ada2@example.com"


async def two(door: Door) -> tuple[Person, Person, str]:
    """Return two people who are signed in, each in her browser, and an ID token about the second."""
    ada, bob = await door.person(), await door.person()
    return ada, bob, (await door.tokens(bob))["id_token"]


async def opened(browser: Client, **changes: str) -> Answer:
    """Send an authorization request and follow to the page that it leads to."""
    return await browser.get(f"/oauth/authorize?{urlencode(asked(**changes))}")


async def signs_in(door: Door, browser: Client, page: Answer, address: str) -> Answer:
    """Sign in by a code from the first page of a sign-in; return the first answer that leaves for the app, or the page it ends at."""
    assert step_of(page) == "signin.identify", page.words
    page = await browser.submit(page, {"identifier": address})
    page = await browser.submit(page, action="email_code")
    return await to_app(browser, await browser.submit(page, {"code": await code_sent(door, address)}, follow=False))


async def session_of(door: Door, person: Person) -> sessions.Session | None:
    """Return the session whose cookie the person's browser has now."""
    cookie = person.browser.cookie("lmn_s_acme")
    async with door.world.read() as read:
        return await sessions.by_secret(read, cookie.removeprefix("acme.")) if cookie else None


async def test_a_hint_at_another_account_leads_to_signing_in_with_it(door: Door) -> None:
    """The session that is there is not used; the page says whom the app expects; signed in as her, the app gets a code about her."""
    ada, bob, hint = await two(door)
    page = await opened(ada.browser, id_token_hint=hint)
    assert "The Shop expects the account that you used there before" in page.words
    assert "Another account is signed in here" in page.words
    found = answered(await signs_in(door, ada.browser, page, BOB))
    claims = jose.peek((await door.redeem(found["code"])).json()["id_token"]).claims
    assert claims["sub"] == bob.account
    assert [fact.data["reason"] for fact in await door.facts("sessions.session_ended")] == ["replaced"]


async def test_whoever_signs_in_as_somebody_else_goes_back_with_an_error(door: Door) -> None:
    """login_required for the app, written down with its reason; the session that was there is still there, and no other was opened."""
    ada, _, hint = await two(door)
    before = len(await door.facts("sessions.session_opened"))
    page = await opened(ada.browser, id_token_hint=hint)
    found = answered(await signs_in(door, ada.browser, page, ADA))
    assert (found["error"], found["state"]) == ("login_required", "st&te=1 %\u00e9")
    assert "Another person" in found["error_description"]
    session = await session_of(door, ada)
    assert session is not None
    assert session.id == ada.session
    assert len(await door.facts("sessions.session_opened")) == before
    assert [fact.data["reason"] for fact in await door.facts("signin.sign_in_refused")] == ["another_account_expected"]


async def test_whoever_makes_a_new_account_is_not_the_one_expected(door: Door) -> None:
    """From the page to sign-up: the account is made, and the app is told that it is not hers that it asked for; nobody is asked for consent."""
    _, _, hint = await two(door)
    browser = door.browser()
    page = await browser.submit(await opened(browser, id_token_hint=hint), action="create")
    page = await browser.submit(page, {"identifier": "new@example.com"})
    page = await browser.submit(page, {"code": await code_sent(door, "new@example.com")})
    found = answered(await to_app(browser, await browser.submit(page, {"new_password": "four grey geese dance"}, follow=False)))
    assert found["error"] == "login_required"


async def test_the_address_is_shown_only_where_it_was_used_before(door: Door) -> None:
    """An ID token need not hold the address, so the page does not tell it to whoever has one: only a browser that signed the account in sees it."""
    ada, _, hint = await two(door)
    for browser in (door.browser(), ada.browser):
        page = await opened(browser, id_token_hint=hint)
        assert BOB not in page.text
        assert "expects the account that you used there before" in page.words
    known = door.browser()
    await signs_in(door, known, await opened(known, prompt="login"), BOB)
    del known.jar["localhost"]["lmn_s_acme"]
    page = await opened(known, id_token_hint=hint)
    assert f"The Shop expects the account {BOB}" in page.words
    assert page.forms()[0].fields["identifier"] == BOB
    assert "Another account is signed in here" not in page.words


async def test_a_hint_at_whoever_is_signed_in_asks_nothing(door: Door) -> None:
    """Her own ID token leads straight back; with prompt=login she is asked for her proof and not for her address."""
    _, bob, hint = await two(door)
    assert "code" in answered(await door.ask(bob.browser, id_token_hint=hint))
    page = await opened(bob.browser, id_token_hint=hint, prompt="login")
    assert step_of(page) == "signin.prove"
    assert "expects" not in page.words


async def test_select_account_does_not_offer_the_wrong_one(door: Door) -> None:
    """Whoever is signed in as somebody else than the one hinted at is not asked whether to go on so."""
    ada, _, hint = await two(door)
    assert step_of(await opened(ada.browser, id_token_hint=hint, prompt="select_account")) == "signin.identify"


async def test_a_login_hint_at_another_account_is_said_and_not_enforced(door: Door) -> None:
    """The page says whom the app means and fills the field; nobody is silently taken for her. Whoever else signs in is told of truly."""
    ada, _, _ = await two(door)
    page = await opened(ada.browser, login_hint=BOB)
    assert f"The Shop expects the account {BOB}" in page.words
    assert "Another account is signed in here" in page.words
    assert page.forms()[0].fields["identifier"] == BOB
    found = answered(await signs_in(door, ada.browser, page, ADA))
    claims = jose.peek((await door.redeem(found["code"])).json()["id_token"]).claims
    assert claims["sub"] == ada.account


@pytest.mark.parametrize("hint", ["<b>bold</b>", "ada", "+4930123456", "ada1@example.com"])
async def test_a_login_hint_that_is_nobody_elses_address_says_nothing(door: Door, hint: str) -> None:
    """What cannot be an address here, or is her own, keeps nobody from going on as she is."""
    ada, _, _ = await two(door)
    assert "code" in answered(await door.ask(ada.browser, login_hint=hint))


async def test_another_apps_hint_names_the_same_person(door: Door) -> None:
    """Whichever app of the tenant got the ID token, it names the person; a client that is gone by now does not matter."""
    ada, bob = await door.person(), await door.person()
    hint = (await door.tokens(bob, "spa"))["id_token"]
    async with door.world.work() as work:
        spa = await clients.take(work, ClientId("spa"))
        await clients.save(work, replace(spa, name="Gone"), dev=True)
        await clients.drop(work, spa.id)
    assert answered(await door.ask(ada.browser, id_token_hint=hint, prompt="none"))["error"] == "login_required"
    assert "code" in answered(await door.ask(bob.browser, id_token_hint=hint, prompt="none"))


async def test_a_subject_or_a_class_that_is_claimed_is_had_or_refused(door: Door) -> None:
    """OpenID Connect Core 1.0, 3.1.2.2 (4), 5.5.1 and 5.5.1.1: `sub` with a value is that person, an essential `acr` one of its values; else an error."""
    ada, bob, _ = await two(door)

    async def claiming(**wanted: object) -> dict[str, str]:
        return answered(await door.ask(ada.browser, prompt="none", claims=json.dumps({"id_token": wanted})))

    assert "code" in await claiming(sub={"value": ada.account})
    assert (await claiming(sub={"value": bob.account}))["error"] == "login_required"
    assert (await claiming(acr={"essential": True, "values": ["aal2"]}))["error"] == "unmet_authentication_requirements"
    found = await claiming(acr={"essential": True, "values": ["aal2", "aal1"]})
    assert jose.peek((await door.redeem(found["code"])).json()["id_token"]).claims["acr"] == "aal1"


async def test_the_words_are_there_in_every_language(door: Door) -> None:
    """The notice is said in the person's language, right to left too."""
    ada, _, hint = await two(door)
    for language, words in (("de", "erwartet das Konto"), ("ar", "ينتظر")):
        page = await opened(ada.browser, id_token_hint=hint, ui_locales=language)
        assert urlsplit(page.url).path == "/signin"
        assert words in page.words


async def test_an_app_nobody_let_in_does_not_find_out_whose_address_it_is(door: Door) -> None:
    """With prompt=none a right `login_hint` and a wrong one are answered alike, until the person has let the app in."""
    stranger = await door.person(consent=())
    answers = [answered(await door.ask(stranger.browser, prompt="none", login_hint=address)) for address in (ADA, "nobody@example.com")]
    assert answers[0] == answers[1]
    assert answers[0]["error"] == "consent_required"
