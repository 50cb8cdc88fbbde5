"""Writes `docs/reference/` from the code: settings, commands, endpoints, facts and errors, each from the value that does the work.

    python -m tools.reference            writes what differs
    python -m tools.reference --check    names what differs; ends with 1 if anything does

What a table says of a key, a fact or an error is its docstring; what it says of bounds is what the program itself answers to too little and
too much. Whatever lacks its sentence ends this tool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tools.reference.commands import commands
from tools.reference.configuration import configuration
from tools.reference.facts import errors, facts
from tools.reference.http import http

FOLDER: Final = Path(__file__).parents[2] / "docs" / "reference"

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "configuration.md": configuration,
    "commands.md": commands,
    "http.md": http,
    "facts.md": facts,
    "errors.md": errors,
}


def stale() -> dict[str, str]:
    """Return the pages that are not as the code says, with the text they should have."""
    found = {}
    for name, made in PAGES.items():
        file, text = FOLDER / name, made()
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            found[name] = text
    return found
