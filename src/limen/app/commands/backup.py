"""limen backup: Write a consistent copy of the database while it serves."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from limen.app.arguments import CONFIG


def backup(target: Path, /, *, config: Path = CONFIG) -> None:
    """Write a consistent copy of the database while it serves, and say which keys to keep apart from it and until when it can be restored.

    Parameters
    ----------
    target
        Where the copy goes: a new file, or a folder that is there.
    config
        The server's configuration.
    """
    from limen.app import settings
    from limen.app.backup import back_up

    for line in asyncio.run(back_up(settings.load(config), target)):
        sys.stdout.write(line + "\n")
