"""Usernames as identifiers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.modules import accounts
from limen.modules.accounts import InvalidIdentifier


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("Ada.Lovelace", "ada.lovelace"),
        (" ada_1815 ", "ada_1815"),
        ("\uff21da-1", "ada-1"),
        ("stra\u00dfe", "strasse"),
        ("\u0645\u0631\u064a\u0645", "\u0645\u0631\u064a\u0645"),
        ("\u3042\u30a2\u4e9c", "\u3042\u30a2\u4e9c"),
        ("e\u0301mile", "\u00e9mile"),
    ],
)
def test_a_name_is_compared_without_what_does_not_count(written: str, normal: str) -> None:
    """Case and compatibility forms do not count; names of any script are names."""
    assert accounts.normalise("username", written) == normal


def test_a_name_is_shown_as_it_was_written() -> None:
    """Its capitals stay."""
    assert accounts.written("username", " Ada.L ") == "Ada.L"


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "ab", "a" * 65, "a" * 300, "\ufdfa" * 4),
        *("ada@example.com", "+4915112345678", "015112345678", "1815-12", "acc_ada"),
        *("ada lovelace", "_ada", ".ada", "ada!", "ad\u0430lovelace", "ada\u200bl", "ad\u202ea1", "\U0001f600abc"),
    ],
)
def test_what_is_no_name_is_refused(wrong: str) -> None:
    """Nothing that looks like an address, a number or an account's id, no hidden signs, and no letters of two scripts in one name."""
    with pytest.raises(InvalidIdentifier):
        accounts.normalise("username", wrong)


@given(st.text(max_size=70))
def test_what_is_normal_stays_normal(text: str) -> None:
    """Normalising twice is normalising once, so that what is stored is found again."""
    try:
        once = accounts.normalise("username", text)
    except InvalidIdentifier:
        return
    assert accounts.normalise("username", once) == once
    assert accounts.normalise("username", accounts.written("username", text)) == once
