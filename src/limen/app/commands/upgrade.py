"""limen upgrade: Bring the database's schema to this version."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from limen.app.arguments import CONFIG

if TYPE_CHECKING:
    from limen.platform.duties import Settings


def upgrade(*, config: Path = CONFIG, dry_run: bool = False) -> None:
    """Bring the database's schema to this version; old and new processes may run side by side meanwhile.

    Parameters
    ----------
    config
        The server's configuration.
    dry_run
        Say what would be done, and change nothing.
    """
    from limen.app import settings

    bring_up(settings.load(config), dry_run=dry_run)


def bring_up(chosen: Settings, *, dry_run: bool = False, quiet: bool = False) -> None:
    """Run what is missing, one line for each unless it is to be quiet."""
    from limen.app.settings import DatabaseSettings
    from limen.platform.sql import upgrade as upgrade_database

    steps = asyncio.run(upgrade_database(chosen.of(DatabaseSettings).url, dry_run=dry_run))
    if quiet:
        return
    for step in steps:
        sys.stdout.write(f"{'would run' if dry_run else 'ran'} {step.revision}: {step.title}\n")
    if not steps:
        sys.stdout.write("the database is at this version or beyond\n")
