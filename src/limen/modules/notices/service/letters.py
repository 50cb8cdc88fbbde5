"""Draws a message: subject, text and HTML, in a language and a brand, from the parts of its notice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from limen.modules.notices.model import Button, Code, Line, Notice, Part, Say, Small
from limen.platform.pages import Brand, Words, _m, direction, palette, words

_LAYOUT: Final = Path(__file__).parent.parent / "templates" / "letter.mjml"
_PLACE: Final = re.compile(r"\{(\w+)\}")
_FILLER: Final = Markup("&#847;&zwnj;&nbsp;" * 90)  # noqa: S704 - a constant
"""Invisible, behind the preview: without it mail programs go on with the text, and a code would show on a locked screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All that a message may name."""

    at: datetime
    browser: str = ""
    system: str = ""
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in words."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Block:
    """A part in words, as the layout shows it."""

    kind: str
    text: str = ""
    link: str = ""
    lines: tuple[str, ...] = ()


def drawn(notice: Notice, told: Told, brand: Brand, language: str) -> Letter:
    """Return the message in a language; what has no translation is English."""
    tongue = words(language)
    plain = named(told, brand.name, tongue)
    subject = " ".join(tongue.say(notice.subject, **plain).split())
    return Letter(subject, _text(notice, plain, tongue), _html(notice, plain, brand, tongue))


def named(told: Told, service: str, tongue: Words) -> dict[str, str]:
    """Return the values that texts may name, in a language."""
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415 - slow to import, and only messages need it
    from babel.dates import format_date, format_time  # noqa: PLC0415 - as above
    from babel.units import format_unit  # noqa: PLC0415 - as above

    try:
        locale = Locale.parse(tongue.language, sep="-")
    except (ValueError, UnknownLocaleError):
        locale = Locale("en")
    when = f"{format_date(told.at, 'long', locale)}, {format_time(told.at, 'short', locale=locale)} UTC"
    lasts = format_unit(int(told.values["minutes"]), "duration-minute", "long", locale=locale) if "minutes" in told.values else ""
    return {"code": "", "link": "", **told.values, "service": service, "when": when, "lasts": lasts, "device": _device(told, tongue)}


def _device(told: Told, tongue: Words) -> str:
    if told.browser and told.system:
        return tongue.say(_m("{browser} on {system}"), browser=told.browser, system=told.system)
    return told.browser or told.system


def _shown(part: Part, values: Mapping[str, str]) -> bool:
    match part:
        case Code():
            return bool(values["code"])
        case Button():
            return bool(values["link"])
        case Say() | Line() | Small():
            return all(values.get(name) for name in _PLACE.findall(part.text))


def _text(notice: Notice, values: Mapping[str, str], tongue: Words) -> str:
    paragraphs: list[str] = []
    for part, before in zip(notice.parts, (None, *notice.parts), strict=False):
        if not _shown(part, values):
            continue
        match part:
            case Code():
                paragraphs.append(values["code"])
            case Button():
                paragraphs.append(f"{tongue.say(part.label)}:\n{values['link']}")
            case Line() if isinstance(before, Line) and paragraphs:
                paragraphs[-1] += "\n" + tongue.say(part.text, **values)
            case Say() | Line() | Small():
                paragraphs.append(tongue.say(part.text, **values))
    paragraphs.append("-- \n" + tongue.say(_FOOTER, **values))
    return "\n\n".join(paragraphs) + "\n"


_FOOTER: Final = _m("{service} sent you this message. It needs no answer.")


def _blocks(notice: Notice, values: Mapping[str, str], safe: Mapping[str, object], tongue: Words) -> list[Block]:
    blocks: list[Block] = []
    for part in notice.parts:
        if not _shown(part, values):
            continue
        match part:
            case Code():
                blocks.append(Block("code", values["code"]))
            case Button():
                blocks.append(Block("button", tongue.say(part.label), values["link"]))
            case Line():
                before = blocks.pop().lines if blocks and blocks[-1].kind == "lines" else ()
                blocks.append(Block("lines", lines=(*before, tongue.say(part.text, **safe))))
            case Say() | Small():
                blocks.append(Block(type(part).__name__.lower(), tongue.say(part.text, **safe)))
    return blocks


def _html(notice: Notice, values: Mapping[str, str], brand: Brand, tongue: Words) -> str:
    safe: dict[str, object] = {name: Markup("<bdi>{}</bdi>").format(value) if value else "" for name, value in values.items()}
    way = direction(tongue.language)
    return _layout().render(
        language=tongue.language,
        direction=way,
        start="right" if way == "rtl" else "left",
        service=brand.name,
        radius=brand.radius,
        light=palette(brand.accent, dark=False),
        dark=palette(brand.accent, dark=True),
        subject=tongue.say(notice.subject, **values),
        heading=tongue.say(notice.subject, **safe),
        preview=tongue.say(notice.preview, **values),
        filler=_FILLER,
        blocks=_blocks(notice, values, safe, tongue),
        footer=tongue.say(_FOOTER, **safe),
    )


@cache
def _layout() -> Template:
    """Compile the layout once: MJML to the tables that mail programs need, then to a template. The places for values pass through both."""
    from mrml import to_html  # noqa: PLC0415 - a compiled library that only messages need

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(to_html(_LAYOUT.read_text(encoding="utf-8")).content)
