"""limen apply: Bring tenants, brands, resources and clients to what a file says."""

from __future__ import annotations

import asyncio
from pathlib import Path

from limen.app.arguments import CONFIG


def apply(file: Path, /, *, config: Path = CONFIG, dry_run: bool = False, prune: bool = False) -> None:
    """Bring tenants, brands, resources, clients and settings to what a file says, and print the difference.

    Parameters
    ----------
    file
        The tenant file.
    config
        The server's configuration.
    dry_run
        Print the difference, and change nothing.
    prune
        Delete clients and resources that the file leaves out.
    """
    asyncio.run(_apply(file, config, dry_run=dry_run, prune=prune))


async def _apply(file: Path, config: Path, *, dry_run: bool, prune: bool) -> None:
    from limen.app import ground, settings
    from limen.app.apply import apply as bring
    from limen.app.progress import shown
    from limen.app.settings import ServerSettings
    from limen.platform.commands import Console

    so_far = ""

    def tell(words: str) -> None:
        nonlocal so_far
        so_far = words

    async with ground.opened(settings.load(config)) as opened, shown(f"applying {file}", lambda: so_far):
        difference = await bring(opened.db, file, opened.settings.of(ServerSettings), dry_run=dry_run, prune=prune, told=tell)
    difference.show(Console())
