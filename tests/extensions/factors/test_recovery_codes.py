"""The factor recovery codes: ten of seventy bits, each good once, typed as people copy from paper."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from limen.extensions.factors.recovery_codes import CODES, EXTENSION, LETTERS, check
from limen.modules.factors import Context, Match, Mismatch, Trial

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def made() -> tuple[list[str], bytes]:
    """Return the codes as shown, and what is kept of them."""
    how = EXTENSION.making
    assert how is not None
    secret = how.make()
    shown = how.present(secret, Context(words=("ada@example.com", "Acme")))["codes"]
    assert isinstance(shown, list)
    return [str(code) for code in shown], how.keep(secret)


def test_ten_codes_of_at_least_64_bits() -> None:
    """All different, of fourteen letters of thirty-two; none of them stands in what is kept."""
    codes, kept = made()
    assert len(set(codes)) == CODES
    for code in codes:
        assert len(code.replace("-", "")) * 5 == LETTERS * 5 >= 64
        assert code.replace("-", "").encode() not in kept


def test_each_is_good_once() -> None:
    """In any order, until none is left."""
    codes, kept = made()
    for code in reversed(codes):
        found = check(Trial(kept, code, NOW))
        assert isinstance(found, Match)
        assert found.renewed is not None
        kept = found.renewed
        assert check(Trial(kept, code, NOW)) == Mismatch()
    assert check(Trial(kept, codes[0], NOW)) == Mismatch()


@pytest.mark.parametrize("how", [str.lower, lambda code: code.replace("-", " "), lambda code: code.replace("0", "o").replace("1", "l")])
def test_a_code_is_typed_as_people_copy(how: object) -> None:
    """In small letters, with other blanks, with O for 0 and l for 1."""
    assert callable(how)
    codes, kept = made()
    for code in codes:
        assert isinstance(check(Trial(kept, how(code), NOW)), Match)
