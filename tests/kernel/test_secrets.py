"""What hides itself stays hidden, what is drawn is evenly drawn."""

from __future__ import annotations

import logging
import pickle

import pytest

from limen.kernel import secrets
from limen.kernel.secrets import Secret


def test_a_secret_shows_itself_to_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Neither repr, nor format, nor a log line, nor a pickle has it."""
    secret = Secret("the value")
    logging.getLogger("test").warning("%s %r", secret, secret)
    for text in (repr(secret), str(secret), f"{secret}", caplog.text):
        assert "the value" not in text
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret.reveal() == "the value"


def test_codes_have_as_many_digits_as_asked_and_every_one_comes() -> None:
    """Leading zeros are kept, and the ten digits come about equally often."""
    drawn = [secrets.digits(6) for _ in range(20_000)]
    assert all(len(code) == 6 and code.isdigit() for code in drawn)
    for place in range(6):
        counts = [sum(code[place] == digit for code in drawn) for digit in "0123456789"]
        assert min(counts) > 1700
        assert max(counts) < 2300


def test_secrets_are_the_same_only_octet_by_octet() -> None:
    """Text and octets compare by their UTF-8 form."""
    assert secrets.same("é", "é".encode())
    assert not secrets.same("e", "é")
    assert not secrets.same("", "a")


def test_tokens_carry_their_prefix_and_256_bits() -> None:
    """A scanner finds them by the prefix; 32 octets are 43 letters of base64url."""
    token = secrets.token("lmn_rt_")
    assert token.startswith("lmn_rt_")
    assert len(token) == len("lmn_rt_") + 43
    assert token != secrets.token("lmn_rt_")
