"""limen serve."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from limen.app import settings
from limen.app.running import CONFIG, Config
from limen.app.serving import bind, serve_here
from limen.app.settings import ServerSettings
from limen.app.supervisor import Supervisor

_HIDDEN = Parameter(show=False)


def serve(
    *,
    config: Config = CONFIG,
    port: int | None = None,
    workers: int | None = None,
    upgrade: bool = False,
    socket_: Annotated[int | None, Parameter(name="--socket", show=False)] = None,
    worker: Annotated[int, _HIDDEN] = 0,
) -> None:
    """Serve until SIGTERM or SIGINT.

    Parameters
    ----------
    config
        The server's configuration.
    port
        Listen on this port instead of the one in the file (in dev mode the addresses follow).
    workers
        Processes; more than one need PostgreSQL.
    upgrade
        Bring the database's schema to this version first.
    """
    chosen = settings.load(config, port=port, workers=workers)
    if socket_ is not None:
        with socket.socket(fileno=socket_) as listening:
            listening.setblocking(False)  # noqa: FBT003 the standard library's signature
            serve_here(chosen, listening, worker=worker)
        return
    if upgrade:
        from limen.app.commands.upgrade import bring_up  # noqa: PLC0415 alembic is slow to import and seldom wanted

        bring_up(chosen)
    with bind(chosen) as listening:
        count = chosen.of(ServerSettings).workers
        if count == 1:
            serve_here(chosen, listening)
        else:
            Supervisor(Path(config), listening, count, port).run()
