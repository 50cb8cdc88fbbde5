"""limen demo."""

from __future__ import annotations

from pathlib import Path

from limen.app.demo.opening import run


def demo(*, folder: Path = Path("var/demo"), port: int | None = None) -> None:
    """Open the demo: server, sample shop, portal, mailbox. It keeps what you do in its folder; delete that to begin anew.

    Parameters
    ----------
    folder
        Where the demo keeps its configuration, keys and database.
    port
        The port of Limen instead of 8400; the shop has 8401.
    """
    run(folder, port)
