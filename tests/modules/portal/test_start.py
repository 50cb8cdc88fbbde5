"""The start page of a customer, the way to it and the way out."""

from __future__ import annotations

import pytest

from limen.modules import profiles
from tests.journeys.conftest import ADA, PASSWORD, Town, step_of
from tests.modules.portal.conftest import Customer, sign_in

pytestmark = pytest.mark.anyio


async def test_the_start_page_says_who_she_is_and_what_there_is(town: Town, ada: Customer) -> None:
    """Her name, her address, and a card for each page with what stands behind it."""
    async with town.world.work() as work:
        await profiles.change(work, ada.account, profiles.Changes(given_name="Ada", family_name="Lovelace"))
    page = await ada.browser.get("/account")
    assert "Hello, Ada" in page.words
    assert f"You are signed in as {ADA} ." in page.words
    assert "Ada Lovelace" in page.words
    assert "Signed in on 1 device" in page.words
    assert "No app has access" in page.words
    assert {"/account", "/account/profile", "/account/sessions", "/account/apps"} <= set(page.links())
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/account", "/account/profile", "/account/sessions", "/account/apps"])
async def test_who_is_not_signed_in_is_led_to_sign_in_and_back(town: Town, path: str) -> None:
    """Every page of the portal asks for a sign-in first, and it ends on the page that was wanted."""
    await town.account()
    browser = town.browser()
    page = await browser.get(path)
    assert step_of(page) == "signin.identify"
    page = await browser.submit(page, {"identifier": ADA})
    page = await browser.submit(page, {"password": PASSWORD})
    assert page.url.endswith(path), page.url


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "/oauth/logout", "/account/profile/../signout", "/account/profile?x=1", ""])
async def test_a_sign_in_comes_back_to_pages_of_the_portal_only(town: Town, wanted: str) -> None:
    """What `to` names is a page of the menu, or it is the start page."""
    await town.account()
    browser = town.browser()
    page = await browser.get(f"/account/signin?to={wanted}")
    page = await browser.submit(page, {"identifier": ADA})
    page = await browser.submit(page, {"password": PASSWORD})
    assert page.url.endswith("/account/profile" if wanted == "/account/profile?x=1" else "/account")


async def test_signing_out_ends_this_browser_alone(town: Town, ada: Customer) -> None:
    """The session is gone, the page says so, another browser's stays; who is still in is not told that she is out."""
    other = await sign_in(town.browser())
    page = await ada.browser.submit(await ada.browser.get("/account"), action="signout")
    assert page.url.endswith("/account/signed-out")
    assert "You are signed out" in page.words
    assert step_of(await ada.browser.get("/account")) == "signin.identify"
    assert (await other.get("/account")).url.endswith("/account")
    assert (await other.get("/account/signed-out")).url.endswith("/account")


async def test_a_link_signs_nobody_out(ada: Customer) -> None:
    """Signing out is a POST with a token of this browser; a link or another site's form does nothing."""
    assert (await ada.browser.get("/account/signout")).status == 405
    assert (await ada.browser.post("/account/signout", form={"action": "signout"}, headers={"sec-fetch-site": "same-origin"})).status == 403
    assert (await ada.browser.get("/account")).url.endswith("/account")


async def test_a_new_password_is_chosen_from_the_start_page(town: Town, ada: Customer) -> None:
    """A code to her address, a new password, and the start page again; her other devices are signed out."""
    other = await sign_in(town.browser())
    page = await ada.browser.submit(await ada.browser.get("/account"), action="change")
    assert step_of(page) == "signin.recover_identify"
    assert page.forms()[0].fields["identifier"] == ADA
    page = await ada.browser.submit(page)
    page = await ada.browser.submit(page, {"code": await town.code()})
    page = await ada.browser.submit(page, {"new_password": "eleven copper kettles sing"})
    assert page.url.endswith("/account"), page.words
    assert step_of(await other.get("/account")) == "signin.identify"
