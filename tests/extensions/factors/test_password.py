"""The factor password: what it accepts, how it stores, and what a wrong one costs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from argon2 import PasswordHasher

from limen.extensions.factors.password import EXTENSION, LONGEST, check, enrol
from limen.extensions.factors.password.blocklist import is_guessable
from limen.extensions.factors.password.settings import Tenant
from limen.modules.factors import Chosen, Context, Match, Mismatch, Trial, Unfit
from limen.platform.pages import Message

GOOD = "four grey geese dance"
WORDS = ("Acme Shop", "ada.lovelace@example.com")


def tried(kept: bytes | None, said: str) -> Match | Mismatch:
    return check(Trial(kept, said, datetime(2026, 11, 25, 12, tzinfo=UTC)))


def chosen(password: str, context: Context | None = None) -> bytes:
    found = enrol(password, context or Context(words=WORDS))
    assert isinstance(found, Chosen), found
    return found.secret


def refused(password: str, context: Context | None = None) -> str:
    found = enrol(password, context or Context(words=WORDS))
    assert isinstance(found, Unfit), found
    return found.code


def test_a_password_is_kept_as_argon2id_and_fits_itself_only() -> None:
    """Argon2id, 19 MiB, two passes; the same words fit, others do not, and nothing asks for it to be made anew."""
    stored = chosen(GOOD)
    assert stored.startswith(b"$argon2id$v=19$m=19456,t=2,p=1$")
    assert tried(stored, GOOD) == Match(None)
    assert tried(stored, GOOD + " ") == Mismatch()
    assert tried(stored, GOOD.upper()) == Mismatch()


def test_forms_of_the_same_letters_are_the_same_password() -> None:
    """NFKC: a phone that composes letters and a desktop that does not type the same password."""
    stored = chosen("Cafe\u0301 am grünen Fluß")
    assert tried(stored, "Caf\u00e9 am gru\u0308nen Fluß") == Match(None)


def test_length_counts_characters_and_nothing_is_cut() -> None:
    """Fifteen where it signs in alone, eight beside a second factor; 256 fit, every one of them counts; beyond is said, not cut."""
    assert chosen("grey geese danc")
    assert refused("grey geese dan") == "too_short"
    assert chosen("grey geese dan", Context(alone=False))
    assert refused("geese!?", Context(alone=False)) == "too_short"
    long = "".join(chr(ord("a") + (n * 7 + n // 26) % 26) + str(n) for n in range(200))[:LONGEST]
    stored = chosen(long)
    assert tried(stored, long) == Match(None)
    assert tried(stored, long[:-1]) == Mismatch()
    assert refused(long + "x") == "too_long"
    assert refused("\ufdfa" * 60) == "too_long"


def test_over_a_thousand_octets_are_refused_before_hashing() -> None:
    """Octets count after normalisation; a longer one is wrong, not an error, whether or not there is a password."""
    stored = chosen(GOOD)
    assert tried(stored, "\ufdfa" * 60) == Mismatch()  # one character that becomes eighteen
    assert tried(None, "x" * 100_000) == Mismatch()


def test_a_tenant_sets_the_length() -> None:
    """Settings lower or raise it within limits, and say which limits."""
    assert chosen("grey geese", Context(rules=Tenant(minimum_alone=10)))
    with pytest.raises(ValueError, match="minimum_alone: must lie between 8 and 64"):
        Tenant(minimum_alone=7)


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Password12345678",
        "P@ssw0rdP@ssw0rd!",
        "aaaaaaaaaaaaaaaaaaaa",
        "123456789012345678",
        "qwertyuiopasdfghjkl",
        "abcabcabcabcabcabc",
        "acmeshop-acmeshop-1",
        "adalovelaceexample",
        "ada.lovelace@example.com",
        "thisismypassword2024",
        "!!!!!!!!!!!!!!!!!!",
        "letmein-letmein-99",
        "sommer2024sommer2024",
    ],
)
def test_what_everybody_would_try_is_refused(password: str) -> None:
    """Common words, the service's and one's own name, rows of keys, repetitions: alone, joined or in disguise."""
    assert refused(password) == "guessable"


@pytest.mark.parametrize(
    "password",
    [GOOD, "correct staple battery lamp", "Wer reitet so spät durch Wind", "x7#Kq!vT2@mZp9$Lw", "القطة تنام فوق السطح", "我家的猫喜欢在屋顶上睡觉和看月亮"],
)
def test_long_and_odd_passwords_are_fine(password: str) -> None:
    """No rule about kinds of characters; any script will do."""
    assert chosen(password)


def test_guessing_takes_only_what_is_at_hand() -> None:
    """A word of the person's own makes a password weak; the same password is fine for somebody else."""
    assert is_guessable("lovelace-lovelace", ["ada.lovelace@example.com"])
    assert not is_guessable("lovelace-lovelace-xyzu7", [])


def test_advice_comes_with_a_refusal_and_decides_nothing() -> None:
    """The estimate's advice is in our words and only beside a refusal."""
    found = enrol("passwordpassword", Context())
    assert isinstance(found, Unfit)
    assert found.advice
    assert all(isinstance(one, str) for one in found.advice)
    short = enrol("grey", Context())
    assert isinstance(short, Unfit)
    assert isinstance(short.reason, Message)
    assert short.reason.count == 15


def test_an_old_hash_is_made_anew_when_it_fits() -> None:
    """A right password whose hash has older parameters comes back hashed with today's; a wrong one brings nothing."""
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(GOOD).encode()
    found = tried(old, GOOD)
    assert isinstance(found, Match)
    assert found.renewed is not None
    assert tried(found.renewed, GOOD) == Match(None)
    assert tried(old, "something else entirely") == Mismatch()


def test_nothing_kept_is_never_right() -> None:
    """For somebody unknown or without a password every answer is wrong."""
    assert tried(None, GOOD) == Mismatch()
    assert tried(None, "") == Mismatch()


def test_the_extension_says_what_it_is() -> None:
    """Its proof is a password (RFC 8176 `pwd`) and reaches aal1."""
    assert (EXTENSION.name, EXTENSION.amr, EXTENSION.acr, EXTENSION.slow) == ("password", ("pwd",), "aal1", True)
