"""The factor e-mail code: six digits sent to the address. It proves a mailbox and raises no assurance level (SP 800-63B-4, 3.1.3.1).

What guessing is worth: each code takes five answers. A hundred wrong ones in a row at six digits succeed once in 10,000 times, and once in
5,000 with those to codes that are on their way by then; after that codes have eight digits. All strangers together have at most twenty
codes an hour sent to an address, so guessing for a whole year succeeds less than once in 100 times, at 480 mails a day to its owner.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from limen.kernel import secrets
from limen.modules.factors import MOST_FAILURES, Answer, Challenge, Factor, Match, Means, Mismatch, Purpose, Sending, Trial, typed_digits
from limen.platform.pages import _m

__all__ = ["DIGITS", "EXTENSION", "LIFETIME", "MORE_DIGITS", "TRIES", "CodeAnswer"]

DIGITS: Final = 6
MORE_DIGITS: Final = 8
"""After a hundred wrong answers in a row."""
LIFETIME: Final = timedelta(minutes=10)
TRIES: Final = 5


class CodeAnswer(Answer, frozen=True):
    """A code as typed."""

    code: str = ""

    def said(self) -> str:
        """Return the code."""
        return self.code


def challenge(purpose: Purpose, failures: int = 0) -> Challenge:
    """Make a code: its digest to keep, the mail to send."""
    code = secrets.digits(DIGITS if failures < MOST_FAILURES else MORE_DIGITS)
    values = {"code": code, "minutes": str(int(LIFETIME.total_seconds() // 60))}
    absent = None if purpose is Purpose.SIGN_UP else Sending("unknown_address")
    return Challenge(kept=secrets.digest(code), sending=Sending(f"{purpose.value}_code", values), absent=absent, lifetime=LIFETIME, tries=TRIES)


def check(trial: Trial) -> Match | Mismatch:
    """Compare with the digest of the code that was sent."""
    found = secrets.digest(typed_digits(trial.said).encode("utf-8", "replace"))
    return Match() if trial.kept is not None and secrets.same(trial.kept, found) else Mismatch()


EXTENSION: Final = Factor(
    name="email_code",
    words=_m("Code by e-mail"),
    offer=_m("E-mail me a code"),
    amr=("otp",),
    acr="lmn:email",
    means=Means.ADDRESS,
    ask="email_code/ask.html",
    fields=CodeAnswer,
    field="code",
    wrong=_m("This code is not right."),
    check=check,
    challenge=challenge,
)
