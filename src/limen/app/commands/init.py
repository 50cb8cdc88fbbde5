"""limen init: Write limen.toml where there is none; make the keys and the database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from limen.app.arguments import CONFIG

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
    fresh = not place.file.exists()
    place.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    Keyring.create(place)
    sys.stdout.write(f"{'made' if fresh else 'found'} the master key {_shown(place.file)}\n")
    bring_up(chosen)
    sys.stdout.write(f"next: limen apply acme.toml --config {config}, then limen serve --config {config}\n")


def _shown(path: Path) -> Path:
    """Return a path as one would write it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
