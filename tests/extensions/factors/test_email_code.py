"""The factor e-mail code: six digits, compared by digest, typed as people type."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from limen.extensions.factors.email_code import EXTENSION, challenge, check
from limen.kernel import secrets
from limen.modules.factors import Match, Mismatch, Purpose, Trial, typed_digits

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def tried(kept: bytes | None, said: str) -> Match | Mismatch:
    return check(Trial(kept, said, NOW))


def test_a_challenge_keeps_a_digest_and_sends_the_code() -> None:
    """Six digits, ten minutes, five tries; what is kept does not hold the code."""
    made = challenge(Purpose.SIGN_IN)
    code = made.sending.values["code"]
    assert len(code) == 6
    assert code.isdigit()
    assert (made.lifetime.total_seconds(), made.tries, made.sending.values["minutes"]) == (600, 5, "10")
    assert code.encode() not in made.kept
    assert tried(made.kept, code) == Match()


def test_after_a_hundred_failures_a_code_is_longer() -> None:
    """Six digits up to ninety-nine wrong answers in a row, eight from then on; compared, typed and sent the same way."""
    assert [len(challenge(Purpose.SIGN_IN, failures).sending.values["code"]) for failures in (0, 99, 100, 1_000_000)] == [6, 6, 8, 8]
    made = challenge(Purpose.SIGN_IN, 100)
    code = made.sending.values["code"]
    assert tried(made.kept, f"{code[:4]} {code[4:]}") == Match()
    assert tried(made.kept, code[:6]) == Mismatch()
    assert len(made.kept) == len(challenge(Purpose.SIGN_IN).kept)


def test_the_mail_says_what_the_code_is_for() -> None:
    """Signing in, signing up and recovering have their own words; only signing up sends a code to an address without an account."""
    found = {purpose: challenge(purpose) for purpose in Purpose}
    assert {purpose: made.sending.template for purpose, made in found.items()} == {
        Purpose.SIGN_IN: "sign_in_code",
        Purpose.SIGN_UP: "sign_up_code",
        Purpose.RECOVERY: "recovery_code",
    }
    assert {purpose for purpose, made in found.items() if made.absent is None} == {Purpose.SIGN_UP}


def test_a_code_may_be_typed_as_people_do() -> None:
    """Blanks, dashes and the digits of other scripts are the same code."""
    kept = secrets.digest("042917")
    for typed in ("042917", " 042 917 ", "042-917", "042\u2013917", "٠٤٢٩١٧", "0 4 2 9 1 7\n", "\uff10\uff14\uff12\uff19\uff11\uff17"):
        assert tried(kept, typed) == Match(), typed
    for typed in ("", "42917", "0429170", "042918", "042917x"):
        assert tried(kept, typed) == Mismatch(), typed


def test_without_a_code_nothing_is_right() -> None:
    """Where none was sent, or a decoy was kept, no answer fits."""
    assert tried(None, "000000") == Mismatch()
    assert tried(secrets.octets(32), "000000") == Mismatch()


@given(st.text(max_size=80))
def test_anything_may_be_typed(typed: str) -> None:
    """Whatever is typed is an answer, right or wrong, and never an error."""
    assert isinstance(tried(secrets.digest("123456"), typed), Match | Mismatch)
    assert typed_digits(typed_digits(typed)) == typed_digits(typed) or len(typed) > 40


def test_the_extension_reaches_no_level() -> None:
    """A mailbox is no authenticator of its own."""
    assert (EXTENSION.name, EXTENSION.acr) == ("email_code", "lmn:email")
