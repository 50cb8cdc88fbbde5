"""Tables and pages, and what the code says of itself in its docstrings."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

WORDS: Final[Mapping[object, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    timedelta: "duration",
    Path: "path",
}
"""What plain types are called."""

_NOTE: Final = "Made from the code by `make reference`; do not edit."

_HEADING: Final = re.compile(r"`\[+[\w.]+\]+`: ")
"""With which docstrings of settings begin; the page has it above them."""

Row = tuple[str, ...]


def table(head: Row, rows: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of a table, with a blank one behind it."""
    yield _line(head)
    yield _line(("---",) * len(head))
    yield from (_line(row) for row in rows)
    yield ""


def _line(cells: Row) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def code(text: str) -> str:
    """Return text as code; nothing for nothing."""
    return f"`{text}`" if text else ""


def one_of(words: Iterable[str]) -> str:
    """Return words, each as code."""
    return ", ".join(code(word) for word in words)


def page(title: str, lead: str, lines: Iterable[str]) -> str:
    """Return a whole page."""
    text = "\n".join((f"# {title}", "", _NOTE, "", *textwrap.wrap(lead, 150, break_long_words=False, break_on_hyphens=False), "", *lines))
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def sentence(kind: type) -> str:
    """Return the docstring of a class as one paragraph; it must have one of its own."""
    text = " ".join((vars(kind).get("__doc__") or "").split())
    if not text or text.startswith(f"{kind.__name__}("):  # what a dataclass makes up
        raise SystemExit(f"{kind.__module__}.{kind.__name__} has no docstring")
    plain = _HEADING.sub("", text)
    return plain[0].upper() + plain[1:]


def said(kind: type) -> dict[str, str]:
    """Return the sentence under each field of a class that has one, those it inherits too."""
    inherited = [said(base) for base in kind.__bases__ if dataclasses.is_dataclass(base)]
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    if not isinstance(body, ast.ClassDef):
        raise TypeError(kind)
    found: dict[str, str] = {name: text for one in inherited for name, text in one.items()}
    for member, following in zip(body.body, body.body[1:], strict=False):
        if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name) and isinstance(following, ast.Expr):
            found[member.target.id] = " ".join(str(ast.literal_eval(following.value)).split())
    return found
