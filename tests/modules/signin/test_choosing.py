"""Several accounts in one browser: which one goes on, and which are to be forgotten here."""

from __future__ import annotations

import pytest

from limen.modules.journey import Ask
from tests.journeys.conftest import ADA, PASSWORD, Town, clock, step_of, town
from tests.journeys.test_signing_in import BOB, asked, sign_in
from tests.rig.asgi import Answer, Client

__all__ = ["clock", "town"]

pytestmark = pytest.mark.anyio

CHOOSE = Ask(prompt=frozenset({"select_account"}))


async def shared(town: Town) -> Client:
    """A browser in which Ada signed in and out, and then Bob, who still is."""
    await town.account()
    await town.account(BOB)
    browser = town.browser()
    await browser.submit(await sign_in(browser), action="signout")
    await sign_in(browser, BOB)
    return browser


async def choices(town: Town, browser: Client) -> Answer:
    """Open the page on which she chooses."""
    page = await browser.get(await asked(town, browser, CHOOSE))
    assert step_of(page) == "signin.select_account", page.words
    return page


async def test_an_account_used_before_is_one_button_and_its_proof_away(town: Town) -> None:
    """Choosing it asks for its password and for nothing else; the other one's session is over then."""
    browser = await shared(town)
    page = await choices(town, browser)
    assert {ADA, BOB} <= set(page.words.split())
    page = await browser.submit(page, action="use")
    assert step_of(page) == "signin.prove"
    assert ADA in page.words
    page = await browser.submit(page, {"password": PASSWORD})
    assert page.url.endswith("/account")
    assert ADA in page.words


async def test_after_signing_out_the_accounts_are_still_there_to_choose(town: Town) -> None:
    """Nobody is signed in: the page offers those used before, last one first, and to use another."""
    browser = await shared(town)
    await browser.submit(await browser.get("/account"), action="signout")
    page = await choices(town, browser)
    assert page.words.index(BOB) < page.words.index(ADA)
    assert "Continue with this account" not in page.words
    assert step_of(await browser.submit(page, action="another")) == "signin.identify"


async def test_an_account_that_is_removed_is_forgotten_here_alone(town: Town) -> None:
    """It is off the list and out of the cookie; it can still be signed in to, and stands on another browser's list."""
    browser = await shared(town)
    other = town.browser()
    await browser.submit(await browser.get("/account"), action="signout")
    await sign_in(other)
    page = await choices(town, browser)
    page = await _press(browser, page, 1, "forget")
    assert "does not remember the account any more" in page.words
    assert ADA not in page.words
    assert BOB in page.words
    page = await choices(town, browser)
    assert ADA not in page.words
    page = await _press(browser, page, 0, "forget")
    assert step_of(page) == "signin.identify"
    page = await browser.submit(page, {"identifier": ADA, "password": PASSWORD})
    assert page.url.endswith("/account")
    await other.submit(await other.get("/account"), action="signout")
    assert ADA in (await choices(town, other)).words


async def _press(browser: Client, page: Answer, form: int, action: str) -> Answer:
    fields = {**page.forms()[form].fields, "action": action}
    return await browser.post(page.url, form=fields, headers={"origin": "null", "sec-fetch-site": "same-origin"})


async def test_only_what_this_browser_used_can_be_chosen_or_removed(town: Town) -> None:
    """Another account's id in the form tells nothing of it and forgets nothing: she is asked who she is."""
    browser = await shared(town)
    stranger = await town.account("eve@example.com")
    for action in ("use", "forget"):
        page = await choices(town, browser)
        fields = {**page.forms()[0].fields, "account": stranger, "action": action}
        page = await browser.post(page.url, form=fields, headers={"origin": "null", "sec-fetch-site": "same-origin"})
        assert step_of(page) == "signin.identify"
        assert "eve@example.com" not in page.text
    assert {ADA, BOB} <= set((await choices(town, browser)).words.split())


async def test_a_browser_that_used_none_is_asked_at_once_and_once(town: Town) -> None:
    """Nothing is there to choose, and whoever has signed in has chosen."""
    await town.account()
    browser = town.browser()
    page = await browser.get(await asked(town, browser, CHOOSE))
    assert step_of(page) == "signin.identify"
    page = await browser.submit(page, {"identifier": ADA, "password": PASSWORD})
    assert page.url.endswith("/account")


async def test_a_tenant_whose_people_share_browsers_lists_nobody(town: Town) -> None:
    """With `lists_accounts` off only who is signed in is shown; after signing out, nobody."""
    browser = await shared(town)
    await town.set(signin={"lists_accounts": False})
    page = await choices(town, browser)
    assert BOB in page.words
    assert ADA not in page.text
    await browser.submit(await browser.get("/account"), action="signout")
    assert step_of(await browser.get(await asked(town, browser, CHOOSE))) == "signin.identify"
