"""limen check: Look at settings, keys, database and interpreter, and say what to mend."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from limen.app.arguments import CONFIG


def check(*, config: Path = CONFIG) -> None:
    """Look at settings, keys, database and interpreter, and say what to mend. Exit code 1 if something should be.

    Parameters
    ----------
    config
        The server's configuration.
    """
    from limen.app import checking, settings

    advice = asyncio.run(checking.advice(settings.load(config)))
    for line in advice:
        sys.stdout.write(f"! {line}\n")
    if not advice:
        sys.stdout.write("Nothing to mend.\n")
    sys.exit(bool(advice))
