"""The first page of a sign-in: the address and, where the tenant's first method allows, the password beside it."""

from __future__ import annotations

import pytest

from tests.journeys.conftest import ADA, PASSWORD, Town, plain, step_of
from tests.journeys.test_signing_in import current
from tests.journeys.test_telling_nothing import people

pytestmark = pytest.mark.anyio


async def test_one_page_signs_in(town: Town) -> None:
    """Address and password sent together open a session; one attempt is counted and one proof recorded."""
    account = await town.account()
    browser = town.browser()
    page = await browser.submit(await browser.get("/signin"), {"identifier": "Ada@Example.com ", "password": PASSWORD})
    assert page.url.endswith("/account")
    session = await current(town, browser)
    assert session is not None
    assert (session.account, session.amr) == (account, ("pwd",))
    assert len(await town.facts("factors.factor_passed")) == 1


async def test_a_wrong_password_asks_for_it_alone(town: Town) -> None:
    """What was typed as address stays, what was typed as password is not shown again, and the right one then signs in."""
    await town.account()
    browser = town.browser()
    page = await browser.submit(await browser.get("/signin"), {"identifier": ADA, "password": "not her password at all"})
    assert step_of(page) == "signin.prove"
    assert "The address and the password do not fit together" in page.words
    assert ADA in page.text
    assert "not her password" not in page.text
    page = await browser.submit(page, {"password": PASSWORD})
    assert page.url.endswith("/account")
    assert [fact.data["failures"] for fact in await town.facts("factors.factor_failed")] == [1]


async def test_an_address_alone_leads_to_the_password(town: Town) -> None:
    """Whoever fills in only the address is asked for the password next, and nothing is counted."""
    await town.account()
    browser = town.browser()
    page = await browser.submit(await browser.get("/signin"), {"identifier": ADA})
    assert step_of(page) == "signin.prove"
    assert await town.facts("factors.factor_failed") == []


async def test_what_is_no_address_is_said_before_anything_is_checked(town: Town) -> None:
    """The same page again with the mistake beside the field; no attempt is made with the password."""
    browser = town.browser()
    page = await browser.submit(await browser.get("/signin"), {"identifier": "ada at example", "password": PASSWORD})
    assert step_of(page) == "signin.identify"
    assert "This does not look like an e-mail address" in page.words
    assert PASSWORD not in page.text
    assert await town.facts("factors.factor_failed") == []


async def test_another_method_is_one_button_away(town: Town) -> None:
    """The code by e-mail is sent at once, whatever stands in the password field."""
    await town.account()
    browser = town.browser()
    page = await browser.submit(await browser.get("/signin"), {"identifier": ADA, "password": "half a pass"}, action="email_code")
    assert step_of(page) == "signin.prove"
    page = await browser.submit(page, {"code": await town.code()})
    assert page.url.endswith("/account")
    assert await town.facts("factors.factor_failed") == []


async def test_a_code_is_not_asked_for_beside_the_address(town: Town) -> None:
    """Where the tenant's first method sends something, the first page asks for the address alone."""
    await town.set(signin={"methods": ["email_code", "password"]})
    page = await town.browser().get("/signin")
    assert {"password", "code"}.isdisjoint(page.forms()[0].inputs)


async def test_it_says_the_same_to_everybody(town: Town) -> None:
    """Seven wrong passwords from the first page: the same words for every sort of address, byte for byte."""
    await people(town)
    seen = []
    for address in (ADA, "eve@example.com", "sue@example.com", "clo@example.com", "nobody@example.com"):
        walk = []
        for _ in range(7):
            browser = town.browser()
            page = await browser.submit(await browser.get("/signin"), {"identifier": address, "password": "a guess of the thief"})
            walk.append((page.status, page.url.partition("?")[0], plain(page).replace(address, "-")))
        seen.append(walk)
    for other in seen[1:]:
        assert other == seen[0]


async def test_a_printed_page_is_each_visitors_own(town: Town) -> None:
    """The page is drawn once for everybody, yet each has her own journey, form token and nonce; no visitor's address stands on another's."""
    await town.account()
    first, second = town.browser(), town.browser()
    one, two = await first.get("/signin"), await second.get("/signin")
    assert plain(one) == plain(two)
    for name in ("journey", "csrf"):
        assert one.forms()[0].fields[name] != two.forms()[0].fields[name]
    await first.submit(one, {"identifier": "not an address"})
    assert "not an address" in (await first.get(one.url)).text
    assert "not an address" not in (await second.get(two.url)).text
    assert (await first.get(one.url)).headers["content-security-policy"] != one.headers["content-security-policy"]
