"""The forms of an identifier, by its kind: as it is stored and shown, and as it is compared and found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from limen.modules.accounts.errors import InvalidIdentifier
from limen.modules.accounts.model import EMAIL, KINDS, PHONE, USERNAME, emails, phones, usernames


@dataclass(frozen=True, slots=True)
class _Form:
    """What one kind does with a value and a region. `admit` judges what is to become an identifier, with names that are nobody's."""

    written: Callable[[str, str], str]
    normal: Callable[[str, str], str]
    admit: Callable[[str, str, Iterable[str]], str]
    kept: Callable[[str], str]


_FORMS: Final[Mapping[str, _Form]] = {
    EMAIL: _Form(
        written=lambda value, _: emails.written(value),
        normal=lambda value, _: emails.normal(value),
        admit=lambda value, _, __: emails.written(value),
        kept=emails.normal,
    ),
    PHONE: _Form(
        written=phones.normal,
        normal=phones.normal,
        admit=lambda value, region, _: phones.admitted(value, region),
        kept=str,
    ),
    USERNAME: _Form(
        written=lambda value, _: usernames.written(value),
        normal=lambda value, _: usernames.normal(value),
        admit=lambda value, _, reserved: usernames.admitted(value, reserved),
        kept=usernames.folded,
    ),
}


def written(kind: str, value: str, region: str = "") -> str:
    """Return an identifier in the form that is stored, shown and written to. InvalidIdentifier.

    `region` (ISO 3166-1) is where a telephone number without its country's digits is; without it, that is none.
    """
    return _form(kind).written(value, region)


def normalise(kind: str, value: str, region: str = "") -> str:
    """Return the form in which identifiers are compared and found; `region` as for `written`. InvalidIdentifier, which never repeats the value."""
    return _form(kind).normal(value, region)


def admitted(kind: str, value: str, region: str, reserved: Iterable[str]) -> str:
    """Return in its written form what may become an identifier, judged more strictly than what is only looked for. InvalidIdentifier."""
    return _form(kind).admit(value, region, reserved)


def kept(kind: str, stored: str) -> str:
    """Return the compared form of an identifier that is stored; rules that became stricter since have no say."""
    return _form(kind).kept(stored)


def _form(kind: str) -> _Form:
    try:
        return _FORMS[kind]
    except KeyError:
        raise InvalidIdentifier(f"there are identifiers of kind {', '.join(KINDS)}") from None
