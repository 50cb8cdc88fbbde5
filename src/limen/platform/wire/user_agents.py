"""What a browser says of itself (RFC 9110, section 10.1.5), told as coarsely as a person would: `Firefox`, `Windows`, and nothing more exact.

The header is free text that anybody may send: whatever it says, the words told are from the lists here.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final


class Shape(enum.Enum):
    """What sort of thing a browser runs on."""

    PHONE = "phone"
    TABLET = "tablet"
    COMPUTER = "computer"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Device:
    """Browser and system by name, each empty where unknown."""

    browser: str
    system: str
    shape: Shape


_BROWSERS: Final = (  # the first mark found counts: most name others to please old servers
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("YaBrowser/", "Yandex"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone", Shape.PHONE),
    ("iPad", "iPad", Shape.TABLET),
    ("Android", "Android", Shape.TABLET),
    ("Windows", "Windows", Shape.COMPUTER),
    ("CrOS", "ChromeOS", Shape.COMPUTER),
    ("Mac OS X", "Mac", Shape.COMPUTER),
    ("Linux", "Linux", Shape.COMPUTER),
)


def coarse(user_agent: str) -> Device:
    """Return what a User-Agent says of its browser."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    for mark, system, shape in _SYSTEMS:
        if mark in user_agent:
            # tablets with Android leave the word "Mobile" out
            return Device(browser, system, Shape.PHONE if system == "Android" and "Mobile" in user_agent else shape)
    return Device(browser, "", Shape.UNKNOWN)
