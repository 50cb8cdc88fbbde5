"""The strict reader of JSON bodies."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.platform.wire import bodies
from limen.platform.wire.bodies import BadJson


class _Thing(msgspec.Struct):
    name: str = ""
    count: int = 0
    inner: dict[str, str] = {}


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[]", b"null", b'{"name":1}', b'{"name":"a","name":"b"}', b'{"inner":{"x":"1","x":"2"}}', b'{"x":1,"\\u0078":2}', b'{"name":"\\u0000"}',
        b'{"inner":{"\\u0000":"a"}}', b'{"name":"\\ud800"}', b'{"name":"\xff"}', b"\xef\xbb\xbf{}",
        b'{"count":NaN}', b'{"count":1e400}', b'{"count":' + b"9" * 5000 + b"}",
        b'{"other":' + b"9" * 5000 + b"}",
        b'{"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}", b'{"name":"' + b"x" * 65_536 + b'"}', b"{} {}", b"{'name':1}",
    ],
)  # fmt: skip
def test_what_is_not_one_clear_object_is_refused(raw: bytes) -> None:
    """Malformed, mistyped, too deep, too long, ambiguous or unstorable bodies are BadJson, nothing else."""
    with pytest.raises(BadJson):
        bodies.read(raw, _Thing)


def test_a_whole_number_may_be_spelt_with_a_point() -> None:
    """As JSON Schema has it: 1.0 is an integer; what else is wrong with the body stays wrong."""
    assert bodies.read(b'{"count":7.0}', _Thing) == _Thing(count=7)
    assert bodies.read(b'{"count":2e3}', _Thing) == _Thing(count=2_000)
    for raw in (
        b'{"count":7.5}',
        b'{"count":1e300}',
        b'{"count":7.0,"name":"\\ud800"}',
        b'{"count":7.0,"count":7.0}',
        b'{"count":7.0,"name":NaN}',
        b'{"count":7.0}x',
    ):
        with pytest.raises(BadJson):
            bodies.read(raw, _Thing)


def test_the_place_is_named_and_the_value_is_not() -> None:
    """A client learns which member is wrong; what it held stays out of answers and logs."""
    with pytest.raises(BadJson, match=r"\$\.count") as caught:
        bodies.read(b'{"count":"hunter2"}', _Thing)
    assert "hunter2" not in str(caught.value)


def test_an_escaped_backslash_is_no_nul() -> None:
    """The six characters backslash-u-0-0-0-0 are a text like any other."""
    assert bodies.read(b'{"name":"\\\\u0000"}', _Thing).name == "\\u0000"


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=5))
def test_every_object_is_read_back(inner: dict[str, str]) -> None:
    """What a client encodes comes back unchanged, unless it holds a NUL or no UTF-8."""
    text = json.dumps({"inner": inner})
    try:
        assert bodies.read(text.encode(), _Thing).inner == inner
    except BadJson:
        assert "\\u0000" in text or "\\ud" in text
