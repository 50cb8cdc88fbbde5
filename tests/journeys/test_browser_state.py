"""The cookie that the session iframe reads: it changes with who is signed in, and says nothing."""

from __future__ import annotations

import pytest

from limen.modules.journey import Ask
from tests.journeys.conftest import Town
from tests.journeys.test_signing_in import BOB, asked, sign_in

pytestmark = pytest.mark.anyio

NAME = "lmn_b_acme"


async def test_it_comes_with_a_session_and_goes_with_it(town: Town) -> None:
    """Scripts of the frame may read it and frames of other sites get it; it is random, and no one else's."""
    await town.account()
    await town.account(BOB)
    browser, other = town.browser(), town.browser()
    page = await sign_in(browser)
    first = browser.cookie(NAME)
    assert first is not None
    secret = browser.cookie("lmn_s_acme")
    assert secret is not None
    assert first.removeprefix("acme.") not in secret
    assert len(first) > 20
    await sign_in(other, BOB)
    assert other.cookie(NAME) != first
    await browser.submit(page, action="signout")
    assert browser.cookie(NAME) is None
    await sign_in(browser)
    assert browser.cookie(NAME) not in (None, first)


async def test_its_flags_are_those_of_no_other_cookie(town: Town) -> None:
    """SameSite=None, Secure, and no HttpOnly; the session's own has the opposite."""
    await town.account()
    browser = town.browser()
    page = await browser.submit(await browser.get("/signin"), {"identifier": "ada@example.com"})
    done = await browser.submit(page, {"password": "four grey geese dance"}, follow=False)
    (state,) = [line for line in done.cookies if line.startswith(f"{NAME}=")]
    assert {"Secure", "SameSite=None", "Path=/"} <= set(state.split("; "))
    assert "HttpOnly" not in state
    (own,) = [line for line in done.cookies if line.startswith("lmn_s_acme=")]
    assert {"HttpOnly", "SameSite=Lax"} <= set(own.split("; "))


async def test_signing_in_again_changes_nothing_and_somebody_else_does(town: Town) -> None:
    """A step-up is the same session to all apps; another account is another."""
    await town.account()
    await town.account(BOB)
    browser = town.browser()
    await sign_in(browser)
    first = browser.cookie(NAME)
    page = await browser.get(await asked(town, browser, Ask(prompt=frozenset({"login"}))))
    await browser.submit(page, {"password": "four grey geese dance"})
    assert browser.cookie(NAME) == first
    page = await browser.get(await asked(town, browser, Ask(prompt=frozenset({"select_account"}))))
    page = await browser.submit(page, action="another")
    page = await browser.submit(page, {"identifier": BOB})
    await browser.submit(page, {"password": "four grey geese dance"})
    assert browser.cookie(NAME) not in (None, first)
