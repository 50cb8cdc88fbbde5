"""Colour arithmetic: contrast after WCAG 2.2 and lightness in OKLCH, where equal steps look equal and the hue stays.

Numbers of the OKLab transform: Björn Ottosson, "A perceptual color space for image processing" (2020).
"""

from __future__ import annotations

import math
import re
from typing import Final, NamedTuple

HEX: Final = re.compile(r"#[0-9a-f]{6}")
_STEP: Final = 0.004


class Oklch(NamedTuple):
    """Lightness 0 to 1, chroma 0 to about 0.37, hue in radians."""

    lightness: float
    chroma: float
    hue: float


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return red, green, blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB, IEC 61966-2-1


def _curved(value: float) -> float:
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055  # noqa: PLR2004 - sRGB, IEC 61966-2-1


def luminance(colour: str) -> float:
    """Return the relative luminance, 0 to 1 (WCAG 2.2, "relative luminance")."""
    red, green, blue = _channels(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def oklch(colour: str) -> Oklch:
    """Convert `#rrggbb`."""
    red, green, blue = _channels(colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return Oklch(lightness, math.hypot(a, b), math.atan2(b, a))


def _rgb(colour: Oklch) -> tuple[float, float, float]:
    a, b = colour.chroma * math.cos(colour.hue), colour.chroma * math.sin(colour.hue)
    long = (colour.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (colour.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (colour.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def as_hex(colour: Oklch) -> str:
    """Return `#rrggbb`; what sRGB cannot show loses chroma, never lightness or hue."""
    chroma = colour.chroma
    rgb = _rgb(colour)
    while chroma > 0 and not all(-0.0005 <= value <= 1.0005 for value in rgb):  # noqa: PLR2004 - half a step of 8 bits
        chroma = max(0.0, chroma - 0.004)
        rgb = _rgb(colour._replace(chroma=chroma))
    return "#" + "".join(f"{round(_curved(min(1.0, max(0.0, value))) * 255):02x}" for value in rgb)


def reach(colour: str, ratio: float, *, against: tuple[str, ...], darker: bool) -> str:
    """Darken or lighten `colour` in small steps until it has at least `ratio` of contrast to each of `against`."""
    now = oklch(colour)
    while min(contrast(colour, other) for other in against) < ratio:
        lightness = now.lightness - _STEP if darker else now.lightness + _STEP
        if not 0 <= lightness <= 1:
            return "#000000" if darker else "#ffffff"
        now = now._replace(lightness=lightness)
        colour = as_hex(now)
    return colour
