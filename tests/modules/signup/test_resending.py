"""Another code can be asked for after a moment, and the page says when that is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from limen.modules.signin.settings import Tenant
from tests.journeys.conftest import ADA, Town, clock, step_of, town
from tests.rig.asgi import Answer, Client

__all__ = ["clock", "town"]

pytestmark = pytest.mark.anyio

WAIT = "You can ask for a new code in"


async def code_page(town: Town, browser: Client) -> Answer:
    """Go as far as the page that asks for the code of a sign-up, in a tenant that makes people wait."""
    await town.set(signin={"resend_after": "PT90S"})
    page = await browser.submit(await browser.get("/signup"), {"identifier": ADA})
    assert step_of(page) == "signup.prove"
    return page


async def test_the_page_says_in_how_long_and_the_truth_whenever_it_is_read(town: Town) -> None:
    """Minutes and seconds as of now, without script; when the time is over nothing is said, and a new code is sent."""
    browser = town.browser()
    page = await code_page(town, browser)
    assert f"{WAIT} 1:30 ." in page.words
    assert page.text.count("data-left") == 2, "the line, and the script that counts it down"
    town.world.advance(60)
    page = await browser.get(page.url)
    assert f"{WAIT} 0:30 ." in page.words
    town.world.advance(30)
    page = await browser.get(page.url)
    assert WAIT not in page.words
    assert "data-left" not in page.text
    page = await browser.submit(page, action="resend")
    assert "A new code is on its way" in page.words
    assert f"{WAIT} 1:30 ." in page.words
    assert len(await town.mails()) == 2


async def test_asked_too_soon_no_mail_goes_and_the_code_sent_works(town: Town) -> None:
    """The button is there all the same: pressing it says how long is left, and makes nothing void."""
    browser = town.browser()
    page = await code_page(town, browser)
    code = await town.code()
    town.world.advance(20)
    page = await browser.submit(page, action="resend")
    assert "You can ask for a new one in 1:10." in page.words
    assert len(await town.mails()) == 1
    assert step_of(await browser.submit(page, {"code": code})) == "signup.password"


@pytest.mark.parametrize("start", ["/recover", "/signin"])
async def test_it_holds_wherever_codes_are_asked_for(town: Town, start: str) -> None:
    """Recovery and sign-in by code wait too, the same for an address that nobody has."""
    await town.account()
    await town.set(signin={"methods": ["email_code"], "resend_after": "PT90S"})
    for address in (ADA, "nobody@example.com"):
        browser = town.browser()
        page = await browser.submit(await browser.get(start), {"identifier": address})
        page = await browser.submit(page, action="resend")
        assert "You can ask for a new one in 1:30." in page.words
        town.world.advance(90)
        page = await browser.submit(page, action="resend")
        assert "A new code is on its way" in page.words


async def test_another_address_need_not_wait(town: Town) -> None:
    """Who corrects her address gets a code at once."""
    browser = town.browser()
    page = await code_page(town, browser)
    page = await browser.submit(page, action="another")
    page = await browser.submit(page, {"identifier": "ada@example.org"})
    assert await town.code("ada@example.org")


def test_nobody_waits_longer_than_a_code_lives() -> None:
    """Ten minutes at most."""
    with pytest.raises(ValueError, match="resend_after"):
        Tenant(resend_after=timedelta(minutes=11))
