"""Reads TOML strictly into dataclasses. A mistake names the file, line and key, says why, and what to write instead.

`limen.toml` and tenant files go through here; what a key means is the business of the dataclass it is read into. A dataclass checks its own
values in `__post_init__` by raising `ValueError("<field>: <reason>")`; a field named `from_` is the key `from`.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import re
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import ClassVar, Final, Literal, TypeVar

from limen.kernel.errors import Kind, LimenError
from limen.kernel.secrets import Secret
from limen.platform.duties.settings import BadSetting

T = TypeVar("T")

_DURATION: Final = re.compile(r"(0|[1-9][0-9]{0,8})(ms|s|m|h|d|w)")
_UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\-]+)\s*\]\]?\s*(#.*)?")
_KEY: Final = re.compile(r"\s*([A-Za-z0-9_\-]+)\s*[.=]")
_AT_LINE: Final = re.compile(r" ?\(at line (\d+), column \d+\)")
_LONGEST_SHOWN: Final = 60

Step = str | int
"""One step of the way to a table: a key, or the index in an array of tables."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One wrong entry: where, why, and what to do about it."""

    key: str
    reason: str
    suggestion: str = ""
    where: str = ""

    def __str__(self) -> str:
        sentence = f"{self.key}: {self.reason}" if self.key else self.reason
        return ": ".join(part for part in (self.where, sentence) if part) + (f". {self.suggestion}" if self.suggestion else "")


class Misconfigured(LimenError):
    """The configuration cannot be used; `mistakes` has every one that was found."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "misconfigured"

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(one) for one in self.mistakes))


class Wrong(ValueError):
    """A value that does not fit: the reason, and what would."""

    def __init__(self, reason: str, suggestion: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.suggestion = suggestion


@dataclass(slots=True)
class Source:
    """A file being read: its tables, the lines its keys stand on, and the mistakes found so far."""

    file: Path | None
    tables: dict[str, object]
    environ: Mapping[str, str] = field(default_factory=dict)
    """Where `env:NAME` looks."""
    lines: dict[tuple[Step, ...], int] = field(default_factory=dict)
    origins: dict[tuple[Step, ...], str] = field(default_factory=dict)
    """Where values come from that the file does not have."""
    mistakes: list[Mistake] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """What relative paths are relative to."""
        return self.file.parent.resolve() if self.file else Path.cwd()

    def where(self, way: tuple[Step, ...]) -> str:
        """Return `file line 7` for a key, or the nearest table above it whose line is known."""
        if way in self.origins:
            return self.origins[way]
        if self.file is None:
            return ""
        for length in range(len(way), 0, -1):
            if line := self.lines.get(way[:length]):
                return f"{self.file.name} line {line}"
        return self.file.name

    def wrong(self, way: tuple[Step, ...], reason: str, suggestion: str = "") -> None:
        """Note a mistake and read on, so that all of them are told at once."""
        self.mistakes.append(Mistake(spelled(way), reason, suggestion, self.where(way)))

    def finish(self) -> None:
        """Raise `Misconfigured` if anything was wrong."""
        if self.mistakes:
            raise Misconfigured(self.mistakes)


def read_file(file: Path, environ: Mapping[str, str], *, makes: str) -> Source:
    """Parse a TOML file; `Misconfigured` if it is not there (`makes` says how one comes by it) or is not TOML."""
    try:
        text = file.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark
    except FileNotFoundError:
        raise Misconfigured([Mistake("", f"there is no file {file}", makes)]) from None
    except OSError as error:
        raise Misconfigured([Mistake("", f"{file} cannot be read: {error.strerror}", "Name another, or let this user read it")]) from None
    except UnicodeDecodeError:
        raise Misconfigured([Mistake("", f"{file} is not written in UTF-8", "TOML is; see https://toml.io for the format")]) from None
    return read_text(text, file, environ)


def read_text(text: str, file: Path, environ: Mapping[str, str]) -> Source:
    """Parse TOML that stands, or would stand, in `file`."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = _AT_LINE.search(str(error))
        where = f"{file.name} line {line[1]}" if line else file.name
        raise Misconfigured([Mistake("", _AT_LINE.sub("", str(error)), "See https://toml.io for the format", where)]) from error
    return Source(file, tables, environ, _lines(text))


