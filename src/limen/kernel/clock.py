"""The time of day, asked once per command by whoever opens its `Work`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Answers an aware instant in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock, moved by `offset` (only dev mode and tests move it)."""

    __slots__ = ("offset",)

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        """Return the instant, to the microsecond."""
        return datetime.now(UTC) + self.offset
