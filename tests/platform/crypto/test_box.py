"""Boxes: what is sealed opens at its place under its key, and nowhere else."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.platform.crypto import OVERHEAD, Box, Place, Unsealable, key_id_of, new_key

HERE = Place("accounts", "email", "acme", "acc_1")
KEY = bytes(range(32))


@given(st.binary(max_size=300), st.text(max_size=40))
def test_what_is_sealed_opens(plain: bytes, row: str) -> None:
    """Any octets come back from any row, and the sealed form is longer by a fixed number of octets."""
    box, place = Box(KEY), replace(HERE, row=row)
    sealed = box.seal(plain, place)
    assert box.open(sealed, place) == plain
    assert len(sealed) == len(plain) + OVERHEAD


@pytest.mark.parametrize("other", [replace(HERE, table="profiles"), replace(HERE, column="phone"), replace(HERE, tenant="other"), replace(HERE, row="acc_2")])
def test_a_wrong_place_never_opens(other: Place) -> None:
    """A value moved to another table, column, tenant or row is refused."""
    with pytest.raises(Unsealable):
        Box(KEY).open(Box(KEY).seal(b"anna@example.com", HERE), other)


@given(st.integers(min_value=0, max_value=OVERHEAD + 4), st.integers(min_value=1, max_value=255))
def test_a_changed_octet_never_opens(position: int, change: int) -> None:
    """Version, key id, nonce, text and tag are all authenticated."""
    sealed = bytearray(Box(KEY).seal(b"hello", HERE))
    sealed[position] ^= change
    with pytest.raises(Unsealable):
        Box(KEY).open(bytes(sealed), HERE)


@given(st.binary(max_size=80))
def test_rubbish_never_opens(rubbish: bytes) -> None:
    """Opening arbitrary octets raises Unsealable and nothing else."""
    with pytest.raises(Unsealable):
        Box(KEY).open(rubbish, HERE)
    with pytest.raises(Unsealable):
        Box(KEY).open(b"\x01" + bytes.fromhex(Box(KEY).id) + rubbish, HERE)


@given(st.lists(st.text(max_size=6), min_size=8, max_size=8))
def test_places_are_unambiguous(parts: list[str]) -> None:
    """Two different places never write the same octets; a bar before the row is refused."""
    places = [Place(*parts[:4]), Place(*parts[4:])]
    written = []
    for place in places:
        if "|" in place.table + place.column + place.tenant:
            with pytest.raises(ValueError, match="no bar"):
                place.octets()
            return
        written.append(place.octets())
    assert (written[0] == written[1]) == (places[0] == places[1])


def test_older_keys_open_and_the_newest_seals() -> None:
    """While a key rotates both open, only the new one seals, and a value says which it was sealed under."""
    old, fresh = new_key(), new_key()
    before = Box(old).seal(b"x", HERE)
    box = Box(fresh, old)
    after = box.seal(b"x", HERE)
    assert box.open(before, HERE) == box.open(after, HERE) == b"x"
    assert (box.is_current(before), box.is_current(after)) == (False, True)
    assert key_id_of(after) == box.id != key_id_of(before)
    with pytest.raises(Unsealable):
        Box(fresh).open(before, HERE)


def test_equal_values_look_different() -> None:
    """Two seals of one value share nothing that shows they are equal."""
    box = Box(KEY)
    assert box.seal(b"same", HERE) != box.seal(b"same", HERE)


def test_a_box_keeps_its_key_to_itself() -> None:
    """Neither repr nor pickle lets a key out, and a key of another length is refused."""
    assert KEY.hex() not in repr(Box(KEY))
    with pytest.raises(TypeError):
        pickle.dumps(Box(KEY))
    with pytest.raises(ValueError, match="32 octets"):
        Box(KEY[:16])
