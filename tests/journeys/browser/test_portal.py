"""What a customer does on her own pages, in real Chromium."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime

import pytest
from playwright.async_api import expect

from limen.extensions.factors.totp import hotp, step_of
from tests.journeys.browser.conftest import PASSWORD, Demo, Visitor
from tests.rig.browser import PHONE, OpenTab

pytestmark = [pytest.mark.slow, pytest.mark.anyio, pytest.mark.xdist_group("demo")]


async def test_the_profile_is_corrected_and_saved(demo: Demo, tab: OpenTab) -> None:
    """Mistakes take the focus and lead to their fields, nothing typed is lost; saved is said; a new language is spoken at once. No script needed."""
    visitor = Visitor(demo, await tab(scripts=False), "ada@example.com")
    await visitor.signs_in()
    page = visitor.page
    await page.get_by_role("navigation", name="Menu").get_by_role("link", name="Profile").click()
    await page.get_by_label("Month").select_option(label="February")
    await visitor.fill("save", given_name="Augusta", birthdate_day="31", birthdate_year="1815", phone_number="+44 20 7946 0000")
    await expect(page.locator("#problems")).to_be_focused()
    await page.locator("#problems a").first.click()
    await expect(page.get_by_label("Day")).to_be_focused()
    await expect(page.get_by_label("First name")).to_have_value("Augusta")
    await page.get_by_label("Month").select_option(label="December")
    await page.get_by_label("Your language").select_option(label="Deutsch")
    await visitor.fill("save", birthdate_day="10")
    await expect(page.get_by_role("status")).to_have_text("Ihr Profil ist gespeichert.")
    await expect(page.get_by_label("Monat")).to_have_value("12")
    await page.reload()
    await expect(page.get_by_role("status")).to_have_count(0)


async def test_another_device_is_signed_out_from_here(demo: Demo, tab: OpenTab, new_customer: Visitor) -> None:
    """The phone is listed beside this browser; one button later it has to sign in again."""
    here = new_customer
    phone = Visitor(demo, await tab(size=PHONE), here.address)
    await phone.signs_in()
    await here.page.goto(f"{demo.issuer}/account/sessions")
    devices = here.page.get_by_role("list", name="Devices").get_by_role("listitem")
    await expect(devices).to_have_count(2)
    await expect(devices.first).to_contain_text("This device")
    await expect(devices.first.get_by_role("button")).to_have_count(0)
    await devices.last.get_by_role("button", name=re.compile("Sign out Chrome on")).click()
    await expect(here.page.get_by_role("status")).to_have_text("You are signed out there.")
    await expect(devices).to_have_count(1)
    await phone.page.reload()
    await expect(phone.page).to_have_url(re.compile(rf"^{demo.issuer}/signin\?"))


async def test_an_app_loses_its_access(demo: Demo, tab: OpenTab) -> None:
    """The shop is listed with what it may do; access taken back, it has to ask again."""
    visitor = Visitor(demo, await tab(size=PHONE), "layla@example.com")
    await visitor.signs_in()
    await visitor.lets_the_shop_in()
    page = visitor.page
    await page.goto(f"{demo.issuer}/account/apps")
    await expect(page.locator("#app-1")).to_contain_text("See your e-mail address")
    await page.get_by_role("button", name="Remove access Acme Shop").click()
    await expect(page.get_by_role("status")).to_have_text("Acme Shop has no access any more.")
    await expect(page.locator("main")).to_contain_text("No app has access")
    await page.goto(f"{demo.shop}/signin")
    await expect(page.locator("h1")).to_have_text("Acme Shop asks for access")


async def test_a_question_from_the_telephone_is_answered(demo: Demo, tab: OpenTab, new_customer: Visitor) -> None:
    """On a phone without script: the message of the app stands there, a yes is one button, and what she allowed is listed among her apps."""
    phone = Visitor(demo, await tab(size=PHONE, scripts=False), new_customer.address)
    await phone.signs_in()
    demo.ask(phone.address, "TULIP-77")
    page = phone.page
    await page.goto(f"{demo.issuer}/account")
    await page.get_by_role("navigation", name="Menu").get_by_role("link", name="Requests").click()
    await expect(page.get_by_role("main")).to_contain_text("TULIP-77")
    await page.get_by_role("button", name="Approve Acme on the telephone").click()
    await expect(page.get_by_role("status")).to_have_text("You said yes to Acme on the telephone.")
    await page.goto(f"{demo.issuer}/account/apps")
    await expect(page.get_by_role("main")).to_contain_text("Acme on the telephone")


@pytest.mark.parametrize("scripts", [True, False])
async def test_an_authenticator_app_is_added_and_asked_for(demo: Demo, tab: OpenTab, new_customer: Visitor, *, scripts: bool) -> None:
    """Three taps and a code; on another device the password alone is half of it. With scripts and without."""
    visitor = Visitor(demo, await tab(scripts=scripts), new_customer.address)
    await visitor.signs_in()
    page = visitor.page
    await page.goto(f"{demo.issuer}/account/security")
    await visitor.press("add")
    await visitor.press("totp")
    letters = (await page.locator("code[dir=ltr]").inner_text()).replace(" ", "")
    await visitor.fill(code=_code(letters, 0))
    await expect(page.get_by_role("list", name="Ways to sign in")).to_contain_text("Authenticator app")
    elsewhere = Visitor(demo, await tab(size=PHONE, scripts=scripts), visitor.address)
    await elsewhere.page.goto(f"{demo.issuer}/signin")
    await elsewhere.fill(identifier=visitor.address, password=PASSWORD)
    await expect(elsewhere.page.get_by_role("heading", level=1)).to_have_text("One more step")
    await elsewhere.fill(code=_code(letters, 1))  # the next one, which is taken a step ahead
    await expect(elsewhere.page).to_have_url(f"{demo.issuer}/account")


def _code(letters: str, ahead: int) -> str:
    """Return what an app shows that was given these letters, so many half minutes from now."""
    return hotp(base64.b32decode(letters), step_of(datetime.now(UTC)) + ahead)
