"""Shows on a terminal that something takes its time. What is over within a second is not mentioned, and a file hears nothing at all."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

_SILENT_SECONDS: Final = 1.0
_EVERY_SECONDS: Final = 0.2
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


@asynccontextmanager
async def shown(words: str, octets: Callable[[], int] | None = None) -> AsyncIterator[None]:
    """Show `words`, the seconds, and how many `octets` it has come to, while the block runs."""
    telling = asyncio.create_task(_tell(words, octets)) if sys.stderr.isatty() else None
    try:
        yield
    finally:
        if telling is not None:
            telling.cancel()
            await asyncio.wait([telling])


async def _tell(words: str, octets: Callable[[], int] | None) -> None:
    begun = time.monotonic()
    await asyncio.sleep(_SILENT_SECONDS)
    from rich.console import Console  # noqa: PLC0415 - most commands are over by now

    with Console(stderr=True).status(words) as status:
        while True:
            size = f", {sized(octets())}" if octets else ""
            status.update(f"{words}: {time.monotonic() - begun:.0f} s{size}")
            await asyncio.sleep(_EVERY_SECONDS)


def sized(octets: int) -> str:
    """Return a size as people read it: `12.3 MB`."""
    number, unit = float(octets), 0
    while number >= 1000 and unit < len(_UNITS) - 1:  # noqa: PLR2004 - kilo
        number, unit = number / 1000, unit + 1
    return f"{number:.0f} {_UNITS[unit]}" if unit == 0 else f"{number:.1f} {_UNITS[unit]}"


def size_of(path: Path) -> int:
    """Return a file's size; 0 while it is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
