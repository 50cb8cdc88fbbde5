"""A customer of the shop, from the first visit to a forgotten password, in real Chromium."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.journeys.browser.conftest import PASSWORD, Demo, Visitor, somebody
from tests.rig.browser import PHONE, OpenTab

pytestmark = [pytest.mark.slow, pytest.mark.anyio, pytest.mark.xdist_group("demo")]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
async def test_who_signs_up_from_the_shop_ends_signed_in_there(demo: Demo, tab: OpenTab, scripts: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Address, code, password, name, consent: and the browser is at the shop, on another site, which knows her name. No script is needed."""
    visitor = Visitor(demo, await tab(scripts=scripts), somebody())
    await visitor.begins_at_the_shop(new=True)
    await visitor.fill(identifier=visitor.address)
    await visitor.code()
    await visitor.fill(new_password=PASSWORD)
    await visitor.fill(given_name="Nora", family_name="Lindqvist")
    await expect(visitor.page.locator("h1")).to_have_text("Acme Shop asks for access")
    await visitor.press("allow")
    await expect(visitor.page).to_have_url(f"{demo.shop}/account")
    await expect(visitor.page.locator("h1")).to_have_text("Hello, Nora.")
    await expect(visitor.page.locator("main")).to_contain_text(visitor.address)


async def test_who_does_not_allow_is_back_at_the_shop_signed_out(demo: Demo, new_customer: Visitor) -> None:
    """A no goes to the shop as well, which says that she is not signed in."""
    await new_customer.page.goto(f"{demo.shop}/signin")
    await new_customer.press("deny")
    await expect(new_customer.page).to_have_url(re.compile(rf"^{demo.shop}/callback\?"))
    await expect(new_customer.page.locator("h1")).to_have_text("You are not signed in.")


async def test_signing_out_at_the_shop_ends_the_session_of_limen(demo: Demo, new_customer: Visitor) -> None:
    """The shop sends her to Limen, she is back at the shop, and neither knows her any more; then her password lets her in again."""
    page = new_customer.page
    await new_customer.lets_the_shop_in()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page).to_have_url(f"{demo.shop}/")
    await page.goto(f"{demo.issuer}/account")
    await expect(page).to_have_url(re.compile(rf"^{demo.issuer}/signin\?"))

    await new_customer.begins_at_the_shop()
    await new_customer.fill(identifier=new_customer.address)
    await new_customer.fill(password="not her password at all")
    await expect(page.locator("#problems")).to_be_focused()
    await expect(page.locator(".error")).to_have_text("The address and the password do not fit together. Check both.")
    await new_customer.fill(password=PASSWORD)
    await expect(page.locator("h1")).to_have_text("Hello, Nora.")


async def test_a_forgotten_password_is_replaced_and_ends_at_the_shop(demo: Demo, tab: OpenTab, new_customer: Visitor) -> None:
    """From the shop to a code, a new password, and the shop again; the other browser is signed out, the old password is worth nothing."""
    other = Visitor(demo, await tab(size=PHONE), new_customer.address, "eleven copper kettles sing")
    await other.begins_at_the_shop()
    await other.fill(identifier=other.address)
    before = demo.codes(other.address)
    await other.press("recover")
    if await other.page.locator('[name="identifier"]:visible').count():
        await other.press("continue")
    await expect(other.page.locator("h1")).to_have_text("Check your e-mail")
    while demo.codes(other.address) == before:
        await other.page.wait_for_timeout(20)
    await other.code()
    await other.fill(new_password=other.password)
    await other.press("allow")
    await expect(other.page).to_have_url(f"{demo.shop}/account")
    await new_customer.page.goto(f"{demo.issuer}/account")
    await expect(new_customer.page).to_have_url(re.compile(rf"^{demo.issuer}/signin\?"))
    await new_customer.fill(identifier=new_customer.address)
    await new_customer.fill(password=PASSWORD)
    await expect(new_customer.page.locator("#problems")).to_be_visible()


async def test_an_arabic_reader_signs_in_from_right_to_left(demo: Demo, tab: OpenTab, new_customer: Visitor) -> None:
    """The browser's language decides; addresses stay written from the left; the language can be changed on the way without losing it."""
    visitor = Visitor(demo, await tab(size=PHONE, locale="ar"), new_customer.address)
    page = visitor.page
    await page.goto(f"{demo.shop}/signin")
    await expect(page.locator("html")).to_have_attribute("dir", "rtl")
    await expect(page.locator("h1")).to_have_text("تسجيل الدخول")
    await expect(page.get_by_label("عنوان البريد الإلكتروني")).to_have_attribute("dir", "ltr")
    await visitor.fill(identifier=visitor.address)
    await page.get_by_role("link", name="Deutsch").click()
    await expect(page.locator("html")).to_have_attribute("dir", "ltr")
    await expect(page.get_by_label("Passwort", exact=True)).to_be_visible()
    await visitor.fill(password=PASSWORD)
    await expect(page.locator("h1")).to_have_text("Acme Shop bittet um Zugriff")
    await visitor.press("allow")
    await expect(page).to_have_url(f"{demo.shop}/account")
