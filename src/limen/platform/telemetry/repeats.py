"""Trouble that comes a thousand times a second is one line, and then one every ten seconds that says how often it came meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

EVERY_SECONDS: Final = 10.0
_MOST_KINDS: Final = 200
_OTHERS: Final = ("", "")

Kind = tuple[str, str]
"""What makes two troubles the same, such as a code and a reason."""


class _Told:
    __slots__ = ("at", "since", "words")

    def __init__(self, at: float) -> None:
        self.at = at
        self.since = 0
        self.words: dict[str, object] = {}


class Repeats:
    """One event of the log that may come very often. `log` is a logger's method: `_log.warning`."""

    __slots__ = ("_event", "_log", "_told")

    def __init__(self, log: Callable[..., object], event: str) -> None:
        self._log = log
        self._event = event
        self._told: dict[Kind, _Told] = {}

    def say(self, kind: Kind, /, **words: object) -> None:
        """Write the line, unless one of this kind was written in the last ten seconds: then it is counted, and the next one has `again`."""
        now = time.monotonic()
        told = self._told.get(kind)
        if told is None:
            kind = kind if len(self._told) < _MOST_KINDS else _OTHERS
            told = self._told.setdefault(kind, _Told(now - EVERY_SECONDS))
        if now - told.at < EVERY_SECONDS:
            told.since += 1
            told.words = words
            return
        again = {"again": told.since} if told.since else {}
        told.at, told.since = now, 0
        self._log(self._event, **words, **again)

    def close(self) -> None:
        """Write what was counted and not yet told; at the end of the process."""
        for told in self._told.values():
            if told.since:
                self._log(self._event, **told.words, again=told.since)
                told.since = 0
