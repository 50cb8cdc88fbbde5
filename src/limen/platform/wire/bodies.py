"""JSON bodies, read strictly into a msgspec Struct (RFC 8259; I-JSON of RFC 7493: no name twice, no lone surrogate)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, ClassVar, Final, TypeAlias, TypeVar

import msgspec

from limen.kernel.errors import Kind, LimenError

JSON_LIMIT: Final = 65_536
"""Octets of a JSON body that are read at most."""

_A_FLOAT: Final = "got `float`"
_EXACT: Final = 2**53
"""Up to here whole numbers are exact for everybody (RFC 7493, section 2.2)."""

T = TypeVar("T")

Timestamp: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
"""An instant with its zone (RFC 3339), which descriptions call `date-time`."""


class BadJson(LimenError):
    """The body is no JSON, or not of the shape asked for; the text names the place (`$.name`), never the value."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "malformed_json"


class _Twice(ValueError):
    pass


def read(raw: bytes, kind: type[T], *, limit: int = JSON_LIMIT) -> T:
    """Return the body as `kind`. BadJson where it is too long, too deep, malformed, of another shape, or names a member twice."""
    if len(raw) > limit:
        raise BadJson(f"more than {limit} bytes")
    try:
        value = _decoded(raw, kind)
        _check(raw)
    except msgspec.ValidationError as trouble:
        raise BadJson(str(trouble)) from None
    except _Twice:
        raise BadJson("a member is given twice") from None
    except RecursionError:
        raise BadJson("nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        raise BadJson("not well-formed JSON") from None
    return value


def _decoded(raw: bytes, kind: type[T]) -> T:
    """Decode; a number such as 1.0 is a whole one for JSON Schema, and so for what describes the API, though not for the decoder."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as trouble:
        if _A_FLOAT not in str(trouble):
            raise
        return msgspec.json.decode(json.dumps(json.loads(raw, parse_float=_number)), type=kind)


def _number(text: str) -> float | int:
    value = float(text)
    return int(value) if value.is_integer() and abs(value) <= _EXACT else value


def _check(raw: bytes) -> None:
    """Read once more for what the decoder lets pass: members given twice, and NUL, which no database text can hold."""
    if b"\\u0000" in raw:
        _refuse_nul(json.loads(raw))
    json.loads(raw, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _Twice


def _refuse_nul(value: object) -> None:
    if isinstance(value, str) and "\0" in value:
        raise BadJson("NUL in a text")
    inner: Iterable[object] = ()
    if isinstance(value, dict):
        inner = [*value.keys(), *value.values()]
    elif isinstance(value, list):
        inner = value
    for item in inner:
        _refuse_nul(item)
