"""How often a source may be refused before it has to wait: token buckets in memory, one float each, a bounded number of them."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import islice

from limen.kernel.clock import Clock


class Pace:
    """Token buckets by key, as one instant each (the generic cell rate algorithm). A key is (tenant, address) or (tenant, identifier).

    A bucket holds `burst` tokens and gains `rate` of them a second. Of more than `limit` keys those that were quiet longest are forgotten:
    that favours a flood of sources over memory, and a flood from many sources is not for one process to stop.
    """

    __slots__ = ("_burst", "_clock", "_free_at", "_interval", "_limit")

    def __init__(self, clock: Clock, *, rate: float, burst: int, limit: int = 50_000) -> None:
        self._clock = clock
        self._interval = 1.0 / rate
        self._burst = burst
        self._limit = limit
        self._free_at: dict[Hashable, float] = {}

    def wait(self, key: Hashable) -> float:
        """Return the seconds until `key` has a token; 0.0 if it has one now. Costs a look into a dict where nothing was spent."""
        free_at = self._free_at.get(key)
        if free_at is None:
            return 0.0
        now = self._clock.now().timestamp()
        if free_at <= now:
            del self._free_at[key]
            return 0.0
        return max(0.0, free_at - now - (self._burst - 1) * self._interval)

    def spend(self, key: Hashable) -> float:
        """Take one token, present or not, and return `wait` as it was before; a bucket never owes more than one token."""
        waiting = self.wait(key)
        now = self._clock.now().timestamp()
        free_at = max(self._free_at.pop(key, now), now) + self._interval
        self._free_at[key] = min(free_at, now + self._burst * self._interval)
        if len(self._free_at) > self._limit:
            for oldest in tuple(islice(self._free_at, self._limit // 10 + 1)):
                del self._free_at[oldest]
        return waiting

    def __len__(self) -> int:
        return len(self._free_at)
