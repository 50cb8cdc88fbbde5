"""limen serve: Serve until SIGTERM or SIGINT."""

from __future__ import annotations

import gc
from pathlib import Path

from limen.app.arguments import CONFIG


def serve(  # noqa: PLR0913 - each is an option of the command
    *,
    config: Path = CONFIG,
    port: int | None = None,
    upgrade: bool = False,
    workers: int | None = None,
    socket: int | None = None,
    share: Path | None = None,
    parent: int | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished then.

    Parameters
    ----------
    config
        The server's configuration.
    port
        Listen on this port instead of the one in the file (in dev mode the http addresses follow).
    upgrade
        Bring the database's schema to this version first.
    workers
        Processes; more than one need PostgreSQL.
    """
    gc.disable()  # what is imported lives as long as the process: looking through it again and again is a sixth of the start
    try:
        from limen.app import serving, settings

        chosen = settings.load(config, port=port, workers=workers)
        if upgrade:
            from limen.app.commands.upgrade import bring_up

            bring_up(chosen)
        if socket is None:
            serving.serve(chosen, config, port)
        else:  # one of several processes: the parent has bound the socket
            serving.serve_inherited(chosen, socket, share, parent)
    finally:
        gc.enable()
