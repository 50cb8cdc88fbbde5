"""limen upgrade."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from limen.app import discover, settings
from limen.app.running import CONFIG, Config
from limen.app.settings import DatabaseSettings
from limen.platform.sql import upgrade as upgrade_database

if TYPE_CHECKING:
    from limen.platform.duties import Settings


def bring_up(chosen: Settings, *, dry_run: bool = False, quiet: bool = False) -> None:
    """Run what is missing, one line for each unless it is to be quiet."""
    for package in discover.packages():
        discover.role(package, "store")
    steps = asyncio.run(upgrade_database(chosen.of(DatabaseSettings).url, dry_run=dry_run))
    if quiet:
        return
    for step in steps:
        sys.stdout.write(f"{'would run' if dry_run else 'ran'} {step.revision}: {step.title}\n")
    if not steps:
        sys.stdout.write("the database is at this version\n")


def upgrade(*, config: Config = CONFIG, dry_run: bool = False) -> None:
    """Bring the database's schema to this version; old and new processes may run side by side meanwhile.

    Parameters
    ----------
    config
        The server's configuration.
    dry_run
        Say what would be done, and change nothing.
    """
    bring_up(settings.load(config), dry_run=dry_run)
