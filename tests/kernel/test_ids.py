"""Ids are ordered by time, alike in form, and never the same."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from limen.kernel import ids

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_an_id_is_its_prefix_and_26_letters() -> None:
    """The form is stable: other people's databases have columns for it."""
    assert re.fullmatch(r"acc_[0-9a-hjkmnp-tv-z]{26}", ids.new("acc", NOW))


def test_ids_sort_by_the_millisecond_they_were_made_in() -> None:
    """Keyset pages and indexes rely on it."""
    made = [ids.new("acc", NOW + timedelta(milliseconds=n)) for n in range(200)]
    assert made == sorted(made)


def test_ids_of_one_instant_differ() -> None:
    """Eighty random bits keep them apart."""
    assert len({ids.new("acc", NOW) for _ in range(10_000)}) == 10_000
