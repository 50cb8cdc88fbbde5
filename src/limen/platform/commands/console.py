"""Where a command prints: lines and tables on standard output, and on standard error how far something is that takes its time."""

from __future__ import annotations

import enum
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TextIO, TypeAlias

_SILENT_SECONDS: Final = 1.0
"""What is over within a second is not mentioned."""
_EVERY_SECONDS: Final = 0.1
_GAP: Final = "  "
_ERASE: Final = "\r\x1b[K"
_CONTROLS: Final = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), "\ufffd")
"""What a terminal would obey instead of showing it. Names can come from strangers."""


class Style(enum.Enum):
    """How a text stands out, as ECMA-48 numbers it (section 8.3.117)."""

    BOLD = "1"
    DIM = "2"
    RED = "31"
    GREEN = "32"
    YELLOW = "33"
    CYAN = "36"


Styled: TypeAlias = tuple[str, Style]


@dataclass(frozen=True, slots=True)
class Console:
    """Two streams of text. Colours and progress are for terminals; a file or a pipe gets the plain lines."""

    file: TextIO = field(default_factory=lambda: sys.stdout)
    beside: TextIO = field(default_factory=lambda: sys.stderr)

    @property
    def is_terminal(self) -> bool:
        """Whether somebody watches."""
        return self.file.isatty()

    def say(self, *parts: str | Styled) -> None:
        """Print one line of parts, each plain or with a style."""
        self.file.write("".join(self._shown(part) for part in parts) + "\n")

    def _shown(self, part: str | Styled) -> str:
        """Return a part as it is printed: without control characters, in its style where that can be seen."""
        text, style = (part, None) if isinstance(part, str) else part
        text = text.translate(_CONTROLS)
        return f"\x1b[{style.value}m{text}\x1b[0m" if style and self.is_terminal and not os.environ.get("NO_COLOR") else text

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table; plain lines separated by tabs where the output is no terminal, so that scripts can cut it."""
        if not self.is_terminal:
            for row in rows:
                self.file.write("\t".join(cell.translate(_CONTROLS) for cell in row) + "\n")
            return
        widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
        for row, style in ((columns, Style.BOLD), *((row, None) for row in rows)):
            line = _GAP.join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
            self.say((line.rstrip(), style) if style else line.rstrip())

    @contextmanager
    def status(self, words: str) -> Iterator[Status]:
        """Show on a terminal what is being done while the block runs and says how far it is."""
        status = Status(self.beside)
        status.update(words)
        try:
            yield status
        finally:
            status.end()


class Status:
    """One line that is written anew and gone at the end."""

    __slots__ = ("_begun", "_file", "_shown", "_watched")

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._watched = file.isatty()
        self._begun = time.monotonic()
        self._shown = 0.0

    def update(self, words: str) -> None:
        """Show other words; not more often than somebody can read, and not in the first second."""
        now = time.monotonic()
        if self._watched and now - self._begun >= _SILENT_SECONDS and now - self._shown >= _EVERY_SECONDS:
            self._shown = now
            self._file.write(_ERASE + words.translate(_CONTROLS))
            self._file.flush()

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            self._file.write(_ERASE)
            self._file.flush()
