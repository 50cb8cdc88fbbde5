"""Addresses that are plainly addresses are judged without the library, and never otherwise than it would."""

from __future__ import annotations

import string

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from limen.modules import accounts
from limen.modules.accounts import InvalidIdentifier

_part = st.text("abzAZ09._+-", max_size=70)
_label = st.text("abzAZ09-xn", max_size=66)
_top = st.one_of(st.sampled_from(["com", "DE", "test", "local", "localhost", "invalid", "Onion", "arpa", "example", "x", "c0m", "xn--p1ai"]), _label)
_addresses = st.builds(lambda local, labels, top: f"{local}@{'.'.join([*labels, top])}", _part, st.lists(_label, max_size=3), _top)
_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def by_library(text: str) -> str | None:
    """Return what the library makes of an address, in the form that is compared."""
    try:
        found = validate_email(text, strict=True, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return f"{found.local_part.translate(_SMALL)}@{(found.ascii_domain or found.domain).lower()}"


@given(_addresses)
@example(f"{'a' * 64}@{'b' * 59}.com")
@example(f"{'a' * 65}@b.com")
@example("a@" + "b." * 30 + "com")
@example("a@xn--bcher-kva.example")
@example("a.@example.com")
@example("-a@example.com")
@example("a@1.2.3")
@settings(max_examples=1500, deadline=None)
def test_no_other_judgement_than_the_library(text: str) -> None:
    """What it takes is taken, in the same form; what it refuses is refused."""
    wanted = by_library(text)
    if wanted is None:
        with pytest.raises(InvalidIdentifier):
            accounts.normalise("email", text)
    else:
        assert accounts.normalise("email", text) == wanted