def _lines(text: str) -> dict[tuple[Step, ...], int]:
    """Find the line of each table and key. Good enough for messages: what TOML allows beyond plain keys is passed over."""
    found: dict[tuple[Step, ...], int] = {}
    counts: dict[tuple[Step, ...], int] = {}
    here: tuple[Step, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(line):
            here = _way(header[2].split("."), counts, array=header[1] == "[[")
            found.setdefault(here, number)
        elif key := _KEY.match(line):
            found.setdefault((*here, key[1]), number)
    return found


def _way(names: list[str], counts: dict[tuple[Step, ...], int], *, array: bool) -> tuple[Step, ...]:
    way: tuple[Step, ...] = ()
    for position, name in enumerate(names, 1):
        way = (*way, name)
        if array and position == len(names):
            counts[way] = counts.get(way, -1) + 1
        if way in counts:
            way = (*way, counts[way])
    return way


def spelled(way: tuple[Step, ...]) -> str:
    """Return a way as people write it: `[server] listen`, `[[tenant.client]] #2 secret`."""
    if len(way) <= 1:
        return "".join(str(step) for step in way)
    *table, key = way
    names = ".".join(step for step in table if isinstance(step, str))
    nth = f" #{table[-1] + 1}" if isinstance(table[-1], int) else ""
    opened, closed = ("[[", "]]") if nth else ("[", "]")
    if isinstance(key, int):
        return f"[[{names}]] #{key + 1}"
    return f"{opened}{names}{closed}{nth} {key}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word most like `word`, as a suggestion."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.0)
    return f"The nearest known name is `{found[0]}`" if found else "Nothing is known here"


def key_of(name: str) -> str:
    """Return the key a dataclass field is read from: `from_` is `from`."""
    return name.rstrip("_")


@cache
def _hints(kind: object) -> dict[str, object]:
    return typing.get_type_hints(kind)


def record(kind: type[T], source: Source, way: tuple[Step, ...], values: Mapping[str, object]) -> T | None:
    """Read one table into dataclass `kind`; mistakes are noted at `source`, and then None comes back."""
    hints = _hints(kind)  # type: ignore[arg-type] # a class can be hashed
    fields = {key_of(one.name): one for one in dataclasses.fields(kind) if one.init}  # type: ignore[arg-type] # T is a dataclass
    before = len(source.mistakes)
    given: dict[str, object] = {}
    for key, value in values.items():
        if key not in fields:
            source.wrong((*way, key), "unknown key", nearest(key, fields))
            continue
        hint = hints[fields[key].name]
        try:
            inner = table_of(hint)
            given[fields[key].name] = _named(inner, source, (*way, key), value) if inner else convert(hint, value, source)
        except Wrong as wrong:
            source.wrong((*way, key), wrong.reason, wrong.suggestion)
    for key, one in fields.items():
        if key not in values and one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING:
            source.wrong((*way, key), "is missing", f"Write {key} = {example(hints[one.name])}")
    if len(source.mistakes) > before:
        return None
    return _made(kind, source, way, given)


def table_of(hint: object) -> type | None:
    """Return the dataclass of a field that holds tables by name, `dict[str, <dataclass>]`; None for any other field."""
    inner = typing.get_args(hint) if typing.get_origin(hint) is dict else ()
    return inner[1] if inner and isinstance(inner[1], type) and dataclasses.is_dataclass(inner[1]) else None


def _named(kind: type[T], source: Source, way: tuple[Step, ...], value: object) -> dict[str, T]:
    """Read tables by name, each mistake at its own place."""
    made: dict[str, T] = {}
    for name, table in _typed(value, dict).items():
        if not isinstance(table, dict):
            source.wrong((*way, name), "must be a table", f"Write [{'.'.join(str(step) for step in (*way, name) if isinstance(step, str))}]")
        elif (one := record(kind, source, (*way, name), table)) is not None:
            made[name] = one
    return made


def _made(kind: type[T], source: Source, way: tuple[Step, ...], given: dict[str, object]) -> T | None:
    try:
        return kind(**given)
    except BadSetting as error:
        text, suggestion = f"{error.key.rpartition('.')[2]}: {error.reason}", error.suggestion
    except (ValueError, LimenError) as error:
        text, suggestion = str(error), getattr(error, "suggestion", "")
    field_path, found, reason = text.partition(": ")
    name = field_path.rpartition(".")[2]
    named = found and any(name == one.name for one in dataclasses.fields(kind))  # type: ignore[arg-type] # T is a dataclass
    source.wrong((*way, key_of(name)) if named else way, reason if named else text, suggestion[:1].upper() + suggestion[1:])
    return None


