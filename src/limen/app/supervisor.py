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

from limen.app.settings import ServerSettings
from limen.platform.telemetry import Server, listener, worker

if TYPE_CHECKING:
    from limen.platform.duties import Settings

_GRACE: Final = 15.0
"""Seconds a worker gets to finish what it has; a little more than it gives its requests."""
_CALM: Final = 5.0
"""A worker that lived this long died of something new and is started again at once; else the pauses grow."""
_SLOWEST: Final = 30.0
_FIRST_PAUSE: Final = 0.2


class Supervisor:
    """Keeps `[server] workers` processes alive on a bound socket."""

    def __init__(self, settings: Settings, config: Path, listening: socket.socket, port: int | None) -> None:
        self._settings = settings
        self._socket = listening.fileno()
        self._words = [sys.executable, "-m", "limen", "serve", "--config", str(config), "--socket", str(self._socket)]
        self._words += ["--parent", str(os.getpid())]
        if port is not None:
            self._words += ["--port", str(port)]
        self._ending = asyncio.Event()

    async def run(self) -> None:
        """Return when SIGTERM or SIGINT came and every worker has ended."""
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, self._ending.set)
        with tempfile.TemporaryDirectory(prefix="limen-") as folder:
            shares = [Path(folder, f"worker-{number}") for number in range(1, self._settings.of(ServerSettings).workers + 1)]
            async with self._figures(shares), asyncio.TaskGroup() as group:
                for share in shares:
                    group.create_task(self._tend(share))

    @contextlib.asynccontextmanager
    async def _figures(self, shares: list[Path]) -> AsyncIterator[None]:
        address = self._settings.of(Server).address
        if address is None:
            yield
            return
        async with listener(address, [worker(share) for share in shares]):
            yield

    async def _tend(self, share: Path) -> None:
        """Keep one worker alive until the end."""
        pause = 0.0
        while not self._ending.is_set():
            born = time.monotonic()
            share.unlink(missing_ok=True)  # noqa: ASYNC240 a socket's name in memory, once per start of a worker
            process = await asyncio.create_subprocess_exec(*self._words, "--share", str(share), pass_fds=[self._socket])
            if await self._ended(process):
                return
            pause = 0.0 if time.monotonic() - born > _CALM else min(_SLOWEST, max(_FIRST_PAUSE, pause * 2))
            sys.stderr.write(f"limen: {share.name} ended with {process.returncode}; the next starts in {pause:.1f} s\n")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), pause)

    async def _ended(self, process: asyncio.subprocess.Process) -> bool:
        """Wait until the worker died (False), or end it because all is to end (True)."""
        died = asyncio.create_task(process.wait())
        told = asyncio.create_task(self._ending.wait())
        await asyncio.wait((died, told), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if died.done():
            return self._ending.is_set()
        process.terminate()
        try:
            await asyncio.wait_for(died, _GRACE)
        except TimeoutError:
            process.kill()
            await process.wait()
        return True
