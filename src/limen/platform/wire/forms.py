"""`application/x-www-form-urlencoded`, read strictly: of queries and of bodies (RFC 6749, appendix B; WHATWG URL, section 5.1).

Stricter than browsers are: whatever two readers could understand differently (a name given twice, a broken escape, bytes that are
no UTF-8, a NUL) is refused, so that no proxy, log or second parser can see another request than we do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import ClassVar, Final, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import inspect

from limen.kernel.errors import Kind, LimenError

FORM_LIMIT: Final = 16_384
"""Octets of a body or query that are read at most."""
PAIR_LIMIT: Final = 64
"""Pairs in one form."""

_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,17}")
_BOOLS: Final = {"true": True, "false": False}
_NONE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})

T = TypeVar("T")


class BadForm(LimenError):
    """The form cannot be read in one way only; the text says where, never what it held."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "malformed_form"


class Form:
    """The fields of one form by name, each once. It hides its values in repr, because they are secrets as often as not."""

    __slots__ = ("_many", "_values")

    def __init__(self, values: Mapping[str, str], many: Mapping[str, tuple[str, ...]] = _NONE) -> None:
        self._values = values
        self._many = many

    def get(self, name: str) -> str | None:
        """Return a field, or None where it was not sent."""
        return self._values.get(name)

    def text(self, name: str) -> str:
        """Return a field, or "" where it was not sent."""
        return self._values.get(name, "")

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field that may be repeated, in order."""
        if name in self._many:
            return self._many[name]
        value = self._values.get(name)
        return () if value is None else (value,)

    def items(self) -> tuple[tuple[str, str], ...]:
        """Return the fields in the order in which they came; of a repeated one the first value."""
        return tuple(self._values.items())

    def without(self, name: str) -> Form:
        """Return the form less one field."""
        return Form({key: value for key, value in self._values.items() if key != name}, self._many)

    def into(self, kind: type[T]) -> T:
        """Return the fields as a msgspec Struct; text becomes a whole number or a bool where the Struct asks for one. BadForm names the field."""
        values: dict[str, object] = {**self._values, **self._many}
        for name in _untexted(kind) & self._values.keys():  # type: ignore[arg-type] # a class can be hashed
            text = self._values[name]
            values[name] = int(text) if _INTEGER.fullmatch(text) else _BOOLS.get(text, text)
        try:
            return msgspec.convert(values, kind)
        except msgspec.ValidationError as trouble:
            raise BadForm(str(trouble)) from None

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Form) and self._values == other._values and dict(self._many) == dict(other._many)

    __hash__ = None  # type: ignore[assignment]  # a form is compared in tests, never a key

    def __repr__(self) -> str:
        return f"Form({', '.join(self._values)})"


@cache
def _untexted(kind: type) -> frozenset[str]:
    """Return the members of a Struct that are whole numbers or bools. msgspec's own leniency would go on to take 0 for an instant and `null` for None."""
    shape = inspect.type_info(kind)
    fields = shape.fields if isinstance(shape, inspect.StructType) else ()
    return frozenset(one.encode_name for one in fields if _is_untexted(one.type))


def _is_untexted(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.Metadata):
        return _is_untexted(kind.type)
    if isinstance(kind, inspect.UnionType):
        return any(_is_untexted(one) for one in kind.types)
    return isinstance(kind, (inspect.IntType, inspect.BoolType))


EMPTY: Final = Form(MappingProxyType({}))


def read(raw: bytes, *, repeatable: frozenset[str] = frozenset(), limit: int = FORM_LIMIT) -> Form:
    """Return the fields of a body or query. `repeatable` names what may come more than once (RFC 8707 `resource`). BadForm otherwise."""
    if not raw:
        return EMPTY
    if len(raw) > limit:
        raise BadForm(f"more than {limit} bytes")
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        raise BadForm("a byte outside ASCII that is not percent-encoded") from None
    pieces = text.split("&")
    if len(pieces) > PAIR_LIMIT:
        raise BadForm(f"more than {PAIR_LIMIT} parameters")
    if "\0" not in text and (form := _quickly(text, pieces, repeatable)) is not None:
        return form
    return _slowly(pieces, repeatable)


def _quickly(text: str, pieces: list[str], repeatable: frozenset[str]) -> Form | None:
    """Read the usual request of a machine: every piece a pair, every name once and without escapes. None: it is not of that kind."""
    try:
        values = dict([piece.split("=", 1) for piece in pieces])
    except ValueError:  # a piece without "="
        return None
    if len(values) != len(pieces) or "" in values:
        return None
    if "%" in text or "+" in text:
        for name, value in values.items():
            if "%" in name or "+" in name:
                return None
            if "%" in value or "+" in value:
                values[name] = _decoded(value, "a value")
    if repeatable:
        return Form(values, {name: (values[name],) for name in repeatable if name in values})
    return Form(values)


def _slowly(pieces: list[str], repeatable: frozenset[str]) -> Form:
    values: dict[str, str] = {}
    many: dict[str, tuple[str, ...]] = {}
    for piece in pieces:
        if not piece:  # "a=1&" and "a=1&&b=2", as WHATWG has it
            continue
        raw_name, _, raw_value = piece.partition("=")
        name, value = _decoded(raw_name, "a name"), _decoded(raw_value, "a value")
        if not name:
            raise BadForm("a parameter without a name")
        if name in repeatable:
            many[name] = (*many.get(name, ()), value)
            values.setdefault(name, value)
        elif name in values:
            raise BadForm("a parameter is given twice", operator=f"twice: {name[:60]!r}")
        else:
            values[name] = value
    return Form(values, many) if many else Form(values)


def _decoded(text: str, what: str) -> str:
    if "\0" in text:
        raise BadForm(f"NUL in {what}")
    if "%" not in text:
        return text.replace("+", " ") if "+" in text else text
    if _BAD_ESCAPE.search(text):
        raise BadForm(f"a broken percent-encoding in {what}")
    try:
        decoded = unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError:
        raise BadForm(f"{what} is not UTF-8") from None
    if "\0" in decoded:
        raise BadForm(f"NUL in {what}")
    return decoded
