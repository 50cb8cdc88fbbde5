"""One serving process: the web server on its socket, the outbox, the watchers, and an orderly end."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
import uvicorn
import uvloop

from limen.app import ground
from limen.app.compose import GRACE, House, compose
from limen.app.settings import DatabaseSettings, ServerSettings
from limen.app.supervisor import Supervisor
from limen.kernel.errors import Kind, LimenError
from limen.platform.http import settings as http
from limen.platform.http.connection import Connection
from limen.platform.sql import served_alone

if TYPE_CHECKING:
    from limen.platform.duties import Settings

BACKLOG: Final = 2048
KEEP_ALIVE: Final = 75
"""Seconds a connection may rest: longer than the proxies in front keep theirs (60 as a rule), or they send requests into a closing one."""
_TICKS_A_SECOND: Final = 10  # of uvicorn's main loop

_log = structlog.stdlib.get_logger(__name__)


class AddressTaken(LimenError):
    """Another program listens where the server should."""

    kind = Kind.UNAVAILABLE
    code = "address_taken"


def bind(chosen: Settings) -> socket.socket:
    """Return the listening socket of `[server] listen`; raises AddressTaken with what to do."""
    return bound(*chosen.of(ServerSettings).address)


def bound(host: str, port: int) -> socket.socket:
    """Return a listening socket; raises AddressTaken with what to do."""
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except (OSError, OverflowError) as error:  # the latter where the port is no number of 16 bits
        found.close()
        reason = error.strerror if isinstance(error, OSError) else "ports are from 0 to 65535"
        raise AddressTaken(operator=f"cannot listen on {host}:{port}: {reason}. Choose another with --port, or end what listens there") from None
    found.listen(BACKLOG)
    found.setblocking(False)  # noqa: FBT003 the standard library's signature
    return found


def server_of(app: object, patience: http.Server) -> uvicorn.Server:
    """Return uvicorn as Limen wants it: its own proxy handling, logs and headers off, since platform/http has these duties, and nobody waited for forever."""
    config = uvicorn.Config(
        app,  # type: ignore[arg-type] # an ASGI application
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        backlog=BACKLOG,
    )
    return _Server(config, patience)


class _Server(uvicorn.Server):
    """uvicorn that leaves signals alone: its own handling raises them again at the end, before databases and logs are closed.

    Once a second it looks at its connections, and closes those whose client does not do its part.
    """

    def __init__(self, config: uvicorn.Config, patience: http.Server) -> None:
        super().__init__(config)
        self._patience = patience

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override] # a generator there
        return nullcontext()

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS_A_SECOND == 0:
            self._look(time.monotonic())
        return await super().on_tick(counter)

    def _look(self, now: float) -> None:
        late = sum(one.look(now, self._patience) for one in self.server_state.connections if isinstance(one, Connection))
        if late:
            _log.warning("connections.given_up", count=late)


def ends_by_signal(server: uvicorn.Server, house: House | None = None, drain: timedelta = timedelta()) -> None:
    """Let SIGTERM and SIGINT end a server after the requests under way.

    After SIGTERM the house is ready no longer, and serves on for as long as `drain` says: load balancers look elsewhere meanwhile. SIGINT ends
    that too, and a second one what is under way. SIGTERM again says nothing new: a worker has it from the service manager and from its parent.
    """
    loop = asyncio.get_running_loop()

    def end(name: signal.Signals) -> None:
        seconds = drain.total_seconds() if name is signal.SIGTERM else 0.0
        if house is not None:
            if name is signal.SIGTERM and house.leaving.is_set():
                return
            _log.info("server.leaving", signal=name.name, drain=seconds)
            house.leaving.set()
        if seconds:
            loop.call_later(seconds, server.handle_exit, name, None)
        else:
            server.handle_exit(name, None)

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, end, name)


async def _outlive_no_parent(server: uvicorn.Server, parent: int) -> None:
    """End with the parent process: nobody would start this one again, and it would keep the address from the next server."""
    while os.getppid() == parent:  # noqa: ASYNC110 - the system tells of a parent's death to none but those who look
        await asyncio.sleep(1)
    server.should_exit = True


async def serve_on(chosen: Settings, listening: socket.socket, *, share: Path | None = None, parent: int | None = None) -> None:
    """Serve on a bound socket until a signal ends it: SIGTERM and SIGINT let requests under way finish.

    One of several processes tells its figures at `share`, and ends with its `parent`.
    """
    own = chosen.of(ServerSettings)
    async with ground.opened(chosen) as opened:
        house = await compose(opened, share=share)
        server = server_of(house.app, chosen.of(http.Server))
        ends_by_signal(server, house, own.drain)
        watching = asyncio.create_task(_outlive_no_parent(server, parent)) if parent is not None else None
        gc.freeze()  # see commands/serve.py
        gc.enable()
        try:
            async with house.at_work():
                _say_where(own, chosen.of(DatabaseSettings), listening)
                await server.serve(sockets=[listening])
        finally:
            if watching is not None:
                watching.cancel()
    _log.info("server.ended", process=os.getpid())


def _say_where(own: ServerSettings, database: DatabaseSettings, listening: socket.socket) -> None:
    host, port = listening.getsockname()[:2]
    listen = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    _log.info("server.serving", base_url=own.base_url, listen=listen, database=database.place, mode=own.mode.value, process=os.getpid())


def serve(chosen: Settings, config: Path, port: int | None) -> None:
    """Serve to the end: here where one process is asked for, else in as many as are, which read `config` themselves."""
    with served_alone(chosen.of(DatabaseSettings).url), bind(chosen) as listening:
        if chosen.of(ServerSettings).workers == 1:
            serve_here(chosen, listening)
        elif status := asyncio.run(Supervisor(chosen, config, listening, port).run()):
            sys.exit(status)


def serve_inherited(chosen: Settings, number: int, share: Path | None, parent: int | None) -> None:
    """Serve on a socket the parent process has bound."""
    with socket.socket(fileno=number) as listening:
        serve_here(chosen, listening, share=share, parent=parent)


def serve_here(chosen: Settings, listening: socket.socket, *, share: Path | None = None, parent: int | None = None) -> None:
    """Run `serve_on` to its end in this process."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve_on(chosen, listening, share=share, parent=parent))
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)  # it has ended; an echo would only leave a trace of Python
