"""A line for each request: with the route's template, never the address that was asked for, and cheap enough to leave on."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Final, TextIO

import msgspec

from limen.platform.telemetry.logs import is_json
from limen.platform.telemetry.settings import Log

_EVERY: Final = 0.2
_MOST: Final = 500
_FAILURE: Final = 500


class _Line(msgspec.Struct, frozen=True):
    time: str
    level: str
    event: str
    method: str
    route: str
    status: int
    ms: float
    tenant: str


class RequestLog:
    """Keeps lines for a fifth of a second and writes them together. What a killed process had not written is lost; the log of facts is not this one."""

    __slots__ = ("_encode", "_json", "_least", "_lines", "_out", "_second", "_stamp", "_waiting")

    def __init__(self, settings: Log, *, dev: bool, stream: TextIO | None = None) -> None:
        self._out = stream or sys.stderr
        self._json = is_json(settings, dev=dev)
        self._least = {"all": 0, "failures": _FAILURE, "none": 1_000}[settings.requests]
        self._encode = msgspec.json.Encoder().encode
        self._lines: list[str] = []
        self._waiting = False
        self._second = 0
        self._stamp = ""

    def note(self, method: str, route: str, status: int, seconds: float, tenant: str) -> None:
        """Keep one line, in the event loop."""
        if status < self._least:
            return
        now = time.time()
        if int(now) != self._second:
            self._second = int(now)
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        stamp = f"{self._stamp}.{int(now * 1000) % 1000:03d}Z"
        level = "error" if status >= _FAILURE else "info"
        if self._json:
            line = self._encode(_Line(stamp, level, "request", method, route, status, round(seconds * 1000, 3), tenant)).decode()
        else:
            line = f"{stamp} [{level:<8}] {status} {method} {route} {seconds * 1000:.1f} ms  tenant={tenant}"
        self._lines.append(line)
        if not self._waiting:
            self._waiting = True
            asyncio.get_running_loop().call_later(_EVERY, self.flush)
        elif len(self._lines) >= _MOST:
            self._write()

    def flush(self) -> None:
        """Write what is kept."""
        self._waiting = False
        self._write()

    def _write(self) -> None:
        if self._lines:
            lines, self._lines = self._lines, []
            self._out.write("\n".join(lines) + "\n")
            self._out.flush()
