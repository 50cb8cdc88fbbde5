"""Telephone numbers as identifiers."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.modules import accounts
from limen.modules.accounts import InvalidIdentifier, PhoneOrigin
from limen.modules.accounts.model import phones

NUMBER = "+4915112345678"
WRONG = ("", "0151 12345678", "+49", "+49151" + "1" * 30, "1-800-FLOWERS", "+49 151 12345678 ext. 5", "tel:+4915112345678", "+999123456789")


@pytest.mark.parametrize(
    ("written", "region"),
    [
        ("+49 151 12345678", ""),
        (" (+49) 151/1234-5678 ", ""),
        ("\u202a+49 151 12345678\u202c", ""),
        ("\uff0b49 151 12345678", ""),
        ("0151 12345678", "DE"),
        ("+49 (0) 151 12345678", "US"),
        ("\u0660\u0661\u0665\u0661 \u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668", "DE"),
    ],
)
def test_a_number_is_one_however_it_is_written(written: str, region: str) -> None:
    """Spaces, brackets, marks of direction, other digits and the habit of the country make no other number; what is stored is E.164."""
    assert accounts.normalise("phone", written, region) == NUMBER
    assert accounts.written("phone", written, region) == NUMBER


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_number_is_refused_without_repeating_it(wrong: str) -> None:
    """A number without its country is none where no region is set; letters, extensions and URIs are none anywhere."""
    with pytest.raises(InvalidIdentifier) as refused:
        accounts.normalise("phone", wrong)
    assert not wrong or wrong not in refused.value.operator


@given(st.text("+0123456789 ()-./", max_size=30))
def test_what_is_normal_stays_normal(text: str) -> None:
    """Normalising twice is normalising once: what is stored is found again."""
    try:
        once = accounts.normalise("phone", text, "DE")
    except InvalidIdentifier:
        return
    assert accounts.normalise("phone", once) == once


def test_a_number_says_where_it_is() -> None:
    """Country, range of ten thousand neighbours, and whether its owner earns by being called."""
    assert accounts.phone_origin(NUMBER) == PhoneOrigin("DE", "+491511234", costly=False)
    assert accounts.phone_origin("+12025550123").region == "US"
    assert accounts.phone_origin("+18765550123").region == "JM"
    assert accounts.phone_origin("+499001234567").costly
    assert accounts.phone_origin("+881612345678").region == ""
    assert accounts.phone_origin("nonsense") == PhoneOrigin("", "nons", costly=True)


def test_the_countries_are_the_library_s() -> None:
    """The list that settings are read by is the one numbers are judged by."""
    assert phones.REGIONS == phonenumbers.SUPPORTED_REGIONS
