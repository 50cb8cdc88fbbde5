"""What strangers can do to somebody who signs in by codes: make mails, and nothing that keeps her out."""

from __future__ import annotations

import pytest

from limen.modules import factors
from limen.modules.factors import store
from tests.journeys.conftest import ADA, Town, step_of
from tests.journeys.test_signing_in import prove_page
from tests.rig.asgi import Answer, Client

pytestmark = pytest.mark.anyio

REFUSED = "Several codes were sent to this address"
HOME = "198.51.100.7"


def source(number: int) -> str:
    """Return the address of one network of many."""
    return f"203.0.113.{number}"


async def code_asked(browser: Client, address: str = ADA) -> Answer:
    """Ask for a code to sign in with."""
    return await browser.submit(await prove_page(browser, address), action="email_code")


async def guesses(town: Town, page: Answer, browser: Client, tries: int = 5) -> None:
    """Answer a code wrongly as often as it takes answers."""
    right = await town.code()
    for number in range(tries):
        page = await browser.submit(page, {"code": f"{(int(right) + number + 1) % 1_000_000:06d}"})
        assert "not right" in page.words, page.words


async def own(town: Town, address: str = HOME) -> Client:
    """Return a browser that signed her in before by a code, and has no session now."""
    browser = town.browser(address=address)
    page = await browser.submit(await code_asked(browser), {"code": await town.code()})
    assert page.url.endswith("/account"), page.words
    browser.jar["localhost"].pop("lmn_s_acme")
    return browser


async def test_a_hundred_wrong_codes_keep_nobody_out(town: Town) -> None:
    """After a hundred failures of strangers her next code comes to a new browser and lets her in at once; it is longer, and the one after is as before."""
    await town.account(password=None)
    for number in range(20):
        thief = town.browser(address=source(number % 4))
        await guesses(town, await code_asked(thief), thief)
    assert [(fact.data["kind"], fact.data["known_browser"]) for fact in await town.facts("factors.codes_lengthened")] == [("email_code", False)]
    assert await town.facts("factors.factor_closed") == []
    town.world.advance(3601)
    browser = town.browser(address=HOME)
    page = await code_asked(browser)
    code = await town.code()
    assert len(code) == 8
    assert (await browser.submit(page, {"code": code})).url.endswith("/account")
    town.world.advance(3601)
    again = town.browser(address=HOME)
    page = await code_asked(again)
    code = await town.code()
    assert len(code) == 6
    assert (await again.submit(page, {"code": code})).url.endswith("/account")


async def test_wrong_codes_make_nobody_wait(town: Town) -> None:
    """A code has its five tries, one after another; what strangers did before slows no try, so the right one counts whenever it comes."""
    await town.account(password=None)
    for number in range(3):
        thief = town.browser(address=source(number))
        await guesses(town, await code_asked(thief), thief)
    browser = town.browser(address=HOME)
    page = await code_asked(browser)
    await guesses(town, page, browser, 4)
    page = await browser.get(page.url)
    assert (await browser.submit(page, {"code": await town.code()})).url.endswith("/account")


async def test_one_stranger_cannot_use_up_the_codes(town: Town) -> None:
    """Whoever asks again and again from one place has five mails an hour; from another place she still has hers."""
    await town.account(password=None)
    stranger = town.browser(address=source(1))
    page = await code_asked(stranger)
    for _ in range(5):
        page = await stranger.submit(page, action="resend")
    assert REFUSED in page.words
    assert REFUSED in (await code_asked(town.browser(address=source(1)))).words
    assert len(await town.mails()) == 5
    browser = town.browser(address=HOME)
    page = await browser.submit(await code_asked(browser), {"code": await town.code()})
    assert page.url.endswith("/account")


async def test_many_strangers_cannot_use_up_the_codes_of_a_browser_that_is_known(town: Town) -> None:
    """From many places twenty mails an hour and no more; a browser that signed her in before has five of its own, from wherever it asks."""
    await town.account(password=None)
    browser = await own(town)
    town.world.advance(3601)
    for number in range(6):
        stranger = town.browser(address=source(number))
        page = await code_asked(stranger)
        for _ in range(4):
            page = await stranger.submit(page, action="resend")
            await town.mails()
        assert (REFUSED in page.words) is (number >= 4)
    assert len(await town.mails()) == 1 + 20
    page = await code_asked(browser)
    for _ in range(4):
        page = await browser.submit(page, action="resend")
    assert REFUSED not in page.words
    code = await town.code()
    page = await browser.submit(page, action="resend")
    assert REFUSED in page.words
    assert (await browser.submit(page, {"code": code})).url.endswith("/account")


async def test_a_known_browsers_share_is_for_its_own_account(town: Town) -> None:
    """To any other address it is a stranger like all, and so it is with a cookie that was not sealed here."""
    await town.account(password=None)
    await town.account("bob@example.com", None)
    browser = await own(town, source(1))
    town.world.advance(3601)
    page = await code_asked(browser, "bob@example.com")
    for _ in range(4):
        page = await browser.submit(page, action="resend")
    assert REFUSED in (await code_asked(town.browser(address=source(1)), "bob@example.com")).words
    assert REFUSED in (await code_asked(browser, "bob@example.com")).words
    assert REFUSED not in (await code_asked(browser)).words


async def test_nobodys_codes_grow_like_everybodys(town: Town) -> None:
    """To an address without an account the pages stay the same before and after the hundredth failure."""
    await town.account(password=None)
    for address in (ADA, "nobody@example.com"):
        browser = town.browser(address=HOME)
        page = await code_asked(browser, address)
        await town.mails()
        page = await browser.submit(page, {"code": "1"})
    counters = [fact.subject or str(fact.data["unknown"]) for fact in await town.facts("factors.factor_failed")]
    async with town.world.work() as work:
        for counter in counters:
            for _ in range(factors.MOST_FAILURES):
                await store.count_failure(work, "email_code", counter, "")
    said = []
    for address in (ADA, "nobody@example.com"):
        browser = town.browser(address=HOME)
        page = await code_asked(browser, address)
        said.append([page.words.replace(address, "-")])
        await town.mails()
        for _ in range(5):
            page = await browser.submit(page, {"code": "1"})
            said[-1].append(page.words.replace(address, "-"))
        assert step_of(page) == "signin.prove"
    assert said[0] == said[1]
