"""Several serving processes on one socket: starts them, starts anew what dies, sums their figures, ends them together.

The parent holds no database and no key; what it knows of a worker is its process and the socket on which it tells its figures.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from limen.app.settings import ServerSettings
from limen.platform.telemetry import Log, Server, listener, set_up, worker

if TYPE_CHECKING:
    from limen.platform.duties import Settings

_GRACE: Final = 15.0
"""Seconds a worker gets to finish what it has; a little more than it gives its requests."""
_CALM: Final = 5.0
"""A worker that lived this long died of something new and is started again at once; else the pauses grow."""
_SLOWEST: Final = 30.0
_FIRST_PAUSE: Final = 0.2
_LOOK_SECONDS: Final = 0.02


_log = structlog.stdlib.get_logger(__name__)


class Supervisor:
    """Keeps `[server] workers` processes alive on a bound socket."""

    def __init__(self, settings: Settings, config: Path, listening: socket.socket, port: int | None) -> None:
        self._settings = settings
        self._socket = listening.fileno()
        self._words = [sys.executable, "-m", "limen", "serve", "--config", str(config), "--socket", str(self._socket)]
        self._words += ["--parent", str(os.getpid())]
        if port is not None:
            self._words += ["--port", str(port)]
        self._patience = _GRACE + settings.of(ServerSettings).drain.total_seconds()
        self._ending = asyncio.Event()
        self._by = signal.SIGTERM
        self._alive: set[asyncio.subprocess.Process] = set()
        self._served = False
        """Whether any worker ever got as far as serving: before, what ends one would end them all."""
        self._refused = 0

    async def run(self) -> int:
        """Return when every worker has ended: 0 after SIGTERM or SIGINT, else the status of the first, which has said why it cannot serve."""
        set_up(self._settings.of(Log), dev=self._settings.of(ServerSettings).dev)
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, self._end, name)
        with tempfile.TemporaryDirectory(prefix="limen-") as folder:
            first, *others = [Path(folder, f"worker-{number}") for number in range(1, self._settings.of(ServerSettings).workers + 1)]
            async with self._figures([first, *others]), asyncio.TaskGroup() as group:
                group.create_task(self._tend(first))
                await self._can_serve(first)
                for share in others:
                    group.create_task(self._tend(share))
        return self._refused

    def _end(self, name: signal.Signals) -> None:
        """Pass a signal on: SIGTERM once, SIGINT also to workers that are draining."""
        if self._ending.is_set() and name is signal.SIGINT:
            for process in self._alive:
                _send(process, name)
        else:
            self._by = name
            self._ending.set()

    @contextlib.asynccontextmanager
    async def _figures(self, shares: list[Path]) -> AsyncIterator[None]:
        address = self._settings.of(Server).address
        if address is None:
            yield
            return
        async with listener(address, [worker(share) for share in shares]):
            yield

    async def _can_serve(self, share: Path) -> None:
        """Wait until the first worker serves, or all is to end: what it says is not to be said by each."""
        while not (share.exists() or self._ending.is_set()):  # noqa: ASYNC110, ASYNC240 a socket's name in memory, which nobody announces
            await asyncio.sleep(_LOOK_SECONDS)

    async def _tend(self, share: Path) -> None:
        """Keep one worker alive until the end."""
        pause = 0.0
        while not self._ending.is_set():
            born = time.monotonic()
            share.unlink(missing_ok=True)  # noqa: ASYNC240 a socket's name in memory, once per start of a worker
            words = (*self._words, "--share", str(share))
            process = await asyncio.create_subprocess_exec(*words, pass_fds=[self._socket], process_group=0)  # Ctrl+C is for the parent alone
            if await self._ended(process, share):
                return
            self._served = self._served or share.exists()  # noqa: ASYNC240 likewise: a worker makes it when it can serve
            if not self._served:
                self._refused = self._refused or process.returncode or 1
                self._ending.set()
                return
            pause = 0.0 if time.monotonic() - born > _CALM else min(_SLOWEST, max(_FIRST_PAUSE, pause * 2))
            _log.error("worker.ended", worker=share.name, by=_cause(process.returncode or 0), next_in=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), pause)

    async def _ended(self, process: asyncio.subprocess.Process, share: Path) -> bool:
        """Wait until the worker died (False), or end it because all is to end (True)."""
        self._alive.add(process)
        try:
            return await self._end_of(process, share)
        finally:
            self._alive.discard(process)

    async def _end_of(self, process: asyncio.subprocess.Process, share: Path) -> bool:
        died = asyncio.create_task(process.wait())
        told = asyncio.create_task(self._ending.wait())
        await asyncio.wait((died, told), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if died.done():
            return self._ending.is_set()
        _send(process, self._by if share.exists() else signal.SIGTERM)  # noqa: ASYNC240 as above; what has only begun takes SIGINT ill
        try:
            await asyncio.wait_for(died, self._patience)
        except TimeoutError:
            process.kill()
            await process.wait()
        return True


def _send(process: asyncio.subprocess.Process, name: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has just ended
        process.send_signal(name)


def _cause(status: int) -> str:
    """Return what ended a process: a signal's name, or its status."""
    return signal.Signals(-status).name if status < 0 else f"status {status}"
