"""Every page of the gallery in real Chromium: accessible, within its window, and photographed to be looked at."""

from __future__ import annotations

import pytest

from tests.platform.pages.gallery.app import PAGES
from tests.rig.browser import DESKTOP, PHONE, SMALL_PHONE, ZOOMED, OpenTab, Scheme, Size, accessible, fits, picture

pytestmark = [pytest.mark.slow, pytest.mark.anyio]

SIZES = {"phone": PHONE, "desktop": DESKTOP}
# Each pair of size, scheme, language and brand occurs on some page, not on all.
PAIRWISE: tuple[tuple[str, Scheme, str, str], ...] = (
    ("phone", "light", "en", "lumen"),
    ("phone", "dark", "de", "sun"),
    ("phone", "light", "ar", "ink"),
    ("phone", "dark", "en", "logo"),
    ("desktop", "dark", "en", "ink"),
    ("desktop", "light", "de", "lumen"),
    ("desktop", "dark", "ar", "lumen"),
    ("desktop", "light", "en", "sun"),
    ("desktop", "light", "ar", "logo"),
)
SHOWN = (
    "signin",
    "signin-wrong",
    "password",
    "password-wrong",
    "code",
    "signup",
    "signup-wrong",
    "consent",
    "account",
    "notices",
    "done",
    "error-429",
    "error-503",
)


@pytest.mark.parametrize("size,scheme,language,brand", PAIRWISE)  # noqa: PT006 - reads as a table
async def test_pages_are_accessible_and_fit(gallery: str, tab: OpenTab, size: str, scheme: Scheme, language: str, brand: str) -> None:
    """No page breaks WCAG 2.2 AA or scrolls sideways, in any pair of size, scheme, language and brand."""
    page = await tab(size=SIZES[size], scheme=scheme, locale=language)
    for name in SHOWN:
        await page.goto(f"{gallery}/{name}?brand={brand}")
        await accessible(page)
        await fits(page)
        await picture(page, f"{name}-{size}-{scheme}-{language}-{brand}")


@pytest.mark.parametrize("window", [SMALL_PHONE, ZOOMED], ids=["320px", "200%"])
async def test_pages_fit_a_narrow_window_and_large_letters(gallery: str, tab: OpenTab, window: Size) -> None:
    """At 320 px and at 200 % zoom every page flows in one column, in German with its long words."""
    page = await tab(size=window, locale="de")
    for name in PAGES:
        if name == "form-post":
            continue
        await page.goto(f"{gallery}/{name}?brand=sun")
        await fits(page)
        await picture(page, f"{name}-{window.width}")
