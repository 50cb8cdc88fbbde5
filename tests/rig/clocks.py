"""Clocks for tests in which waiting matters."""

from __future__ import annotations

from datetime import datetime, timedelta

from limen.kernel.clock import SystemClock


class CreepingClock(SystemClock):
    """A clock that creeps until it is moved: no wait ends by itself on a slow machine, and still nothing happens twice at one instant."""

    def __init__(self) -> None:
        super().__init__()
        self.start = super().now()
        self.asked = 0

    def now(self) -> datetime:
        """Return the start, what it was moved by, and a microsecond for each time it was asked."""
        self.asked += 1
        return self.start + self.offset + timedelta(microseconds=self.asked)
