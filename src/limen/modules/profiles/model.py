"""The standard claims of a person (OpenID Connect Core 1.0, section 5.1), what may be changed of them, and which values are possible.

`sub` is the account's id; `email` and `email_verified` come from its identifiers; `phone_number_verified` is false, since nothing proves a number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, UnsetType

from limen.platform.pages import Message, _m
from limen.platform.wire.bodies import Timestamp

LIMIT: Final = 200
"""Characters of a name or a line of an address."""
ADDRESS_LIMIT: Final = 500
"""Characters of `address.formatted`."""
URL_LIMIT: Final = 1_000


class Address(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A postal address (OpenID Connect Core 1.0, section 5.1.1)."""

    formatted: str | None = None
    street_address: str | None = None
    locality: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Profile(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is known of a person. What is not known is None."""

    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    middle_name: str | None = None
    nickname: str | None = None
    preferred_username: str | None = None
    profile: str | None = None
    picture: str | None = None
    website: str | None = None
    gender: str | None = None
    birthdate: str | None = None
    zoneinfo: str | None = None
    locale: str | None = None
    phone_number: str | None = None
    address: Address | None = None
    updated_at: Timestamp | None = None
    """Of the last change; None where nothing was ever set."""


class AddressChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What is to change of an address (RFC 7396): absent stays, None goes."""

    formatted: str | UnsetType | None = UNSET
    street_address: str | UnsetType | None = UNSET
    locality: str | UnsetType | None = UNSET
    region: str | UnsetType | None = UNSET
    postal_code: str | UnsetType | None = UNSET
    country: str | UnsetType | None = UNSET


class Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What is to change of a profile (RFC 7396): absent (UNSET) stays, None goes, and so does a text of nothing but spaces."""

    name: str | UnsetType | None = UNSET
    given_name: str | UnsetType | None = UNSET
    family_name: str | UnsetType | None = UNSET
    middle_name: str | UnsetType | None = UNSET
    nickname: str | UnsetType | None = UNSET
    preferred_username: str | UnsetType | None = UNSET
    profile: str | UnsetType | None = UNSET
    picture: str | UnsetType | None = UNSET
    website: str | UnsetType | None = UNSET
    gender: str | UnsetType | None = UNSET
    birthdate: str | UnsetType | None = UNSET
    zoneinfo: str | UnsetType | None = UNSET
    locale: str | UnsetType | None = UNSET
    phone_number: str | UnsetType | None = UNSET
    address: AddressChanges | UnsetType | None = UNSET


Faults = Mapping[str, Message]
"""What is wrong, by the field's name; those of an address as `address.locality`."""

_TEXTS: Final = ("name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "gender")
_PAGES: Final = ("profile", "picture", "website")
_LINES: Final = Address.__struct_fields__
_BIRTHDATE: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})-([0-9]{2}))?")
_LOCALE: Final = re.compile(
    r"([a-z]{2,3})((?:-[a-z]{3}){0,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?((?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)", re.IGNORECASE
)
_ZONE: Final = re.compile(r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_LEAP_YEAR: Final = 2000


def tidied(changes: Changes) -> Changes:
    """Bring texts into their usual form: composed (NFC), without spaces around; a phone number without the marks people put into it."""
    new = {name: _tidy(name, value) for name, value in _set(changes).items()}
    return msgspec.structs.replace(changes, **new)


def _set(changes: Changes | AddressChanges) -> dict[str, object]:
    return {name: value for name in changes.__struct_fields__ if (value := getattr(changes, name)) is not UNSET}


def _tidy(name: str, value: object) -> object:
    if isinstance(value, AddressChanges):
        return msgspec.structs.replace(value, **{line: _tidy(line, one) for line, one in _set(value).items()})
    if not isinstance(value, str):
        return value
    text = unicodedata.normalize("NFC", value.replace("\r\n", "\n")).strip()
    if name == "phone_number":
        text = re.sub(r"[\s().\u2010-\u2015/-]", "", text)
    if name == "locale":
        text = _usual_locale(text)
    return text or None


def _usual_locale(text: str) -> str:
    """Write a language tag as RFC 5646, section 2.1.1 recommends: `pt-BR`, `zh-Hant-TW`. `en_US` is taken for `en-US`."""
    found = _LOCALE.fullmatch(text.replace("_", "-"))
    if found is None:
        return text
    script, region = found[3] and f"-{found[3].title()}", found[4] and f"-{found[4].upper()}"
    return f"{found[1].lower()}{found[2].lower()}{script or ''}{region or ''}{found[5].lower()}"


def faults(changes: Changes, today: date) -> Faults:
    """Return what is wrong with tidied changes, in words for the person whose profile it is."""
    found: dict[str, Message] = {}
    for name, value in _set(changes).items():
        if isinstance(value, AddressChanges):
            for line, one in _set(value).items():
                if isinstance(one, str) and (fault := _fault_of_lines(one, ADDRESS_LIMIT if line == "formatted" else LIMIT)):
                    found[f"address.{line}"] = fault
        elif isinstance(value, str) and (fault := _fault(name, value, today)):
            found[name] = fault
    return found


def _fault(name: str, text: str, today: date) -> Message | None:
    if name in _TEXTS:
        return _fault_of_text(text)
    if name in _PAGES:
        return None if _is_page(text) else Message(_m("Enter a web address that begins with https://."))
    if name == "birthdate":
        return None if _is_birthdate(text, today) else Message(_m("Enter a date of birth as year, month and day, such as 1984-05-27."))
    checks: dict[str, tuple[Callable[[str], bool], str]] = {
        "zoneinfo": (_is_zone, _m("Enter a time zone such as Europe/Berlin.")),
        "locale": (lambda tag: bool(_LOCALE.fullmatch(tag)), _m("Enter a language such as en or pt-BR.")),
        "phone_number": (lambda number: bool(_PHONE.fullmatch(number)), _m("Enter the phone number with its country code, such as +49 30 1234567.")),
    }
    good, sentence = checks[name]
    return None if good(text) else Message(sentence)


def _fault_of_text(text: str) -> Message | None:
    if len(text) > LIMIT:
        return Message(_m("Enter at most {limit} characters."), {"limit": LIMIT})
    return None if _is_shown(text) else Message(_m("Leave out characters that cannot be seen."))


def _fault_of_lines(text: str, limit: int) -> Message | None:
    if len(text) > limit:
        return Message(_m("Enter at most {limit} characters."), {"limit": limit})
    return None if all(_is_shown(line) for line in text.split("\n")) else Message(_m("Leave out characters that cannot be seen."))


def _is_shown(text: str) -> bool:
    """Whether a text has no control characters and none that turn the text around it (bidirectional overrides)."""
    return not any(
        unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp") or letter in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        for letter in text
    )


def _is_page(text: str) -> bool:
    if len(text) > URL_LIMIT or not text.isascii() or not text.isprintable() or any(letter in ' "<>\\^`{|}' for letter in text):
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def _is_birthdate(text: str, today: date) -> bool:
    """ISO 8601 `YYYY-MM-DD`, `0000-MM-DD` without the year, or `YYYY` alone; not in the future."""
    found = _BIRTHDATE.fullmatch(text)
    if found is None:
        return False
    year = int(found[1])
    try:
        born = date(year or _LEAP_YEAR, int(found[2] or 1), int(found[3] or 1))
    except ValueError:
        return False
    return born <= today and (year != 0 or found[2] is not None)


def _is_zone(name: str) -> bool:
    """Whether it is a time zone of the IANA database: the system's, or where that has none, the table that comes with Babel."""
    if not _ZONE.fullmatch(name):
        return False
    if not _system_has_zones():
        return name in _zones_of_babel()
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


@cache
def _system_has_zones() -> bool:
    try:
        return bool(ZoneInfo("Europe/Berlin"))
    except (KeyError, ValueError, OSError):
        return False


@cache
def _zones_of_babel() -> frozenset[str]:
    from babel.core import get_global  # noqa: PLC0415 - 50 ms that only a machine without zones pays

    return frozenset((*get_global("zone_territories"), *get_global("zone_aliases")))


def merged(before: Profile, changes: Changes, now: datetime) -> tuple[Profile, tuple[str, ...]]:
    """Return the profile after tidied changes, and the names of the attributes that are another now."""
    new: dict[str, object] = {}
    for name, value in _set(changes).items():
        after = _merged_address(before.address, value) if isinstance(value, AddressChanges) else value
        if after != getattr(before, name):
            new[name] = after
    return (msgspec.structs.replace(before, **new, updated_at=now) if new else before), tuple(new)


def _merged_address(before: Address | None, changes: AddressChanges) -> Address | None:
    after = msgspec.structs.replace(before or Address(), **_set(changes))
    return after if after != Address() else None
