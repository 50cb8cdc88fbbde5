"""Writes values as TOML, the counterpart of `reading`: for exports, and for what is said of a difference."""

from __future__ import annotations

import dataclasses
import enum
import json
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from limen.app.reading import duration_text, key_of

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


def toml(value: object) -> str:
    """Return a value as TOML 1.0 writes it on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, timedelta):
        return toml(duration_text(value))
    if isinstance(value, enum.Enum):
        return toml(value.value)
    if isinstance(value, Mapping):
        return _table((str(key), one) for key, one in value.items())
    if isinstance(value, (tuple, list, frozenset)):
        return f"[{', '.join(toml(one) for one in value)}]"
    if dataclasses.is_dataclass(value):
        return _table((key_of(one.name), getattr(value, one.name)) for one in dataclasses.fields(value))
    return _text(str(value))


def _table(items: Iterable[tuple[str, object]]) -> str:
    inner = ", ".join(f"{key if _BARE.fullmatch(key) else _text(key)} = {toml(one)}" for key, one in items)
    return f"{{ {inner} }}" if inner else "{}"


def _text(text: str) -> str:
    """Write a basic string: JSON's escapes are TOML's, but TOML wants DEL escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
