"""The factor recovery codes: ten that are kept on paper, each good once (look-up secrets: SP 800-63B-4, section 3.1.2). Pure; the host stores and counts.

Fourteen letters of thirty-two are 70 bits, so a plain digest is right for what is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from limen.kernel import secrets
from limen.modules.factors import Answer, Context, Factor, Making, Match, Means, Mismatch, Trial
from limen.platform.pages import _m

__all__ = ["CODES", "EXTENSION", "LETTERS", "RecoveryAnswer"]

CODES: Final = 10
LETTERS: Final = 14
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no letter looks like another or like a digit."""
_READ_AS: Final = str.maketrans("OIL", "011")
_HALF: Final = LETTERS // 2
_LONGEST: Final = 60

_encode: Final = msgspec.msgpack.Encoder().encode
_made: Final = msgspec.msgpack.Decoder(tuple[str, ...]).decode
_kept: Final = msgspec.msgpack.Decoder(tuple[bytes, ...]).decode


class RecoveryAnswer(Answer, frozen=True):
    """A code as typed."""

    recovery_code: str = ""

    def said(self) -> str:
        """Return the code."""
        return self.recovery_code


def normal(said: str) -> str:
    """Return a code as it was made, however it is typed: in small letters, with blanks or dashes, O for 0, I or L for 1."""
    return "".join(letter for letter in said[:_LONGEST].upper() if letter.isalnum()).translate(_READ_AS)


def make() -> bytes:
    """Make all codes."""
    return _encode(tuple([secrets.letters(_ALPHABET, LETTERS) for _ in range(CODES)]))


def keep(made: bytes) -> bytes:
    """Keep a digest of each."""
    return _encode(tuple([secrets.digest(code) for code in _made(made)]))


def present(made: bytes, context: Context) -> Mapping[str, object]:
    """Show all, in halves."""
    return {"codes": [f"{code[:_HALF]}-{code[_HALF:]}" for code in _made(made)], "service": (*context.words, "", "")[1]}


def check(trial: Trial) -> Match | Mismatch:
    """Compare with every code that is left; the one that fits is used up."""
    said = secrets.digest(normal(trial.said))
    left = _kept(trial.kept) if trial.kept is not None else ()
    fits = [code for code in left if secrets.same(code, said)]
    return Match(_encode(tuple([code for code in left if code not in fits]))) if fits else Mismatch()


EXTENSION: Final = Factor(
    name="recovery_codes",
    words=_m("Recovery codes"),
    offer=_m("Use a recovery code"),
    amr=("otp",),
    acr="aal1",
    means=Means.HELD,
    ask="recovery_codes/ask.html",
    fields=RecoveryAnswer,
    field="recovery_code",
    wrong=_m("This code is not right, or it was used before. Each one works once."),
    check=check,
    making=Making(
        why=_m("Ten codes to keep on paper, for when your phone is lost. Each works once."),
        make=make,
        present=present,
        show="recovery_codes/show.html",
        keep=keep,
        asks=False,
    ),
)
