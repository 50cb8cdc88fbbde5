"""`limen backup`: a consistent copy of the database while it serves, and what of the keyring it cannot be opened without.

The copy never holds a key: whoever finds it can read nobody's data, and whoever is forgotten is gone from it when her epoch's key is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from limen.app import ground
from limen.app.facts import BackupMade
from limen.app.ground import Opened
from limen.app.progress import shown, size_of, sized
from limen.kernel.facts import Actor, ActorKind
from limen.kernel.ids import SERVER
from limen.modules import keys
from limen.platform.crypto import Keyring, KeyringSettings
from limen.platform.sql import BackupRefused

if TYPE_CHECKING:
    from limen.platform.duties import Settings

ACTOR: Final = Actor(ActorKind.OPERATOR, "command:backup")
_SUFFIXES: Final = {"sqlite": ".db", "postgresql": ".dump"}


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was made: where, how large, of when, and which keys it needs."""

    file: Path
    octets: int
    at: datetime
    masters: tuple[str, ...]
    epochs: tuple[str, ...]


async def back_up(chosen: Settings, target: Path) -> list[str]:
    """Write the copy to `target`, a new file or a folder that is there; return what the operator should know. BackupRefused."""
    async with ground.opened(chosen, any_schema=True) as opened:
        await keys.check_keyring(opened.db)  # what is said of the keys would be wrong
        made = await _made(opened, target)
        return list(_told(made, opened.db.keyring, chosen.of(KeyringSettings)))


async def _made(opened: Opened, target: Path) -> Backup:
    db = opened.db
    at = db.clock.now()
    target = _named(target, f"limen-{at:%Y%m%d-%H%M%S}{_SUFFIXES[db.dialect]}")
    before = await keys.needed(db)
    part = target.with_name(target.name + ".part")
    async with shown("copying the database", lambda: sized(size_of(part))):
        octets = await db.backup(target)
    after = await keys.needed(db)  # an epoch that began meanwhile: the copy may have either
    epochs = tuple(sorted(before.epochs.keys() | after.epochs.keys()))
    async with db.work(SERVER, ACTOR) as work:
        work.record(BackupMade(octets=octets, epochs=epochs))
    return Backup(target, octets, at, tuple(sorted(before.masters.keys() | after.masters.keys())), epochs)


def _named(target: Path, name: str) -> Path:
    """Return the file to write: `target`, or one of that name in it."""
    target = target / name if target.is_dir() else target
    if not target.parent.is_dir():
        raise BackupRefused(operator=f"there is no folder {target.parent}; make it first")
    return target


def _told(made: Backup, ring: Keyring, place: KeyringSettings) -> Iterator[str]:
    yield f"wrote {made.file}: {sized(made.octets)}, as of {made.at:%Y-%m-%d %H:%M:%S} UTC"
    yield "It holds no key, and without these nobody can read or restore it. Keep them, and not beside it:"
    master = "the variable LIMEN_MASTER_KEY" if ring.master_is_elsewhere else f"a copy of {place.file}"
    yield f"  master key {', '.join(made.masters) or ring.master}: {master}"
    needed = made.epochs or (ring.current_epoch,)
    yield f"  epoch key {', '.join(needed)}: stays in {place.epochs}; archive no copy of it, since it must be gone when its time is over"
    ends = min((epoch.ends for epoch in ring.epochs() if epoch.id in needed), default=None)
    if ends is not None:
        yield f"It can be restored until {ends:%Y-%m-%d}; from that day on whoever is forgotten now is gone from it too."
    if made.file.resolve().parent in {place.file.resolve().parent, place.epochs.resolve()}:
        yield f"Warning: it lies beside the keys in {made.file.parent}. Whoever copies that folder has both: move it."
