"""limen init: Write limen.toml where there is none; make the keys and the database."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from limen.app.arguments import CONFIG

if TYPE_CHECKING:
    from limen.platform.crypto import KeyringSettings
    from limen.platform.duties import Settings

FILE: Final = """\
[server]
listen = "127.0.0.1:8400"
base_url = "http://localhost:8400"      # what the world calls it: the issuer of the default tenant
mode = "dev"                            # dev mode is for this machine alone; "production" wants an https:// base_url

[database]
url = "sqlite:///var/limen.db"          # or "postgresql://user@host/limen"

[keyring]
file = "var/master.key"                 # keep a copy of it, apart from backups of the database
epochs = "var/epochs"
"""


def init(*, config: Path = CONFIG) -> None:
    """Write limen.toml where there is none; make the master key and the database. What is there already is left alone.

    Parameters
    ----------
    config
        The server's configuration.
    """
    from limen.app import settings
    from limen.app.commands.upgrade import bring_up
    from limen.platform.crypto import Keyring, KeyringSettings

    if not config.exists():
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(FILE)
        sys.stdout.write(f"wrote {config}\n")
    chosen = settings.load(config)
    place = chosen.of(KeyringSettings)
    before = _key_files(place)
    place.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    ring = Keyring.create(place)
    made = _key_files(place) - before
    bring_up(chosen)
    _check_keys(chosen, made)
    where = "in LIMEN_MASTER_KEY" if ring.master_is_elsewhere else _shown(place.file)
    sys.stdout.write(f"{'made' if place.file in made else 'found'} the master key {where}\n")
    sys.stdout.write(f"next: limen apply acme.toml --config {config}, then limen serve --config {config}\n")


def _key_files(place: KeyringSettings) -> set[Path]:
    return {path for path in (place.file, *place.epochs.glob("*.key")) if path.exists()}


def _check_keys(chosen: Settings, made: set[Path]) -> None:
    """Take new keys back where the database was sealed under others, which then have to be found; KeyringForeign."""
    from limen.app import ground
    from limen.platform.crypto import KeyringForeign

    async def fits() -> None:
        async with ground.opened(chosen):
            return

    try:
        asyncio.run(fits())
    except KeyringForeign:
        for path in made:
            path.unlink()
        raise


def _shown(path: Path) -> Path:
    """Return a path as one would write it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
