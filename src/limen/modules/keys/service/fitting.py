"""Whether keyring and database belong together, before anybody is served half of what she has."""

from __future__ import annotations

from limen.kernel.ids import SERVER
from limen.modules.keys import store
from limen.platform.crypto import KeyringForeign
from limen.platform.sql import Database

_SAMPLE = 20


async def check_keyring(db: Database) -> None:
    """Return if the database's keyring opens what it holds; KeyringForeign names the key that is not there. Cheap: it looks at a sample of people."""
    ring = db.keyring
    async with db.read(SERVER) as read:
        masters = (await store.masters(read)).keys()
        epochs = set(await store.some_epochs(read, _SAMPLE))
    if lacking := masters - {name for name, _ in ring.masters}:
        where = "LIMEN_MASTER_KEY" if ring.master_is_elsewhere else ring.place.file
        raise KeyringForeign(
            f"the database is sealed under the master key {_named(lacking)}, which is not in {where}: "
            "that is the keyring of another database. Correct [keyring] file, or put the key back from its copy"
        )
    if epochs and not epochs & {epoch.id for epoch in ring.epochs()}:
        raise KeyringForeign(
            f"people's data are sealed under the epoch key {_named(epochs)}, which is not in {ring.place.epochs}: "
            "those are the epoch keys of another database. Correct [keyring] epochs"
        )


def _named(keys: set[str]) -> str:
    return ", ".join(sorted(keys))
