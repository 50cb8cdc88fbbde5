"""Names people choose to sign in with: what they may be made of, and which are nobody's (after RFC 8265, UsernameCaseMapped, and stricter)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from limen.modules.accounts.errors import InvalidIdentifier

SHORTEST: Final = 3
LONGEST: Final = 64
RESERVED: Final = frozenset(
    (  # noqa: SIM905 - one word a line would be a page
        "abuse account accounts admin administrator anonymous api billing contact everyone guest help helpdesk hostmaster info legal limen login "
        "logout mail me moderator nobody noreply null official operator owner postmaster privacy register root sales security self service signin "
        "signout signup staff superuser support sysadmin system team undefined user username webmaster www"
    ).split()
)
"""Nobody's, with or without dots, hyphens and underscores in them: who reads one takes it for the service itself."""

_BETWEEN: Final = "._-"
_LONGEST_TYPED: Final = 256
_OWN_IDS: Final = "acc_"
_TOGETHER: Final = frozenset({"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "CJK", "HANGUL", "BOPOMOFO"})
"""Scripts that are written in one word; all others stand alone, so that a Cyrillic a does not pass for a Latin one."""


def written(value: str) -> str:
    """Return a name in the form that is stored and shown: as it was written, composed (NFC), no spaces around. InvalidIdentifier."""
    normal(value)
    return unicodedata.normalize("NFC", value.strip())


def normal(value: str) -> str:
    """Return the form that is compared: NFKC and case-folded, 3 to 64 letters, digits, `.`, `_` and `-`, in one script. InvalidIdentifier.

    It never looks like an address (no @), a number (it has a letter) or an account's id.
    """
    text = value.strip()
    if len(text) > _LONGEST_TYPED:
        raise InvalidIdentifier(f"a username has {SHORTEST} to {LONGEST} characters")
    found = folded(text)
    if not SHORTEST <= len(found) <= LONGEST:
        raise InvalidIdentifier(f"a username has {SHORTEST} to {LONGEST} characters")
    kinds = [unicodedata.category(sign) for sign in found]
    if any(sign not in _BETWEEN and kind[0] not in "LM" and kind != "Nd" for sign, kind in zip(found, kinds, strict=True)) or folded(found) != found:
        raise InvalidIdentifier("a username is made of letters, digits, dots, hyphens and underscores")
    if kinds[0][0] != "L" and kinds[0] != "Nd":
        raise InvalidIdentifier("a username begins with a letter or a digit")
    if not any(kind[0] == "L" for kind in kinds) or found.startswith(_OWN_IDS):
        raise InvalidIdentifier("a username has a letter, so that it is not taken for a number, and does not begin like an account's id")
    if not _in_one_script(found):
        raise InvalidIdentifier("a username is written in one script")
    return found


def admitted(value: str, reserved: Iterable[str] = ()) -> str:
    """Like `written`, for a name that is to be kept: neither one of `RESERVED` nor of `reserved`, the tenant's. InvalidIdentifier."""
    bare = _bare(normal(value))
    if bare in RESERVED or bare in {_bare(folded(one)) for one in reserved}:
        raise InvalidIdentifier("that username is reserved")
    return written(value)


def folded(text: str) -> str:
    """Return a name without the differences that do not count: compatibility forms and case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _bare(text: str) -> str:
    return "".join(sign for sign in text if sign not in _BETWEEN)


def _in_one_script(text: str) -> bool:
    """Whether its letters are of one script, as far as their names in Unicode tell: the first word of each."""
    scripts = {unicodedata.name(sign, "").partition(" ")[0] for sign in text if unicodedata.category(sign)[0] == "L"}
    return len(scripts) <= 1 or scripts <= _TOGETHER
