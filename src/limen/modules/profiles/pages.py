"""`/account/profile`: what a person told of herself, to read and to change, in one form that works without script."""

from __future__ import annotations

import unicodedata
from typing import Final

from msgspec import UNSET, UnsetType

from limen.kernel.ids import AccountId
from limen.modules.profiles import service
from limen.modules.profiles.errors import InvalidProfile
from limen.modules.profiles.model import AddressChanges, Changes, Faults, Profile
from limen.platform.http import SESSION, Answer, Call, Endpoint, Form, hear, say
from limen.platform.pages import Card, Message, Page, _m, own_name
from limen.platform.sql import Reader

PATH: Final = "/account/profile"

_TEXTS: Final = ("given_name", "family_name", "phone_number", "locale")
_LINES: Final = ("street_address", "postal_code", "locality", "country")
_DATE: Final = ("birthdate_day", "birthdate_month", "birthdate_year")
_YEARLESS: Final = "0000"
_SAVED: Final = _m("Your profile is saved.")
_NO_DATE: Final = _m("This date of birth is not possible. Check day, month and year, or leave all three empty.")


async def show(call: Call) -> Answer:
    """Show the form as it is stored, or as it was typed where something was wrong."""
    account, _ = call.signed_in()
    heard = hear(call)
    async with call.read() as reader:
        profile = await service.read(reader, account)
    known = _fields(profile)
    values = {**heard.values, "known": {**known, **heard.typed}, "months": _months(call.language), "languages": _languages(call, known["locale"])}
    return Page(template="profiles/profile.html", title=_m("Your profile"), values=values, cookies=heard.cookies)


async def change(call: Call) -> Answer:
    """Save the form. A new language is spoken from the next page on."""
    account, _ = call.signed_in()
    try:
        async with call.work() as work:
            changed = await service.change(work, account, await _changes(work, account, call.form))
    except InvalidProfile as refused:
        return say(call, PATH, errors=_by_field(refused.faults), typed={name: call.form.text(name) for name in (*_TEXTS, *_LINES, *_DATE)})
    chosen = call.form.text("locale")
    spoken = "locale" in changed and chosen in call.site.languages
    return say(call, f"{PATH}?ui_locales={chosen}" if spoken else PATH, remark=_SAVED)


def _fields(profile: Profile) -> dict[str, str]:
    """Return a profile as the form's fields have it."""
    year, _, rest = (profile.birthdate or "").partition("-")
    month, _, day = rest.partition("-")
    born = (day.lstrip("0"), month.lstrip("0"), "" if year == _YEARLESS else year)
    address = profile.address
    return {
        **{name: getattr(profile, name) or "" for name in _TEXTS},
        **{name: (getattr(address, name) if address else None) or "" for name in _LINES},
        **dict(zip(_DATE, born, strict=True)),
    }


async def _changes(reader: Reader, account: AccountId, form: Form) -> Changes:
    """Return what the form changes; fields that were not sent stay. A full name that is stored follows the names it is made of."""
    sent: dict[str, str | None] = {name: form.text(name) for name in _TEXTS if name in form}
    lines = {name: form.text(name) for name in _LINES if name in form}
    before = await service.read(reader, account)
    given, family = sent.get("given_name", before.given_name), sent.get("family_name", before.family_name)
    if before.name and (given, family) != (before.given_name, before.family_name):
        sent["name"] = " ".join(part.strip() for part in (given, family) if part)
    return Changes(birthdate=_birthdate(form), address=AddressChanges(**lines) if lines else UNSET, **sent)


def _birthdate(form: Form) -> str | UnsetType | None:
    """Put a date together from its three fields; what cannot be one is left for the profile's own rules to refuse."""
    if not any(name in form for name in _DATE):
        return UNSET
    day, month, year = (_digits(form.text(name)) for name in _DATE)
    if not (day or month or year):
        return None
    if not (day or month):
        return year
    return f"{year or _YEARLESS}-{month.zfill(2)}-{day.zfill(2)}"


def _digits(typed: str) -> str:
    """Return a number in the digits of ASCII, whatever script it was typed in."""
    return "".join(str(unicodedata.digit(letter)) if letter.isdigit() else letter for letter in typed.strip())


def _by_field(faults: Faults) -> dict[str, str | Message]:
    """Return faults by the names of the form's fields."""
    return {name.removeprefix("address."): _NO_DATE if name == "birthdate" else text for name, text in faults.items()}


def _months(language: str) -> tuple[tuple[str, str], ...]:
    from babel.dates import get_month_names  # noqa: PLC0415 - slow to import, and only this page asks

    names = get_month_names("wide", context="stand-alone", locale=language.replace("-", "_"))
    return tuple((str(number), names[number]) for number in range(1, 13))


def _languages(call: Call, stored: str) -> tuple[tuple[str, str], ...]:
    """Return the languages to choose from: the tenant's, and the one she has where it is another."""
    tags = dict.fromkeys([*call.site.languages, stored] if stored else call.site.languages)
    return tuple((tag, own_name(tag)) for tag in tags)


async def _glance(reader: Reader, account: AccountId) -> str | Message:
    profile = await service.read(reader, account)
    name = profile.name or " ".join(part for part in (profile.given_name, profile.family_name) if part)
    return Message("{name}", {"name": name}) if name else _m("Nothing entered yet")


CARDS: Final = (Card(PATH, _m("Profile"), 10, _m("Your name, birthday, address and language."), _glance),)

ENDPOINTS: Final = (
    Endpoint(method="GET", path=PATH, who=SESSION, call=show, summary="A customer's own profile"),
    Endpoint(method="POST", path=PATH, who=SESSION, call=change, takes=Form, summary="Change one's own profile"),
)
