"""Who mistypes her address is asked whether she meant another, and nobody is held up by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.modules.signup.model import MAIL_DOMAINS, meant
from limen.modules.signup.settings import Tenant
from tests.journeys.conftest import Town, clock, step_of, town
from tests.rig.asgi import Answer, Client

__all__ = ["clock", "town"]

pytestmark = pytest.mark.anyio


async def code_page(browser: Client, address: str) -> Answer:
    """Go as far as the page that asks for the code of a sign-up."""
    page = await browser.submit(await browser.get("/signup"), {"identifier": address})
    assert step_of(page) == "signup.prove"
    return page


async def test_the_suggestion_is_one_button_away(town: Town) -> None:
    """The next page asks; the button sends a code to the other address, which is the one that is proved."""
    browser = town.browser()
    page = await code_page(browser, "ada@gmial.com")
    assert "Did you mean ada@gmail.com ?" in page.words
    page = await browser.submit(page, action="meant")
    assert step_of(page) == "signup.prove"
    assert "ada@gmail.com" in page.words
    assert "Did you mean" not in page.words
    page = await browser.submit(page, {"code": await town.code("ada@gmail.com")})
    assert step_of(page) == "signup.password"
    assert "ada@gmail.com" in page.words


async def test_whoever_meant_what_she_typed_goes_on(town: Town) -> None:
    """The code went to the address as typed, and works; pressing Enter in its field does not take the suggestion."""
    browser = town.browser()
    page = await code_page(browser, "ada@gmial.com")
    form = next(form for form in page.forms() if "code" in form.fields)
    assert form.buttons[0] == ("action", "continue")
    page = await browser.submit(page, {"code": await town.code("ada@gmial.com")})
    assert step_of(page) == "signup.password"


async def test_a_tenant_knows_where_its_people_have_their_mail(town: Town) -> None:
    """`mail_domains` are suggested too, and are never taken for slips themselves."""
    browser = town.browser()
    assert "Did you mean" not in (await code_page(browser, "ada@exampel-works.de")).words
    await town.set(signup={"mail_domains": ["example-works.de", "gmai.com"]})
    browser = town.browser()
    assert "Did you mean ada@example-works.de ?" in (await code_page(browser, "ada@exampel-works.de")).words
    assert "Did you mean" not in (await code_page(town.browser(), "ada@gmai.com")).words


async def test_a_button_that_was_not_there_leads_back_to_the_address(town: Town) -> None:
    """Who posts it all the same is asked for an address, and nothing is sent anywhere."""
    browser = town.browser()
    page = await code_page(browser, "ada@example.com")
    form = page.forms()[0]
    page = await browser.post(page.url, form={**form.fields, "action": "meant"}, headers={"origin": "null", "sec-fetch-site": "same-origin"})
    assert step_of(page) == "signup.identify"


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        *(("gmial.com", "gmail.com"), ("gmai.com", "gmail.com"), ("gmaill.com", "gmail.com"), ("gnail.com", "gmail.com"), ("gmail.co", "gmail.com")),
        *(("hotmial.com", "hotmail.com"), ("outlok.de", "outlook.de"), ("t-onlne.de", "t-online.de"), ("yahooo.com", "yahoo.com"), ("iclod.com", "icloud.com")),
    ],
)
def test_one_slip_in_a_common_domain_is_seen(typed: str, right: str) -> None:
    """A letter wrong, missing, too many, or two changed about."""
    assert meant(f"ada@{typed}") == f"ada@{right}"


@pytest.mark.parametrize(
    "domain", ["gmail.com", "mail.com", "ymail.com", "gmx.net", "example.com", "we.com", "web.dk", "gmaail.cm", "acme.example", "xn--gml-hoa.com"]
)
def test_what_is_right_or_far_away_is_left_alone(domain: str) -> None:
    """Two slips are no slip, a common domain is none of another, and short domains have neighbours of their own."""
    assert meant(f"ada@{domain}") is None


@given(st.sampled_from(MAIL_DOMAINS), st.text("abcdefghijklmnopqrstuvwxyz.-", max_size=14))
def test_a_suggestion_is_always_another_known_domain(domain: str, noise: str) -> None:
    """Whatever was typed: the local part stays, the domain is one of the list and not the one typed."""
    assert meant(f"a.b+c@{domain}") is None
    found = meant(f"a.b+c@{noise}")
    assert found is None or (found.startswith("a.b+c@") and found.removeprefix("a.b+c@") in MAIL_DOMAINS and not found.endswith(f"@{noise}"))


@pytest.mark.parametrize("domain", ["", "nodot", "Gmail.com", "gmäil.com", "a@b.com", "https://a.com"])
def test_a_domain_is_written_as_mail_goes_there(domain: str) -> None:
    """In ASCII and lower case, with a dot."""
    with pytest.raises(ValueError, match="mail_domains"):
        Tenant(mail_domains=(domain,))
