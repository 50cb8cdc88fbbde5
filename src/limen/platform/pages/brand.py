"""A tenant's brand: a few tokens, from which every colour of a page is computed so that it can be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Final, NamedTuple
from urllib.parse import quote

from markupsafe import escape

from limen.kernel.errors import Kind, LimenError
from limen.platform.pages.colour import HEX, Oklch, as_hex, contrast, oklch, reach

_LOGO: Final = re.compile(r"data:image/(svg\+xml|png|webp)[;,][!#-;=?-~ ]+")
_LOGO_LIMIT: Final = 6_000
_RADIUS_LIMIT: Final = 24
_NAME_LIMIT: Final = 60
_TEXT: Final = 4.5
_SHAPE: Final = 3.0
_NEAR_WHITE: Final = 3.0
_PALE: Final = 1.3
_GREY: Final = 0.02
_PLAIN: Final = " ='/:.,-"


class InvalidBrand(LimenError):
    """A token of the brand is not usable; the text names it and says what would be."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "invalid_brand"


@dataclass(frozen=True, slots=True)
class FooterLink:
    """A link at the foot of every page, in the tenant's own words: terms, privacy, legal notice, help."""

    label: str
    """What is read."""
    address: str
    """`https:`, `http:` or `mailto:`."""


@dataclass(frozen=True, slots=True)
class Brand:
    """The tokens a tenant sets; every colour of a page is computed from them."""

    name: str
    """What the tenant calls itself."""
    accent: str = "#3b5bdb"
    """The colour of buttons and links, in small letters; it is made lighter or darker where it could not be read."""
    logo: str | None = None
    """A `data:` URI of an SVG, PNG or WebP image, at most 6,000 characters; in a tenant file also `file:NAME` beside it."""
    radius: int = 10
    """Of corners, in pixels."""
    links: tuple[FooterLink, ...] = ()
    """At the foot of every page and message."""

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= _NAME_LIMIT:
            raise InvalidBrand(f"brand.name: 1 to {_NAME_LIMIT} characters")
        if not HEX.fullmatch(self.accent):
            raise InvalidBrand(f'brand.accent: {self.accent!r} is no colour; write it as "#3b5bdb", in small letters')
        if not 0 <= self.radius <= _RADIUS_LIMIT:
            raise InvalidBrand(f"brand.radius: 0 to {_RADIUS_LIMIT} pixels")
        if self.logo is not None and (len(self.logo) > _LOGO_LIMIT or not _LOGO.fullmatch(self.logo)):
            raise InvalidBrand(f"brand.logo: a data: URI of an SVG, PNG or WebP image, at most {_LOGO_LIMIT} characters")
        for link in self.links:
            if not link.address.startswith(("https://", "http://", "mailto:")) or not link.label:
                raise InvalidBrand(f"brand.links: {link.address!r} needs a label and an https: or mailto: address")


class Palette(NamedTuple):
    """The colours of one scheme, `#rrggbb`, named as the CSS variables are."""

    bg: str
    """The page behind the card."""
    card: str
    text: str
    muted: str
    line: str
    """Decoration only."""
    edge: str
    """Borders of inputs: 3:1 to the card."""
    soft: str
    """The quiet surface of notices and hovered rows."""
    accent: str
    """The filled primary button."""
    on: str
    """Text on `accent` and `hover`: 4.5:1."""
    hover: str
    rim: str
    """Accent as a shape (border of the primary button, focus, steps): 3:1 to card and page."""
    link: str
    """Accent as text: 4.5:1 to card, page and `soft`."""


@lru_cache(maxsize=2_000)
def palette(accent: str, *, dark: bool) -> Palette:
    """Return the colours of one scheme, computed from the accent; the neutrals carry a breath of its hue."""
    own = oklch(accent)
    tint = 0.0 if own.chroma < _GREY else 1.0

    def neutral(lightness: float, chroma: float) -> str:
        return as_hex(Oklch(lightness, chroma * tint, own.hue))

    if dark:
        bg, card, soft = neutral(0.155, 0.008), neutral(0.205, 0.01), neutral(0.26, 0.015)
        text, muted, line, edge = neutral(0.945, 0.006), neutral(0.72, 0.012), neutral(0.315, 0.013), neutral(0.56, 0.015)
    else:
        bg, card, soft = neutral(0.972, 0.005), "#ffffff", neutral(0.96, 0.011)
        text, muted, line, edge = neutral(0.215, 0.018), neutral(0.5, 0.02), neutral(0.905, 0.009), neutral(0.62, 0.016)
    surfaces = (bg, card)
    if dark and not tint and contrast(accent, card) < _SHAPE:
        accent = text  # black on a dark page becomes white: any grey between would look switched off
    fill, on, hover = _fill(accent, card, dark=dark)
    return Palette(
        bg=bg,
        card=card,
        text=text,
        muted=reach(muted, _TEXT, against=(bg, card, soft), darker=not dark),
        line=line,
        edge=reach(edge, _SHAPE, against=surfaces, darker=not dark),
        soft=soft,
        accent=fill,
        on=on,
        hover=hover,
        rim=reach(fill, _SHAPE, against=surfaces, darker=not dark),
        link=reach(accent, _TEXT, against=(bg, card, soft), darker=not dark),
    )


def _fill(accent: str, card: str, *, dark: bool) -> tuple[str, str, str]:
    """Return the button's colour, the colour of its text and the button's colour under the pointer."""
    fill = accent
    if contrast(fill, card) < (_SHAPE if dark else _PALE):
        fill = reach(fill, _SHAPE, against=(card,), darker=not dark)
    if contrast(fill, "#ffffff") >= _NEAR_WHITE:
        # White letters read as a button; a bright accent gives way a little so that they do.
        fill = reach(fill, _TEXT, against=("#ffffff",), darker=True)
        if contrast(fill, card) >= _SHAPE or not dark:
            return fill, "#ffffff", _moved(fill, -0.05)
        fill = reach(fill, _TEXT, against=("#000000",), darker=False)
    return fill, "#000000", _moved(fill, 0.04)


def _moved(colour: str, by: float) -> str:
    now = oklch(colour)
    return as_hex(now._replace(lightness=min(1.0, max(0.0, now.lightness + by))))


@lru_cache(maxsize=2_000)
def icon(brand: Brand) -> str:
    """Return the sign of a tab, a `data:` URI: the first letter of the name on the accent."""
    colours = palette(brand.accent, dark=False)
    letter = escape(brand.name[0].upper())
    drawing = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>"
        f"<rect width='32' height='32' rx='{min(brand.radius, 10)}' fill='{colours.accent}'/>"
        "<text x='16' y='23' font-size='20' font-weight='700' font-family='sans-serif' text-anchor='middle'"
        f" fill='{colours.on}'>{letter}</text></svg>"
    )
    return f"data:image/svg+xml,{quote(drawing, safe=_PLAIN)}"


@lru_cache(maxsize=2_000)
def css_variables(brand: Brand) -> str:
    """Return the style rules that carry the brand: every colour for the light and the dark scheme, and the radius."""

    def rules(colours: Palette) -> str:
        return "".join(f"--{name}:{value};" for name, value in zip(Palette._fields, colours, strict=True))

    light, dark = palette(brand.accent, dark=False), palette(brand.accent, dark=True)
    return f":root{{--radius:{brand.radius}px;{rules(light)}}}@media (prefers-color-scheme:dark){{:root{{{rules(dark)}}}}}"
