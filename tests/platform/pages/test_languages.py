"""The choice of a language: asked for, chosen before, said by the browser, or the tenant's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.platform.pages import Languages, direction, own_name

OFFERED = Languages(("en", "de", "ar", "pt-BR"))


@pytest.mark.parametrize(
    ("ui_locales", "cookie", "header", "chosen"),
    [
        ("", "", "", "en"),
        ("de", "ar", "en", "de"),
        ("", "ar", "de", "ar"),
        ("", "", "de-AT,de;q=0.9,en;q=0.8", "de"),
        ("", "", "en;q=0.3, ar;q=0.9", "ar"),
        ("", "", "fr, ar;q=0", "en"),
        ("fr de", "", "ar", "de"),
        ("fr", "xx", "nl", "en"),
        ("de-CH-1996", "", "", "de"),
        ("pt", "", "", "pt-BR"),
        ("pt-PT", "", "", "pt-BR"),
        ("DE", "", "", "de"),
        ("", "", "*", "en"),
        ("", "", "de;q=2, ar;q=x", "en"),
        ("<script>", "../../etc", ";;,,;q=1", "en"),
    ],
)
def test_the_first_wish_that_is_offered_wins(ui_locales: str, cookie: str, header: str, chosen: str) -> None:
    """`ui_locales`, then the cookie, then the browser, then the tenant's default."""
    assert OFFERED.choose(ui_locales=ui_locales, cookie=cookie, accept_language=header) == chosen


@given(st.text(), st.text(), st.text())
def test_only_offered_languages_are_chosen(ui_locales: str, cookie: str, header: str) -> None:
    """Whatever is sent, the answer is one of the tenant's languages."""
    assert OFFERED.choose(ui_locales=ui_locales, cookie=cookie, accept_language=header) in OFFERED.offered


def test_a_long_header_costs_little() -> None:
    """What comes after the twentieth wish is not looked at."""
    assert OFFERED.choose(accept_language=",".join(["xx"] * 50_000 + ["de"])) == "en"


def test_directions_and_names() -> None:
    """Arabic is written from the right, also with a region; a language is called what its speakers call it."""
    assert [direction(tag) for tag in ("ar", "ar-EG", "de", "en")] == ["rtl", "rtl", "ltr", "ltr"]
    assert [own_name(tag) for tag in ("de-AT", "ar", "tlh")] == ["Deutsch", "العربية", "tlh"]
