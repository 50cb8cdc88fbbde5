"""Several serving processes on one socket: starts them, starts anew what dies, ends them together. Holds no database and no key."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

_GRACE: Final = 15.0
"""Seconds a worker gets to finish what it has; a little more than it gives its requests."""
_CALM: Final = 5.0
"""A worker that lived this long died of something new and is started again at once; else the pauses grow."""
_SLOWEST: Final = 30.0
_LOOK: Final = 0.2


@dataclass
class _Place:
    """One worker's place: the process in it, or when the next one is due."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    born: float = 0.0
    due: float = 0.0
    pause: float = 0.0


class Supervisor:
    """`run` returns when it was told to end and every worker has."""

    def __init__(self, config: Path, listening: socket.socket, count: int, port: int | None) -> None:
        self._socket = listening.fileno()
        self._words = [sys.executable, "-m", "limen", "serve", "--config", str(config), "--socket", str(self._socket)]
        if port is not None:
            self._words += ["--port", str(port)]
        self._places = [_Place(number) for number in range(1, count + 1)]
        self._ending = False

    def run(self) -> None:
        """Keep the workers alive until SIGTERM or SIGINT, then end them in order."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._end)
        while not self._ending:
            for place in self._places:
                self._tend(place, time.monotonic())
            time.sleep(_LOOK)
        self._finish()

    def _end(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._ending = True

    def _tend(self, place: _Place, now: float) -> None:
        if place.process is not None and place.process.poll() is not None:
            calm = now - place.born > _CALM
            place.pause = 0.0 if calm else min(_SLOWEST, max(_LOOK, place.pause * 2))
            place.due = now + place.pause
            sys.stderr.write(f"limen: worker {place.number} ended with {place.process.returncode}; the next starts in {place.pause:.1f} s\n")
            place.process = None
        if place.process is None and now >= place.due:
            words = [*self._words, "--worker", str(place.number)]
            place.process = subprocess.Popen(words, pass_fds=[self._socket])  # noqa: S603 our own command
            place.born = now

    def _finish(self) -> None:
        alive = [place.process for place in self._places if place.process is not None]
        for process in alive:
            process.send_signal(signal.SIGTERM)
        until = time.monotonic() + _GRACE
        for process in alive:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
