"""What `--help` prints."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from limen.app.arguments import Parameter, Spec

_WIDEST: Final = 110
_NAMES: Final = 34
"""Columns for names; a longer one has its words on the next line."""

Rows = Sequence[tuple[str, str]]


def overview(usage: str, lead: str, tables: Iterable[tuple[str, Rows]], close: str) -> str:
    """Return the help of a group of commands, or of all."""
    return "\n".join([lead, "", f"{_bold('Usage')}  {usage}", *(line for head, rows in tables for line in _table(head, rows)), "", close])


def page(spec: Spec) -> str:
    """Return the help of one command."""
    lines = [*textwrap.wrap(spec.summary, _width()), "", f"{_bold('Usage')}  {spec.usage}"]
    lines += _table("Arguments", [(one.spelled, _words(one)) for one in spec.words])
    lines += _table("Options", [(_option(one), _words(one)) for one in spec.options if one.words])
    return "\n".join(lines)


def _option(one: Parameter) -> str:
    return one.spelled if one.flag else f"{one.spelled} {one.shape}"


def _words(one: Parameter) -> str:
    shown = one.default if isinstance(one.default, (str, int, os.PathLike)) and not one.flag else ""
    said = [one.words]
    if one.option and one.many:
        said.append("May be given several times.")
    if shown not in ("", 0):
        said.append(f"[{shown}]")
    if not one.option and "|" in one.shape:
        said.append(f"[{one.shape}]")
    return " ".join(said)


def _table(head: str, rows: Rows) -> list[str]:
    if not rows:
        return []
    width = min(_NAMES, max(len(name) for name, _ in rows))
    lines = ["", _bold(head)]
    for name, words in rows:
        wrapped = textwrap.wrap(words, _width() - width - 4) or [""]
        if len(name) > width:
            lines.append(f"  {name}")
        else:
            lines.append(f"  {name:<{width}}  {wrapped.pop(0)}".rstrip())
        lines += [f"  {'':<{width}}  {line}" for line in wrapped]
    return lines


def _width() -> int:
    return min(_WIDEST, shutil.get_terminal_size().columns)


def _bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text
