"""What may be written, so that no expression can cost much.

The language itself stops after 10,000 rounds of its loops, but it lets a text be doubled in each of them (`[a].map(b, b + b)`, nested),
copies a list in each round of `map`, and compiles a pattern anew each time. So loops, names and signs are counted before it compiles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from limen.platform.expressions.errors import BadExpression

LONGEST: Final = 1_000
"""Characters of an expression."""
LONGEST_PATTERN: Final = 100
MOST_LOOPS: Final = 2
MOST_NAMES: Final = 40
MOST_COMMAS: Final = 100
MOST_SUMS: Final = 12

_LOOPS: Final = frozenset({"map", "filter", "all", "exists", "exists_one"})
_WORDS: Final = frozenset({"true", "false", "null", "in"})
_CODED: Final = re.compile(r"\\[xXuUpP0-7]")
_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<raw>[bB]?[rR](?:\"{3}.*?\"{3}|'{3}.*?'{3}|\"[^\"\n]*\"|'[^'\n]*'))
    |(?P<text>[bB]?(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>[0-9](?:[A-Za-z0-9.]|(?<=[eE])[+-])*)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word of an expression, and where it begins."""

    kind: str
    text: str
    at: int


def tokens(text: str) -> list[Token]:
    """Return the words of an expression, less spaces and comments; BadExpression where it is too long."""
    if len(text) > LONGEST:
        raise BadExpression(f"has {len(text):,} characters, and may have {LONGEST:,}", "Say it in fewer words")
    return [Token(found.lastgroup or "", found[0], found.start()) for found in _TOKEN.finditer(text) if found.lastgroup != "space"]


def check(text: str, found: list[Token]) -> None:
    """BadExpression where an expression could cost too much."""
    for most, what, several in _counted(found):
        if len(several) > most:
            line, column = place(text, several[most].at)
            raise BadExpression(f"there are more than {most} {what}", "Split it, or compute it elsewhere", line=line, column=column)
    for number, token in enumerate(found):
        if token.kind == "name" and token.text == "matches" and (reason := _fault_of_pattern(found, number)):
            line, column = place(text, token.at)
            raise BadExpression(reason, "startsWith, endsWith and contains often do", line=line, column=column)


def _counted(found: list[Token]) -> Iterator[tuple[int, str, list[Token]]]:
    members = {number + 1 for number, token in enumerate(found) if token.text == "."}
    names = [token for number, token in enumerate(found) if token.kind == "name" and token.text not in _WORDS and number not in members]
    yield MOST_LOOPS, "loops", [token for number, token in enumerate(found) if token.kind == "name" and token.text in _LOOPS and number in members]
    yield MOST_NAMES, "names", names
    yield MOST_COMMAS, "commas", [token for token in found if token.text == ","]
    yield MOST_SUMS, "sums", [token for token in found if token.text == "+"]


def _fault_of_pattern(found: list[Token], number: int) -> str:
    """Return why a pattern is not taken: one that is written out, short and without counted repetition makes a small machine (RE2)."""
    around = [token.text for token in found[number - 1 : number + 4]] if number else []
    if len(around) < 5 or (around[0], around[2], around[4]) != (".", "(", ")") or found[number + 2].kind not in ("text", "raw"):  # noqa: PLR2004 - . matches ( "" )
        return 'a pattern is written out: text.matches("...")'
    pattern = around[3]
    if len(pattern) > LONGEST_PATTERN:
        return f"a pattern has at most {LONGEST_PATTERN} characters"
    if "{" in pattern or _CODED.search(pattern):
        return "a pattern has no counted repetition, no classes of Unicode and no coded characters"
    return ""


def place(text: str, at: int) -> tuple[int, int]:
    """Return line and column, both from 1, of a position."""
    before = text[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
