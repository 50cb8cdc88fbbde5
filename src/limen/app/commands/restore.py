"""limen restore: Put a backup in the place of the database."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from limen.app.arguments import CONFIG


def restore(file: Path, /, *, config: Path = CONFIG, force: bool = False) -> None:
    """Put a backup in the place of the database, brought to this version. End the servers first.

    It is tried first whether the keyring opens it. Whoever was forgotten since the backup was made is forgotten again, where the database
    that it replaces can still say who that was.

    Parameters
    ----------
    file
        What `limen backup` wrote.
    config
        The server's configuration.
    force
        Replace a database that holds data.
    """
    from limen.app import settings
    from limen.app.restore import restore as put

    for line in asyncio.run(put(settings.load(config), file, force=force)):
        sys.stdout.write(line + "\n")
