"""A line for each request: with the route's template, never the address that was asked for, and cheap enough to leave on."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Final, TextIO

import msgspec

from limen.platform.telemetry.logs import is_json
from limen.platform.telemetry.settings import Log
from limen.platform.telemetry.traces import TRACES

_EVERY: Final = 0.2
_MOST: Final = 500
_FAILURE: Final = 500
_MOST_HEADS: Final = 10_000


class RequestLog:
    """Keeps lines for a fifth of a second and writes them together. What a killed process had not written is lost; the log of facts is not this one."""

    __slots__ = ("_heads", "_json", "_least", "_lines", "_out", "_second", "_stamp", "_waiting")

    def __init__(self, settings: Log, *, dev: bool, stream: TextIO | None = None) -> None:
        self._out = stream or sys.stderr
        self._json = is_json(settings, dev=dev)
        self._least = {"all": 0, "failures": _FAILURE, "none": 1_000}[settings.requests]
        self._heads: dict[tuple[str, str, int, str], str] = {}
        self._lines: list[str] = []
        self._waiting = False
        self._second = 0
        self._stamp = ""

    def note(self, method: str, route: str, status: int, seconds: float, tenant: str) -> None:
        """Keep one line, in the event loop."""
        if status < self._least:
            return
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        head = self._heads.get((method, route, status, tenant)) or self._head(method, route, status, tenant)
        if TRACES.on and (trace := TRACES.trace):
            head += f',"trace_id":"{trace}"' if self._json else f"  trace_id={trace}"
        if self._json:
            line = f'{{"time":"{self._stamp}.{int(now % 1 * 1000):03d}Z",{head},"ms":{seconds * 1000:.3f}}}'
        else:
            line = f"{self._stamp}.{int(now % 1 * 1000):03d}Z {head} {seconds * 1000:.1f} ms"
        self._lines.append(line)
        if not self._waiting:
            self._waiting = True
            asyncio.get_running_loop().call_later(_EVERY, self.flush)
        elif len(self._lines) >= _MOST:
            self._write()

    def _head(self, method: str, route: str, status: int, tenant: str) -> str:
        """Return what all lines of one kind have in common."""
        level = "error" if status >= _FAILURE else "info"
        if self._json:
            known = {"level": level, "event": "request", "method": method, "route": route, "status": status, "tenant": tenant}
            head = msgspec.json.encode(known).decode()[1:-1]
        else:
            head = f"[{level:<8}] {status} {method} {route}  tenant={tenant}"
        if len(self._heads) >= _MOST_HEADS:
            self._heads.clear()
        self._heads[method, route, status, tenant] = head
        return head

    def flush(self) -> None:
        """Write what is kept."""
        self._waiting = False
        self._write()

    def _write(self) -> None:
        if self._lines:
            lines, self._lines = self._lines, []
            self._out.write("\n".join(lines) + "\n")
            self._out.flush()
