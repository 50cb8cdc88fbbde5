"""Shows on a terminal that something takes its time. What is over within a second is not mentioned, and a file hears nothing at all."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from limen.platform.commands import Console

_EVERY_SECONDS: Final = 0.2
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


@asynccontextmanager
async def shown(words: str, so_far: Callable[[], str] | None = None) -> AsyncIterator[None]:
    """Show `words`, the seconds, and how far it has come, while the block runs."""
    telling = asyncio.create_task(_tell(words, so_far)) if sys.stderr.isatty() else None
    try:
        yield
    finally:
        if telling is not None:
            telling.cancel()
            await asyncio.wait([telling])


async def _tell(words: str, so_far: Callable[[], str] | None) -> None:
    begun = time.monotonic()
    with Console().status(words) as status:
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            rest = f", {so_far()}" if so_far else ""
            status.update(f"{words}: {time.monotonic() - begun:.0f} s{rest}")


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
