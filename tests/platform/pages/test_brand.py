"""A brand's tokens: what is refused, and that nothing of it can break out of the page."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

import pytest

from limen.platform.pages import Brand, FooterLink, InvalidBrand, css_variables, render
from limen.platform.pages.brand import icon
from tests.platform.pages.gallery.app import PAGES, look_for

SVG = "data:image/svg+xml,%3Csvg/%3E"


@pytest.mark.parametrize("accent", ["red", "#fff", "#GGGGGG", "#3B5BDB", "#3b5bdb;}", "", "#3b5bdb\n"])
def test_an_accent_is_six_digits(accent: str) -> None:
    """Anything but #rrggbb in small letters is refused, with an example."""
    with pytest.raises(InvalidBrand, match="#3b5bdb"):
        Brand("Acme", accent)


@pytest.mark.parametrize(
    "logo", ["https://acme.example/logo.svg", "data:text/html,x", 'data:image/png;base64,"><script>', SVG + "x" * 6_000, "data:image/gif;base64,AA"]
)
def test_a_logo_is_a_small_picture_in_the_page(logo: str) -> None:
    """A logo is never fetched from elsewhere, is no other type, and keeps the page small."""
    with pytest.raises(InvalidBrand, match=r"brand\.logo"):
        Brand("Acme", logo=logo)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", ""])
def test_a_footer_link_goes_to_a_web_page(address: str) -> None:
    """No script hides behind a link."""
    with pytest.raises(InvalidBrand):
        Brand("Acme", links=(FooterLink("Terms", address),))


@pytest.mark.parametrize("token", [{"name": ""}, {"name": "x" * 61}, {"radius": -1}, {"radius": 25}])
def test_tokens_have_bounds(token: dict[str, str | int]) -> None:
    """Name and radius are held to what the layout can carry."""
    with pytest.raises(InvalidBrand):
        replace(Brand("Acme"), **token)  # type: ignore[arg-type]  # the parameters are the test


def test_a_name_cannot_break_out() -> None:
    """Name, links and logo are escaped in text, in attributes and in the tab's sign."""
    brand = Brand("<b>&'\"", logo=SVG, links=(FooterLink("<i>", "https://x.example/?a='\"<"),))
    html = render(PAGES["signin"], replace(look_for({}, "/signin"), brand=brand))
    assert "<b>&" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;&amp;&#39;&#34;" in html
    assert "&lt;</text>" in unquote(icon(brand))
    assert "<" not in icon(brand)


def test_the_style_carries_both_schemes() -> None:
    """The variables of the light scheme stand first, those of the dark one under its media query."""
    light, dark = css_variables(Brand("Acme", "#0b7285", radius=4)).split("@media (prefers-color-scheme:dark)")
    assert light.startswith(":root{--radius:4px;--bg:#")
    assert light.count("--") == dark.count("--") + 1
