"""The factor password: Argon2id, long rather than intricate (SP 800-63B-4, 3.1.1). Pure; the host stores and counts."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from limen.extensions.factors.password.blocklist import is_guessable
from limen.extensions.factors.password.known import how_known
from limen.extensions.factors.password.settings import Tenant
from limen.modules.factors import Answer, Chosen, Context, Factor, Match, Means, Mismatch, Trial, Unfit
from limen.platform.crypto import PasswordTooLong, hash_password, needs_rehash, verify_nothing, verify_password
from limen.platform.pages import Message, _m, counted

__all__ = ["EXTENSION", "LONGEST", "PasswordAnswer"]

LONGEST: Final = 256
"""Characters; none is ever cut off."""
_ADVISED: Final = 72
"""The estimate takes time that grows with the length, so it looks at the beginning only."""


class PasswordAnswer(Answer, frozen=True):
    """A password as typed."""

    password: str = ""

    def said(self) -> str:
        """Return the password."""
        return self.password

    def known(self, rules: object) -> bool:
        """True if attackers know the password by now and the tenant's `rules` want it changed. Reads files: not for the event loop."""
        wanted = rules if isinstance(rules, Tenant) else Tenant()
        return wanted.check_at_sign_in and how_known(self.password) is not None


def check(trial: Trial) -> Match | Mismatch:
    """Compare with the stored hash; without one, spend as much. A hash of older parameters is made anew."""
    try:
        if trial.kept is None:
            verify_nothing(trial.said)
            return Mismatch()
        stored = trial.kept.decode()
        if not verify_password(stored, trial.said):
            return Mismatch()
    except PasswordTooLong:
        return Mismatch()
    return Match(hash_password(trial.said).encode() if needs_rehash(stored) else None)


def enrol(value: str, context: Context) -> Chosen | Unfit:
    """Judge a new password by length and guessability, never by its kinds of characters, and hash it."""
    rules = context.rules if isinstance(context.rules, Tenant) else Tenant()
    least = rules.minimum_alone if context.alone else rules.minimum_beside
    if len(value) > LONGEST:
        return _too_long()
    normal = unicodedata.normalize("NFKC", value)
    if len(normal) < least:
        reason = counted(
            "Use at least {count} character. A few words make a good password.", "Use at least {count} characters. A few words make a good password.", least
        )
        return Unfit("too_short", reason, advice(normal, context) if normal else ())
    if is_guessable(normal, context.words):
        return Unfit("guessable", _m("This password is easy to guess. Use a few words that do not belong together."), advice(normal, context))
    if (how := how_known(value)) is not None:
        return Unfit(how.code, how.reason, advice(normal, context))
    try:
        return Chosen(hash_password(value).encode())
    except PasswordTooLong:
        return _too_long()


def _too_long() -> Unfit:
    return Unfit("too_long", Message(_m("This password is too long. Use at most {most} characters."), {"most": LONGEST}))


_ADVICE: Final = {
    re.compile("row|keyboard"): _m("Keys that lie in a row are tried first."),
    re.compile("repeat", re.IGNORECASE): _m("Repeating letters or words adds little."),
    re.compile("sequence", re.IGNORECASE): _m("Sequences such as abc or 6543 are tried first."),
    re.compile("year|date", re.IGNORECASE): _m("Years and dates that belong to you are easy to find out."),
    re.compile("surname|name", re.IGNORECASE): _m("Names are easy to guess."),
    re.compile("common password|top-", re.IGNORECASE): _m("It is much like a password that many people use."),
    re.compile("substitution", re.IGNORECASE): _m("Writing @ instead of a does not help much."),
    re.compile("capital|uppercase", re.IGNORECASE): _m("Capital letters do not help much."),
}
"""What the estimate finds, in our words, which are translated."""


def advice(password: str, context: Context) -> tuple[str, ...]:
    """Return what would make a password stronger, as advice only: it decides nothing."""
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its dictionaries take long to load, and most passwords are fine

    found = zxcvbn(password[:_ADVISED], user_inputs=list(context.words))["feedback"]
    said = [str(found["warning"] or ""), *(str(one) for one in found["suggestions"])]
    return tuple(dict.fromkeys(text for pattern, text in _ADVICE.items() for one in said if pattern.search(one)))


EXTENSION: Final = Factor(
    name="password",
    words=_m("Password"),
    offer=_m("Use my password"),
    amr=("pwd",),
    acr="aal1",
    means=Means.KNOWN,
    ask="password/ask.html",
    choose="password/choose.html",
    fields=PasswordAnswer,
    field="password",
    wrong=_m("The address and the password do not fit together. Check both."),
    check=check,
    enrol=enrol,
    settings=Tenant,
    slow=True,
)
