"""Colours: contrast as WCAG defines it, and palettes that can be read whatever accent a tenant chooses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.platform.pages import palette
from limen.platform.pages.colour import as_hex, contrast, oklch, reach

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#0000ff", "#ffffff", 8.59), ("#ff0000", "#000000", 5.25), ("#abcdef", "#abcdef", 1.0)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    """Known pairs have their known ratios, in either order."""
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert contrast(other, one) == contrast(one, other)


@given(COLOURS)
def test_a_colour_survives_the_way_to_oklch_and_back(colour: str) -> None:
    """Conversion is exact to one step of a channel."""
    back = as_hex(oklch(colour))
    assert all(abs(int(colour[at : at + 2], 16) - int(back[at : at + 2], 16)) <= 1 for at in (1, 3, 5))


@given(COLOURS, COLOURS, st.booleans())
def test_reach_only_goes_the_way_it_is_told(colour: str, ground: str, darker: bool) -> None:  # noqa: FBT001 - drawn, not called
    """Darkening never makes lighter, and the ratio is met unless black or white was reached."""
    found = reach(colour, 4.5, against=(ground,), darker=darker)
    assert contrast(found, ground) >= 4.5 or found == ("#000000" if darker else "#ffffff")


@settings(max_examples=200, deadline=None)
@given(COLOURS, st.booleans())
def test_every_accent_gives_a_page_that_can_be_read(accent: str, dark: bool) -> None:  # noqa: FBT001 - drawn, not called
    """Text has 4.5:1 wherever it stands, shapes that mean something 3:1, in the light and the dark scheme (WCAG 2.2, 1.4.3 and 1.4.11)."""
    colours = palette(accent, dark=dark)
    grounds = (colours.bg, colours.card, colours.soft)
    for ground in grounds:
        for letters in (colours.text, colours.muted, colours.link):
            assert contrast(letters, ground) >= 4.5
    assert contrast(colours.on, colours.accent) >= 4.5
    assert contrast(colours.on, colours.hover) >= 4.5
    for ground in (colours.bg, colours.card):
        assert contrast(colours.rim, ground) >= 3
        assert contrast(colours.edge, ground) >= 3


def test_an_accent_that_can_be_read_is_left_as_it_is() -> None:
    """A brand's colour is changed only where somebody could not read it."""
    assert palette("#3b5bdb", dark=False).accent == "#3b5bdb"
    assert palette("#ffd400", dark=False).accent == "#ffd400"
    assert palette("#ffd400", dark=False).on == "#000000"
