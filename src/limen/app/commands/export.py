"""limen export: Print the configuration as a file that apply takes."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from limen.app.arguments import CONFIG


def export(*tenants: str, config: Path = CONFIG) -> None:
    """Print the configuration as a file that `apply` takes; a secret is never in it.

    Parameters
    ----------
    tenants
        Names of tenants; all of them if none is named.
    config
        The server's configuration.
    """
    asyncio.run(_export(tenants, config))


async def _export(tenants: tuple[str, ...], config: Path) -> None:
    from limen.app import ground, settings
    from limen.app.export import export as lines_of

    async with ground.opened(settings.load(config)) as opened:
        async for part in lines_of(opened.db, tenants):
            sys.stdout.write(part)