def convert(kind: object, value: object, source: Source) -> object:
    """Turn a TOML value into the type a field asks for; `Wrong` with reason and suggestion if it does not fit."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return convert(next(one for one in inner if one is not types.NoneType), value, source)
    if origin is Literal:
        return _chosen(value, {str(one): one for one in inner})
    if origin is tuple:
        return tuple(convert(inner[0], one, source) for one in _typed(value, list))
    if origin in (dict, Mapping):
        return {str(key): convert(inner[1], one, source) for key, one in _typed(value, dict).items()}
    if kind is Secret or origin is Secret:
        return Secret(referenced(_typed(value, str), source))
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _inner(kind, _typed(value, dict), source)
    return _plain(kind, value, source)


def _plain(kind: object, value: object, source: Source) -> object:
    if kind is timedelta:
        return duration(value)
    if kind is Path:
        return source.folder / _typed(value, str)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _chosen(value, {str(one.value): one for one in kind})
    if kind in (str, int, bool):
        return _typed(value, kind)
    if kind is float:
        return float(_typed(value, int) if isinstance(value, int) else _typed(value, float))
    message = f"no TOML value makes a {kind}"
    raise TypeError(message)


def _inner(kind: type[T], values: Mapping[str, object], source: Source) -> T:
    """Read a table inside a value, such as one of a list of links."""
    apart = Source(None, {}, source.environ)
    made = record(kind, apart, (), values)
    if made is None:
        first = apart.mistakes[0]
        raise Wrong(f"{first.key}: {first.reason}" if first.key else first.reason, first.suggestion)
    return made


def referenced(text: str, source: Source) -> str:
    """Follow `env:NAME` and `file:PATH`, which keep a secret out of the file; other text is the secret itself."""
    how, _, rest = text.partition(":")
    if how == "env":
        if not rest:
            raise Wrong("`env:` names no variable", "Write env:NAME")
        if not source.environ.get(rest):
            raise Wrong(
                f"there is no variable {rest[:_LONGEST_SHOWN]}, or it is empty", f"Set it in the environment of this command: {rest[:_LONGEST_SHOWN]}=..."
            )
        return source.environ[rest]
    if how == "file":
        try:
            return (source.folder / rest).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise Wrong(f"the file {rest[:_LONGEST_SHOWN]} cannot be read", "It is looked for beside this file") from None
    return text


_WORDS: Final[dict[object, tuple[str, str]]] = {
    str: ("text", '"..."'),
    int: ("a whole number", "1"),
    float: ("a number", "0.5"),
    bool: ("true or false", "true"),
    list: ("a list", "[...]"),
    dict: ("a table", "{ ... }"),
    timedelta: ("a duration", '"10m"'),
    Path: ("a path", '"var/..."'),
}


def example(kind: object) -> str:
    """Return how a value of this type is written."""
    if kind in _WORDS:
        return _WORDS[kind][1]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return f'"{next(iter(kind)).value}"'
    return "[...]" if typing.get_origin(kind) is tuple else '"..."'


def _typed(value: object, kind: object) -> typing.Any:  # noqa: ANN401 - checked here, used by `convert` alone
    if type(value) is kind:
        return value
    has, _ = _WORDS.get(type(value), (type(value).__name__, ""))
    wants, shown = _WORDS[kind]
    raise Wrong(f"must be {wants}, not {has}", f"Write for example {shown}")


def _chosen(value: object, known: Mapping[str, object]) -> object:
    text = _typed(value, str)
    if text not in known:
        shown = text[:_LONGEST_SHOWN]
        raise Wrong(f"`{shown}` is none of {', '.join(known)}", nearest(text, known))
    return known[text]


def duration(value: object) -> timedelta:
    """Read `"24h"`, `"30d"`, `"10m"`: one number and one of ms, s, m, h, d, w."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        shown = f"`{value}`"[:_LONGEST_SHOWN]
        raise Wrong(f"{shown} is no duration", 'Write a number and one unit of ms, s, m, h, d, w: "90s", "10m", "24h", "30d"')
    return int(found[1]) * _UNITS[found[2]]


def duration_text(value: timedelta) -> str:
    """Return the text with the largest unit that `duration` reads back."""
    unit = next((one for one in ("d", "h", "m", "s") if value % _UNITS[one] == timedelta()), "ms")
    return f"{value // _UNITS[unit]}{unit}"
