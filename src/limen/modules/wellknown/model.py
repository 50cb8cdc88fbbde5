"""What may stand in the documents: origins, apps and contacts as their specifications spell them. Pure rules."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

MOST_LABELS: Final = 5
"""Browsers look at the origins of so many labels at least, and some at no more (Web Authentication Level 3, section 5.11.1)."""

_HOST: Final = r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])"
_ORIGIN: Final = re.compile(rf"https://(?P<host>{_HOST})(:(?!0|443$)[0-9]{{1,5}})?")
_PACKAGE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+")
_FINGERPRINT: Final = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){31}")
_APPLE: Final = re.compile(r"[A-Z0-9]{10}\.[A-Za-z0-9.-]{1,155}")
_CONTACT: Final = re.compile(r"(mailto:[^\s@]+@[^\s@]+|https://[\x21-\x7e]+|tel:\+[0-9-]+)", re.ASCII)
_SHARED: Final = frozenset(["ac", "co", "com", "edu", "gob", "gov", "go", "gv", "ne", "net", "nom", "or", "org", "sch"])
"""Under the domains of countries these are no names of anybody's (`example.co.uk`)."""
_COUNTRY: Final = 2


def is_origin(text: str) -> bool:
    """True for an https origin as browsers write it: lower case, no path, no port where it is 443, a name and no address."""
    return len(text) <= 300 and _ORIGIN.fullmatch(text) is not None  # noqa: PLR2004 - a name has 253 letters


def label_of(origin: str) -> str:
    """Return the label that stands for an origin among those counted: `example` of `https://shop.example.co.uk`.

    Browsers take it from the list of public suffixes; here a country's usual second level is known, so that a rare suffix may count otherwise.
    """
    found = _ORIGIN.fullmatch(origin)
    labels = found["host"].split(".") if found else [origin]
    behind = 2 if len(labels) > 2 and len(labels[-1]) == _COUNTRY and labels[-2] in _SHARED else 1  # noqa: PLR2004 - name, second level, country
    return labels[-behind - 1] if len(labels) > behind else labels[0]


def labels_of(origins: Iterable[str]) -> frozenset[str]:
    """Return the labels of origins."""
    return frozenset(label_of(origin) for origin in origins)


def is_package(text: str) -> bool:
    """True for the application id of an Android app (`com.example.shop`)."""
    return len(text) <= 255 and _PACKAGE.fullmatch(text) is not None  # noqa: PLR2004 - no app has a longer one


def is_fingerprint(text: str) -> bool:
    """True for the SHA-256 of a signing certificate, in capitals and with colons, as `keytool` prints it."""
    return _FINGERPRINT.fullmatch(text) is not None


def is_apple_app(text: str) -> bool:
    """True for the id of an app of Apple's platforms: team and bundle (`ABCDE12345.com.example.shop`)."""
    return _APPLE.fullmatch(text) is not None


def is_contact(text: str) -> bool:
    """True for an address at which a report arrives: `mailto:`, `https:` or `tel:` (RFC 9116, section 2.5.3)."""
    return len(text) <= 500 and _CONTACT.fullmatch(text) is not None  # noqa: PLR2004 - long enough for any address
