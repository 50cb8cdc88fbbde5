"""What a command shows of itself while it takes its time."""

from __future__ import annotations

import asyncio
import io

import pytest

from limen.app.progress import shown, sized

pytestmark = pytest.mark.anyio


class Terminal(io.StringIO):
    """A text that takes itself for a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "silent", "tells"), [(Terminal(), 0.0, True), (Terminal(), 60.0, False), (io.StringIO(), 0.0, False)])
async def test_words_and_how_far_it_is(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, silent: float, *, tells: bool) -> None:
    """Somebody who watches sees it after a moment, again and again, and nothing of it is left; a file is told nothing."""
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr("limen.platform.commands.console._SILENT_SECONDS", silent)
    monkeypatch.setattr("limen.app.progress._EVERY_SECONDS", 0.01)
    async with asyncio.timeout(10), shown("applying many.toml", lambda: "3 of 5"):
        while tells and "applying many.toml: 0 s, 3 of 5" not in stream.getvalue():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
    assert bool(stream.getvalue()) is tells
    assert not tells or stream.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(("octets", "text"), [(0, "0 B"), (999, "999 B"), (12_345_678, "12.3 MB"), (5 * 10**12, "5.0 TB")])
def test_sizes(octets: int, text: str) -> None:
    """A size as people read it."""
    assert sized(octets) == text
