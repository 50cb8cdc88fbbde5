"""What people do on a page, in real Chromium: with keys, with and without script, in other languages."""

from __future__ import annotations

import pytest
from playwright.async_api import Request, Route, expect

from tests.rig.browser import PHONE, OpenTab, accessible

pytestmark = [pytest.mark.slow, pytest.mark.anyio]


async def test_a_password_can_be_looked_at(gallery: str, tab: OpenTab) -> None:
    """The button shows the password and says so; it is hidden again before the form goes out."""
    page = await tab()
    await page.goto(f"{gallery}/password")
    await page.get_by_label("Password", exact=True).fill("correct horse battery")
    show = page.get_by_role("button", name="Show password")
    await show.click()
    await expect(page.locator("#f-password")).to_have_attribute("type", "text")
    await expect(show).to_have_attribute("aria-pressed", "true")
    await expect(show).to_have_text("Hide")
    await expect(page.locator("#f-password")).to_be_focused()
    await page.evaluate("document.forms[0].addEventListener('submit', e => e.preventDefault())")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.locator("#f-password")).to_have_attribute("type", "password")


async def test_a_wait_counts_down_and_is_gone(gallery: str, tab: OpenTab) -> None:
    """The line that says in how long another code may be asked for counts down, and goes when it is over; the button is there all the time."""
    page = await tab()
    await page.clock.install()
    await page.goto(f"{gallery}/code")
    wait = page.locator("[data-left]")
    await expect(wait).to_contain_text("0:28")
    await page.clock.run_for(9_000)
    await expect(wait).to_contain_text("0:19")
    await page.clock.run_for(20_000)
    await expect(wait).to_be_hidden()
    await expect(page.get_by_role("button", name="Send a new code")).to_be_enabled()


async def test_pages_work_without_script(gallery: str, tab: OpenTab) -> None:
    """With scripts off nothing is offered that needs one, and the language changes by a link."""
    page = await tab(scripts=False)
    await page.goto(f"{gallery}/password")
    await expect(page.locator("button[data-for]")).to_be_hidden()
    await page.get_by_role("link", name="Deutsch").click()
    await expect(page.locator("h1")).to_have_text("Passwort eingeben")
    await page.get_by_role("link", name="العربية").click()
    await expect(page.locator("html")).to_have_attribute("dir", "rtl")


async def test_mistakes_take_the_focus_and_lead_to_the_field(gallery: str, tab: OpenTab) -> None:
    """The summary has the focus when the page opens; its first link leads to the field it is about."""
    page = await tab(scripts=False)
    await page.goto(f"{gallery}/signup-wrong")
    await expect(page.locator("#problems")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Last name")).to_be_focused()


async def test_the_keyboard_can_skip_to_the_content(gallery: str, tab: OpenTab) -> None:
    """The first stop of the tabulator leads past the head of the page."""
    page = await tab()
    await page.goto(f"{gallery}/account")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    await expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "button"])
async def test_an_answer_reaches_the_app_by_post(gallery: str, tab: OpenTab, scripts: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """The page's policy lets the form go to the app, by itself or by its button."""
    page = await tab(scripts=scripts)
    seen: list[Request] = []

    async def app(route: Route) -> None:
        seen.append(route.request)
        await route.fulfill(status=200, content_type="text/plain", body="thank you")

    await page.route("https://app.example/**", app)
    await page.goto(f"{gallery}/form-post", wait_until="commit")
    if not scripts:
        await page.get_by_role("button", name="Continue").click()
    await page.wait_for_url("https://app.example/cb")
    assert seen[0].method == "POST"
    assert seen[0].post_data == "code=a%22%3E%3Cb%3E&state=s"


async def test_targets_are_large_enough_for_a_thumb(gallery: str, tab: OpenTab) -> None:
    """Inputs, buttons, rows to tick and the links of the footer are at least 44 px high."""
    page = await tab(size=PHONE)
    for name in ("password", "signup", "account", "code"):
        await page.goto(f"{gallery}/{name}")
        heights = await page.locator(
            "input:not([type=hidden],[type=checkbox],[type=radio]), select, .button, [data-for], .tick, footer a, .menu a"
        ).evaluate_all("all => all.map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect().height])")
        assert [found for found in heights if found[1] < 44] == []


async def test_the_checker_finds_what_is_wrong(gallery: str, tab: OpenTab) -> None:
    """The accessibility check is not green for nothing: a label taken away and pale letters are found."""
    page = await tab()
    await page.goto(f"{gallery}/signin")
    await accessible(page)
    await page.evaluate("document.querySelector('label').remove()")
    with pytest.raises(AssertionError, match="label"):
        await accessible(page)
    await page.goto(f"{gallery}/signin")
    await page.evaluate("document.querySelector('h1').style.color = '#ccc'")
    with pytest.raises(AssertionError, match="color-contrast"):
        await accessible(page)


async def test_print_leaves_the_words(gallery: str, tab: OpenTab) -> None:
    """On paper there are no buttons and no frame."""
    page = await tab()
    await page.goto(f"{gallery}/consent")
    await page.emulate_media(media="print")
    await expect(page.get_by_text("Read your orders")).to_be_visible()
    await expect(page.locator(".button").first).to_be_hidden()
    await expect(page.locator("footer")).to_be_hidden()
