"""Turns a function into a command: its signature says what may be written, its docstring what that means.

Positional-only parameters are words in their order, keyword-only ones are options; a `bool` is a flag, a tuple an option that may be given
several times. A parameter the docstring does not explain is the house's own and stands in no help. The standard library alone, since
this is imported before anything is known of what is asked (docs/adr/0011).
"""

from __future__ import annotations

import difflib
import enum
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

CONFIG: Final = Path("limen.toml")
"""What every command reads unless it is told another."""
_SHAPES: Final[dict[object, str]] = {str: "TEXT", int: "NUMBER", Path: "PATH"}
_CLOSE: Final = 0.5


class Misspelt(Exception):
    """What was written is no command: one sentence that says what to write."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One word or option. `many`: it may come several times; `words` is its help, and without any it is not shown."""

    name: str
    type: object
    words: str = ""
    default: object = inspect.Parameter.empty
    option: bool = True
    many: bool = False

    @property
    def flag(self) -> bool:
        """Whether it takes no value."""
        return self.option and self.type is bool

    @property
    def needed(self) -> bool:
        """Whether it must be given."""
        return self.default is inspect.Parameter.empty and not self.many

    @property
    def spelled(self) -> str:
        """Return it as it is written: `--dry-run`, or `FILE` for a word."""
        name = self.name.strip("_")
        return f"--{name.replace('_', '-')}" if self.option else name.upper()

    @property
    def shape(self) -> str:
        """Return what a value looks like."""
        if isinstance(self.type, type) and issubclass(self.type, enum.Enum):
            return "|".join(str(one.value) for one in self.type)
        return _SHAPES[self.type]

    def read(self, text: str) -> object:
        """Turn what was written into the value; Misspelt says what would do."""
        if isinstance(self.type, type) and issubclass(self.type, enum.Enum):
            known = {str(one.value): one for one in self.type}
            if text not in known:
                raise Misspelt(f"{self.spelled}: `{text[:60]}` is none of {', '.join(known)}{meant(text, known)}")
            return known[text]
        if self.type is int:
            if not text.removeprefix("-").isdecimal() or not text.isascii():
                raise Misspelt(f"{self.spelled}: `{text[:60]}` is no whole number")
            return int(text)
        return Path(text) if self.type is Path else text


@dataclass(frozen=True, slots=True)
class Spec:
    """A command as it is written: its name (`client add`), what it does, its words and options."""

    name: str
    summary: str
    parameters: tuple[Parameter, ...]

    @classmethod
    def of(cls, name: str, run: Callable[..., object], *, skip: int = 0, more: tuple[Parameter, ...] = ()) -> Spec:
        """Read a function; its first `skip` parameters are not the caller's, and `more` options are added."""
        summary, told = _said(inspect.getdoc(run) or "")
        signature = inspect.signature(run, eval_str=True)
        own = [_parameter(one, told.get(one.name, "")) for one in list(signature.parameters.values())[skip:]]
        return cls(name, summary, (*own, *more))

    @property
    def words(self) -> tuple[Parameter, ...]:
        """What is written without dashes, in order."""
        return tuple(one for one in self.parameters if not one.option)

    @property
    def options(self) -> tuple[Parameter, ...]:
        """What is written with dashes."""
        return tuple(one for one in self.parameters if one.option)

    @property
    def usage(self) -> str:
        """Return how it is written: `limen client add ID KIND [options]`."""
        words = [f"[{one.spelled} ...]" if one.many else one.spelled if one.needed else f"[{one.spelled}]" for one in self.words]
        needed = [f"{one.spelled} {one.shape}" for one in self.options if one.needed]
        return " ".join(["limen", self.name, *words, *needed, "[options]"])


@dataclass(slots=True)
class Parsed:
    """What a function is called with."""

    args: list[object] = field(default_factory=list)
    kwargs: dict[str, object] = field(default_factory=dict)


def parse(spec: Spec, given: Sequence[str]) -> Parsed:
    """Read the words behind a command's name; Misspelt says what is wrong, and what would be right."""
    options = {one.spelled: one for one in spec.options}
    plain: list[str] = []
    found: dict[str, object] = {}
    rest = list(given)
    while rest:
        word = rest.pop(0)
        if word == "--":
            plain += rest
            break
        if not word.startswith("-") or word == "-":
            plain.append(word)
            continue
        name, equals, value = word.partition("=")
        if name not in options:
            shown = [one.spelled for one in spec.options if one.words]
            raise Misspelt(f"`limen {spec.name}` has no option {name[:60]}{meant(name, shown)} See limen {spec.name} --help")
        _take(options[name], value if equals else None, rest, found)
    for one in spec.options:
        if one.needed and one.name not in found:
            raise Misspelt(f"`limen {spec.name}` needs {one.spelled} {one.shape}: {one.words}")
    return Parsed(_placed(spec, plain), found)


def meant(word: str, known: Iterable[str]) -> str:
    """Return `. Did you mean serve?`, or nothing where nothing known is like it."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=_CLOSE)
    return f". Did you mean {near[0]}?" if near else "."


def _take(option: Parameter, value: str | None, rest: list[str], found: dict[str, object]) -> None:
    if option.flag:
        if value is not None:
            raise Misspelt(f"{option.spelled} takes no value")
        found[option.name] = True
        return
    if value is None:
        if not rest or (rest[0].startswith("--") and len(rest[0]) > 2):  # noqa: PLR2004 - a lone `--` is a value like another
            raise Misspelt(f"{option.spelled} needs a value: {option.spelled} {option.shape}")
        value = rest.pop(0)
    if not option.many and option.name in found:
        raise Misspelt(f"{option.spelled} stands there twice")
    before = found.get(option.name, ())
    found[option.name] = (*before, option.read(value)) if option.many and isinstance(before, tuple) else option.read(value)


def _placed(spec: Spec, plain: list[str]) -> list[object]:
    """Hand the words to the parameters in order."""
    placed: list[object] = []
    left = list(plain)
    for one in spec.words:
        if one.many:
            placed += [one.read(word) for word in left]
            left = []
        elif left:
            placed.append(one.read(left.pop(0)))
        elif one.needed:
            raise Misspelt(f"`limen {spec.name}` needs {one.spelled}: {one.words.rstrip('.')}. Write {spec.usage}")
    if left:
        raise Misspelt(f"`limen {spec.name}` does not know what to do with `{left[0][:60]}`. Write {spec.usage}")
    return placed


def _parameter(one: inspect.Parameter, words: str) -> Parameter:
    kind, many = _kind(one.annotation)
    if one.kind is inspect.Parameter.VAR_POSITIONAL:
        return Parameter(one.name, kind, words, (), option=False, many=True)
    return Parameter(one.name, kind, words, one.default, option=one.kind is inspect.Parameter.KEYWORD_ONLY, many=many)


def _kind(annotation: object) -> tuple[object, bool]:
    """Return the plain type of `int | None` and `tuple[str, ...]`, and whether there may be several."""
    inner = typing.get_args(annotation)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return next(one for one in inner if one is not types.NoneType), False
    if typing.get_origin(annotation) is tuple:
        return inner[0], True
    return annotation, False


def _said(text: str) -> tuple[str, dict[str, str]]:
    """Take a docstring apart: what the command does, and what each parameter under `Parameters` means."""
    summary, _, section = text.partition("\n\nParameters\n")
    told: dict[str, str] = {}
    name = ""
    for line in section.splitlines()[1:]:
        if line and not line.startswith(" "):
            name = line.strip()
            told[name] = ""
        elif line.strip():
            told[name] = f"{told[name]} {line.strip()}".strip()
    return " ".join(summary.split()), told
