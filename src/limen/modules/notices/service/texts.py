"""Draws a message for a telephone: short to be read, or in words to be spoken, in a language, without a brand."""

from __future__ import annotations

import ipaddress
from typing import Final

from limen.modules.notices.model import VOICE, Notice
from limen.modules.notices.service.letters import Told, named
from limen.platform.pages import Words, words

_LONGEST_NAME: Final = 30
"""Characters of the service's name: more would make two messages of one."""


def written(notice: Notice, told: Told, service: str, language: str, host: str) -> str:
    """Return the text of a message. A code is bound to `host`, which browsers then fill in on its pages and on no other.

    The last line is `@host #code` (Origin-bound one-time codes delivered via SMS, WICG, section 4); an IP address has none.
    """
    tongue = words(language)
    text = tongue.say(notice.short, **_values(told, service, tongue))
    code = told.values.get("code", "")
    return f"{text}\n\n@{host} #{code}" if code and _is_name(host) else text


def spoken(notice: Notice, told: Told, service: str, language: str) -> str:
    """Return what is said on the telephone: the code sign by sign, twice."""
    tongue = words(language)
    return tongue.say(notice.spoken, **_values(told, service, tongue))


def drawn_text(notice: Notice, channel: str, told: Told, place: tuple[str, str], language: str) -> str:
    """Return the words for a channel; `place` is the service's name and its host."""
    service, host = place
    return spoken(notice, told, service, language) if channel == VOICE else written(notice, told, service, language, host)


def _values(told: Told, service: str, tongue: Words) -> dict[str, str]:
    """Return what a text may name, each on one line: nothing a value holds can look like the line that binds a code."""
    short = service if len(service) <= _LONGEST_NAME else f"{service[: _LONGEST_NAME - 1].rstrip()}\u2026"
    values = {name: " ".join(value.split()) for name, value in named(told, short, tongue).items()}
    return {**values, "digits": ", ".join(values["code"])}


def _is_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(host)
    return False
