"""limen serve."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from limen.app import settings
from limen.app.running import CONFIG, Config
from limen.app.serving import bind, serve_here
from limen.app.settings import ServerSettings
from limen.app.supervisor import Supervisor


def serve(
    *,
    config: Config = CONFIG,
    port: int | None = None,
    upgrade: bool = False,
    workers: int | None = None,
    socket_: Annotated[int | None, Parameter(name="--socket", show=False)] = None,
    share: Annotated[Path | None, Parameter(show=False)] = None,
) -> None:
    """Serve until SIGTERM or SIGINT.

    Parameters
    ----------
    config
        The server's configuration.
    port
        Listen on this port instead of the one in the file (in dev mode the addresses follow).
    upgrade
        Bring the database's schema to this version first.
    workers
        Processes; more than one need PostgreSQL.
    """
    chosen = settings.load(config, port=port, workers=workers)
    if upgrade:
        from limen.app.commands.upgrade import bring_up  # noqa: PLC0415 alembic is slow to import and seldom wanted

        bring_up(chosen)
    if socket_ is not None:
        with socket.socket(fileno=socket_) as listening:
            serve_here(chosen, listening, share=share)
        return
    with bind(chosen) as listening:
        if chosen.of(ServerSettings).workers > 1:
            asyncio.run(Supervisor(chosen, config, listening, port).run())
        else:
            serve_here(chosen, listening)
