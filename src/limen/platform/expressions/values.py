"""What comes out of an expression: JSON, and not much of it."""

from __future__ import annotations

from typing import Final, Protocol, TypeAlias

from limen.platform.expressions.errors import ExpressionFailed

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"

MOST_ITEMS: Final = 100
"""Values in all, those that hold others included."""
MOST_OCTETS: Final = 4_096
"""Of all texts together, in UTF-8."""
_DEEPEST: Final = 4
_INFINITE: Final = (float("inf"), float("-inf"))


class Raw(Protocol):
    """A value of the language: a list or a map holds such values again."""

    def value(self) -> object: ...


class _Room:
    """What may still come."""

    __slots__ = ("items", "octets")

    def __init__(self) -> None:
        self.items = MOST_ITEMS
        self.octets = MOST_OCTETS

    def take(self, text: str | None = None) -> None:
        self.items -= 1
        self.octets -= len(text.encode("utf-8", "replace")) if text is not None else 0
        if self.items < 0 or self.octets < 0:
            raise ExpressionFailed(f"the value is larger than {MOST_ITEMS} items or {MOST_OCTETS:,} octets")


def json_value(raw: Raw) -> JsonValue:
    """Return what a value is in JSON; ExpressionFailed where it is too large or nothing JSON has."""
    return _read(raw, _Room(), 0)


def _read(raw: Raw, room: _Room, depth: int) -> JsonValue:
    value = raw.value()
    if isinstance(value, (list, dict)) and depth == _DEEPEST:
        raise ExpressionFailed(f"the value is nested deeper than {_DEEPEST} levels")
    if isinstance(value, list):
        room.take()
        return [_read(one, room, depth + 1) for one in value]
    if isinstance(value, dict):
        return _table(value, room, depth)
    room.take(value if isinstance(value, str) else None)
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float) and value == value and value not in _INFINITE:  # noqa: PLR0124 - NaN equals nothing
        return value
    raise ExpressionFailed(f"the value is {type(value).__name__}, which JSON has not")


def _table(value: dict[object, Raw], room: _Room, depth: int) -> dict[str, JsonValue]:
    room.take()
    made: dict[str, JsonValue] = {}
    for name, one in value.items():
        if not isinstance(name, str):
            raise ExpressionFailed("the keys of a map are texts in JSON")
        room.octets -= len(name.encode("utf-8", "replace"))
        made[name] = _read(one, room, depth + 1)
    return made
