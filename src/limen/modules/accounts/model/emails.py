"""E-mail addresses as identifiers (RFC 5321, RFC 6531): judged as the library judges them, most of them without it."""

from __future__ import annotations

import re
import string
from typing import Final

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from limen.modules.accounts.errors import InvalidIdentifier

_LONGEST: Final = 320
_USUAL: Final = re.compile(r"([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@((?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+([A-Za-z]{2,63}))")
"""What most addresses look like (RFC 5322, 3.4.1, less quotes and rare signs). What looks otherwise the library judges, which takes twenty times as long."""
_LONGEST_USUAL: Final = 64
"""Characters of the local part, and of what stands behind it, up to which every limit of RFC 5321, 4.5.3.1, is kept."""
_SMALL: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def written(value: str) -> str:
    """Return an address in the form that is stored and written to: domain in lower case, no spaces around. InvalidIdentifier."""
    local, domain, _ = _parts(value)
    return f"{local}@{domain}"


def normal(value: str) -> str:
    """Return the form that is compared: the domain in IDNA's ASCII form and lower case, and A to Z of the local part in lower case. InvalidIdentifier.

    Nothing else is folded: `str.casefold` makes one address of `stra\u00dfe@` and `strasse@`, which are two mailboxes, and whoever proves
    one would get the other's account.
    """
    local, _, ascii_domain = _parts(value)
    return f"{local.translate(_SMALL)}@{ascii_domain}"


def _parts(value: str) -> tuple[str, str, str]:
    text = value.strip()
    if not 0 < len(text) <= _LONGEST:
        raise InvalidIdentifier("an e-mail address has up to 254 characters")
    if usual := _usual(text):
        return usual
    try:
        found = validate_email(text, strict=True, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise InvalidIdentifier("that is no e-mail address") from None
    return found.local_part, found.domain.lower(), (found.ascii_domain or found.domain).lower()


def _usual(text: str) -> tuple[str, str, str] | None:
    """Return what the library would, for an address that is plainly one; None where it has to look itself."""
    found = _USUAL.fullmatch(text)
    if found is None or "--" in text:
        return None
    local, domain, top = found.groups()
    if len(local) > _LONGEST_USUAL or len(domain) > _LONGEST_USUAL or top.lower() in SPECIAL_USE_DOMAIN_NAMES:
        return None
    domain = domain.lower()
    return local, domain, domain
