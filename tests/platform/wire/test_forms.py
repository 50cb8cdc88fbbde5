"""The strict reader of forms and queries."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.platform.wire import forms
from limen.platform.wire.forms import BadForm

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
_FIELDS = st.dictionaries(_TEXT.filter(bool), _TEXT, max_size=12)


@given(_FIELDS)
def test_every_encoded_form_is_read_back(fields: dict[str, str]) -> None:
    """What a browser or client encodes comes back unchanged and in order."""
    assert forms.read(urlencode(fields).encode()).items() == tuple(fields.items())


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """No input brings anything but a form or BadForm; what is read agrees with a second, independent reader."""
    try:
        form = forms.read(raw)
    except BadForm:
        return
    assert form.items() == tuple(parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=False, encoding="utf-8", errors="strict"))


@given(st.text("ab=&%+0\0", max_size=12))
def test_the_fast_and_the_slow_road_agree(text: str) -> None:
    """A name is never there twice and never empty, on whichever road the form was read."""
    try:
        form = forms.read(text.encode())
    except BadForm:
        return
    names = [piece.partition("=")[0] for piece in text.split("&") if piece]
    assert "" not in form
    assert len(form) == len(names)


@pytest.mark.parametrize(
    "raw",
    [
        b"a=1&a=2",
        b"a=1&%61=2",
        b"a=%",
        b"a=%4",
        b"a=%zz",
        b"%gg=1",
        b"a=%ff",
        b"a=%ed%a0%80",
        b"a=%c0%ae",
        b"a=%00",
        b"a=\0",
        b"\0=a",
        b"=1",
        b"%00=1",
        b"=",
        "a=ä".encode(),
        b"a=+%",
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(raw: bytes) -> None:
    """Names given twice, broken escapes, overlong and lone-surrogate UTF-8, NUL, raw bytes and nameless pairs are refused."""
    with pytest.raises(BadForm):
        forms.read(raw)


def test_size_and_count_are_bounded() -> None:
    """16 KiB and 64 pairs are taken, one more of either is not."""
    assert len(forms.read(b"&".join(b"a%d=1" % n for n in range(64)))) == 64
    with pytest.raises(BadForm, match="64"):
        forms.read(b"&".join(b"a%d=1" % n for n in range(65)))
    with pytest.raises(BadForm, match="64"):
        forms.read(b"&" * 64)
    assert len(forms.read(b"a=" + b"x" * 16_382).text("a")) == 16_382
    with pytest.raises(BadForm, match="16384"):
        forms.read(b"a=" + b"x" * 16_383)


def test_empty_pieces_and_missing_values() -> None:
    """Idle ampersands are skipped, a name alone is an empty value, plus is a space, and an absent field is None."""
    form = forms.read(b"a&b=&&c=x+y%2B&")
    assert form.items() == (("a", ""), ("b", ""), ("c", "x y+"))
    assert form.get("d") is None
    assert form.text("d") == ""
    assert forms.read(b"") == forms.EMPTY


def test_only_named_fields_may_be_repeated() -> None:
    """`resource` comes twice where the caller says so (RFC 8707, section 2), and nothing else does."""
    form = forms.read(b"resource=a&x=1&resource=b", repeatable=frozenset({"resource"}))
    assert form.all("resource") == ("a", "b")
    assert form.all("x") == ("1",)
    assert form.all("y") == ()
    with pytest.raises(BadForm, match="twice"):
        forms.read(b"resource=a&x=1&x=2", repeatable=frozenset({"resource"}))


def test_values_do_not_show() -> None:
    """Neither repr nor an error carries a value: they are passwords and codes."""
    assert "hunter2" not in repr(forms.read(b"password=hunter2"))
    with pytest.raises(BadForm) as caught:
        forms.read(b"password=hunter2&password=hunter3")
    assert "hunter" not in f"{caught.value} {caught.value.operator}"


class _Search(msgspec.Struct, forbid_unknown_fields=True):
    subject: str = ""
    limit: int = 50
    kinds: tuple[str, ...] = ()


def test_a_form_becomes_a_struct() -> None:
    """Numbers are read where numbers are asked for, repeated fields become a list, and a wrong one is named without its value."""
    form = forms.read(b"subject=acc_1&limit=7&kinds=a&kinds=b", repeatable=frozenset({"kinds"}))
    assert form.into(_Search) == _Search("acc_1", 7, ("a", "b"))
    with pytest.raises(BadForm, match="limit") as caught:
        forms.read(b"limit=many").into(_Search)
    assert "many" not in str(caught.value)
    with pytest.raises(BadForm, match="colour"):
        forms.read(b"colour=red").into(_Search)


class _Typed(msgspec.Struct):
    limit: Annotated[int, msgspec.Meta(le=50, description="At most.")] | None = None
    since: datetime | None = None
    wanted: bool = False
    name: str | None = None


def test_text_is_read_in_one_way_only() -> None:
    """A number has one spelling, `null` is a text and nothing else, an instant is RFC 3339 and no count of seconds, a bool is true or false."""
    taken = forms.read(b"limit=-7&since=2026-01-02T03:04:05Z&wanted=true&name=null").into(_Typed)
    assert taken == _Typed(-7, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), wanted=True, name="null")
    for raw in ("limit=null", "limit=1e3", "limit=1.0", "limit=01", "limit=", "limit=%2B1", "limit=true", "limit=-0", "limit=" + "9" * 30):
        with pytest.raises(BadForm, match="limit"):
            forms.read(raw.encode()).into(_Typed)
    for raw in ("since=0", "since=1e3", "since=null", "since=", "wanted=1", "wanted=True", "wanted=null", "wanted=1e3"):
        with pytest.raises(BadForm, match=raw.partition("=")[0]):
            forms.read(raw.encode()).into(_Typed)
