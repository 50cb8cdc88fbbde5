"""What the steps of signing up note for each other."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Final

MADE: Final = "signup.made"
"""Mark: this journey made the account."""
PASSWORD_DONE: Final = "signup.password_done"  # noqa: S105 - the name of a mark
NAME_DONE: Final = "signup.name_done"
SECRET: Final = "signup.secret"  # noqa: S105 - a name too
"""Kept: what is to be stored of the password that was chosen."""
GIVEN: Final = "signup.given_name"
FAMILY: Final = "signup.family_name"
CHOSEN: Final = (PASSWORD_DONE, NAME_DONE, SECRET, GIVEN, FAMILY)
"""All that somebody chose for an account to come."""


class Wish(enum.Enum):
    """Whether somebody is asked for something, and may leave it."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


MAIL_DOMAINS: Final = (
    *("gmail.com", "googlemail.com", "yahoo.com", "yahoo.de", "yahoo.fr", "yahoo.co.uk", "hotmail.com"),
    *("hotmail.de", "hotmail.fr", "hotmail.co.uk", "outlook.com", "outlook.de", "outlook.fr", "live.com"),
    *("live.de", "icloud.com", "me.com", "mac.com", "msn.com", "aol.com", "gmx.de"),
    *("gmx.net", "gmx.at", "gmx.ch", "gmx.com", "web.de", "t-online.de", "freenet.de"),
    *("posteo.de", "mailbox.org", "proton.me", "protonmail.com", "orange.fr", "laposte.net", "libero.it"),
    *("mail.com", "ymail.com", "email.com", "mail.ru", "yandex.com"),
)
"""Where very many people have their mail. What is among these is never taken for a slip of another."""
_SHORTEST: Final = 8
"""Shorter domains have too many neighbours that are domains too."""


def meant(address: str, own: Iterable[str] = ()) -> str | None:
    """Return the address that somebody may have meant who slipped once in its domain, which then is a common one or one of `own`; else None.

    A slip is one letter wrong, missing or too many, or two neighbours changed about (Damerau 1964). Nothing is looked up.
    """
    local, _, domain = address.rpartition("@")
    known = (*own, *MAIL_DOMAINS)
    if domain in known:
        return None
    near = next((one for one in known if len(one) >= _SHORTEST and _is_slip(domain, one)), None)
    return f"{local}@{near}" if near else None


def _is_slip(typed: str, right: str) -> bool:
    """True if two different texts are one slip apart."""
    if abs(len(typed) - len(right)) > 1:
        return False
    at = next((place for place, (one, other) in enumerate(zip(typed, right, strict=False)) if one != other), min(len(typed), len(right)))
    left, wanted = typed[at:], right[at:]
    return left[1:] == wanted[1:] or left[1:] == wanted or left == wanted[1:] or (left[2:] == wanted[2:] and left[:2] == wanted[1::-1])
