"""limen demo: Open the demo: server, sample shop, portal, mailbox."""

from __future__ import annotations

from pathlib import Path

from limen.app.demo.opening import PORT, SHOP_PORT, run


def demo(*, folder: Path = Path("var/demo"), port: int = PORT, shop_port: int = SHOP_PORT) -> None:
    """Open the demo: server, sample shop, portal, mailbox. It keeps what you do in its folder; delete that to begin anew.

    Parameters
    ----------
    folder
        Where the demo keeps its configuration, keys and database.
    port
        The port of Limen.
    shop_port
        The port of the shop.
    """
    run(folder, port, shop_port)
