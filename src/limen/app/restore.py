"""`limen restore`: puts a backup in the place of the database, after trying whether the keyring opens it.

What was forgotten since the backup was made would be back with it. Where the database it replaces can still be read, that tells who was
forgotten, and they are forgotten in the copy again before anybody is served from it.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from limen.app import discover, ground
from limen.app.facts import BackupRestored
from limen.app.forgetting import Person, forget, forgotten, has_key
from limen.app.progress import shown, size_of, sized
from limen.app.settings import DatabaseSettings
from limen.kernel.clock import SystemClock
from limen.kernel.errors import LimenError
from limen.kernel.facts import Actor, ActorKind
from limen.kernel.ids import SERVER
from limen.modules import audit, keys
from limen.platform.crypto import Keyring, KeyringMissing, KeyringSettings
from limen.platform.sql import BackupRefused, Database, facts_after, last_position, upgrade
from limen.platform.sql.backup import holds_facts, is_whole, put_in_place, set_aside
from limen.platform.sql.dump import MAGIC, counted, put_back, users
from limen.platform.sql.dump import holds_facts as postgresql_holds_facts
from limen.platform.sql.lite import create_private

if TYPE_CHECKING:
    from limen.platform.duties import Settings

ACTOR: Final = Actor(ActorKind.OPERATOR, "command:restore")
_SQLITE: Final = "sqlite:///"
_SQLITE_MAGIC: Final = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Before:
    """What was there: whether there was anything, and who was forgotten in it; None where that cannot be read."""

    held: bool
    forgotten: frozenset[Person] | None


async def restore(chosen: Settings, file: Path, *, force: bool) -> list[str]:
    """Replace the database by the backup in `file`; return what the operator should know. BackupRefused, and then nothing has changed."""
    database = chosen.of(DatabaseSettings)
    _check_kind(file, database)
    try:
        ring = Keyring.load(chosen.of(KeyringSettings))
    except KeyringMissing as missing:
        lacking = missing.operator.partition(". ")[0]
        raise BackupRefused(operator=f"{lacking}. Put the keys there that were in use when the backup was made; new ones do not open it") from None
    if database.is_postgresql:
        return await _postgresql(chosen, ring, file, force=force)
    return await _sqlite(chosen, ring, file, force=force)


def _check_kind(file: Path, database: DatabaseSettings) -> None:
    try:
        with file.open("rb") as opened:
            head = opened.read(16)
    except OSError as error:
        raise BackupRefused(operator=f"{file} cannot be read: {error.strerror}") from None
    kind = "PostgreSQL" if head.startswith(MAGIC) else "SQLite" if head == _SQLITE_MAGIC else ""
    if not kind:
        raise BackupRefused(operator=f"{file} is no backup that `limen backup` made")
    if (kind == "PostgreSQL") is not database.is_postgresql:
        raise BackupRefused(operator=f"{file} is a copy of a {kind} database, and [database] url names another kind")


async def _sqlite(chosen: Settings, ring: Keyring, file: Path, *, force: bool) -> list[str]:
    path = Path(chosen.of(DatabaseSettings).place)
    before = await _before(chosen, held=await asyncio.to_thread(holds_facts, path))
    _refuse_data(str(path), before, force=force)
    async with _private_copy(file, path.with_name(path.name + ".restoring")) as copy:
        if not await asyncio.to_thread(is_whole, copy):
            raise BackupRefused(operator=f"{file} is damaged: take another backup")
        address = _SQLITE + quote(str(copy))
        async with ground.opened(chosen, url=address, any_schema=True) as opened:
            needed = await keys.needed(opened.db)
        _check_keys(needed.masters, needed.epochs, ring)
        lines = await _made_current(chosen, address, before)
        aside = _replaced(path, copy, keep=before.held)
    kept = [f"What was there before is kept as {aside}. Delete it when all is well: it holds people's data."] if aside else []
    return [f"restored {path} from {file}", *lines, *kept]


def _replaced(path: Path, copy: Path, *, keep: bool) -> Path | None:
    """Put the copy in the database's place; return where that is now, if it is worth keeping."""
    aside = set_aside(path, f"{path.name}.before-{SystemClock().now():%Y%m%d-%H%M%S}") if path.exists() else None
    put_in_place(copy, path)
    if aside and not keep:
        aside.unlink()
        return None
    return aside


@asynccontextmanager
async def _private_copy(file: Path, copy: Path) -> AsyncIterator[Path]:
    """Copy the backup beside the database, so that the backup itself is never written to; what is left of the copy goes at the end."""
    _remove(copy)
    create_private(copy)
    try:
        try:
            async with shown("reading the backup", lambda: sized(size_of(copy))):
                await asyncio.to_thread(shutil.copyfile, file, copy)
        except OSError as error:
            raise BackupRefused(operator=f"{file} cannot be copied to {copy}: {error.strerror}") from None
        yield copy
    finally:
        _remove(copy)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


async def _postgresql(chosen: Settings, ring: Keyring, file: Path, *, force: bool) -> list[str]:
    url, place = chosen.of(DatabaseSettings).url, chosen.of(DatabaseSettings).place
    if await users(url):
        raise BackupRefused(operator=f"servers are using {place}: end them first")
    before = await _before(chosen, held=await postgresql_holds_facts(url))
    _refuse_data(place, before, force=force)
    async with shown("looking which keys the backup needs"):
        found = await counted(file, {"tenant_keys": "master", "subject_keys": "epoch"})
    _check_keys(found["tenant_keys"], found["subject_keys"], ring)
    for package in discover.packages():
        discover.role(package, "store")  # so that all tables are known
    sent = 0

    def tell(octets: int) -> None:
        nonlocal sent
        sent = octets

    async with shown("restoring", lambda: sized(sent)):
        await put_back(file, url, tell)
    return [f"restored {place} from {file}", *await _made_current(chosen, url, before)]


async def _before(chosen: Settings, *, held: bool) -> Before:
    if not held:
        return Before(held=False, forgotten=None)
    try:
        async with ground.opened(chosen, any_schema=True) as opened:
            return Before(held=True, forgotten=frozenset([one async for one in forgotten(opened.db)]))
    except LimenError:  # damaged, or of another time: that is why it is to be replaced
        return Before(held=True, forgotten=None)


def _refuse_data(place: str, before: Before, *, force: bool) -> None:
    if before.held and not force:
        raise BackupRefused(operator=f"{place} holds data. Say --force to replace it by the backup")


def _check_keys(masters: Mapping[str, int], epochs: Mapping[str, int], ring: Keyring) -> None:
    """Refuse a backup that this keyring cannot open whole: half of the people would be there and unreadable."""
    if lacking := masters.keys() - {name for name, _ in ring.masters}:
        raise BackupRefused(
            operator=f"the backup was sealed under the master key {', '.join(sorted(lacking))}, which is not in the keyring. Put its copy into [keyring] file"
        )
    if gone := epochs.keys() - {epoch.id for epoch in ring.epochs()}:
        count = sum(epochs[name] for name in gone)
        whose = f"{count:,} {'person' if count == 1 else 'people'}"
        raise BackupRefused(operator=f"it can no longer be restored: the epoch key {', '.join(sorted(gone))} is destroyed, and with it the data of {whose}")


async def _made_current(chosen: Settings, url: str, before: Before) -> list[str]:
    """Bring the restored database to this version and forget in it whom the one before had forgotten; return what to tell of it."""
    await upgrade(url)
    async with ground.opened(chosen, url=url) as opened:
        at = await _last(opened.db)
        again = [one for one in sorted(before.forgotten or ()) if await has_key(opened.db, one)]
        async with shown("forgetting people again"):
            for person in again:
                await forget(opened.db, person, ACTOR)
        async with opened.db.work(SERVER, ACTOR) as work:
            work.record(BackupRestored(forgotten=len(again)))
    return list(_told(before, at, len(again)))


async def _last(db: Database) -> str:
    await audit.settled(db)
    async with db.read(SERVER) as read:
        position = await last_position(read)
        facts = await facts_after(read, max(0, position - 1), 1)
    return f"{facts[0].at:%Y-%m-%d %H:%M:%S} UTC" if facts else "no day"


def _told(before: Before, at: str, again: int) -> Iterator[str]:
    yield f"Its last entry in the log is of {at}. What came after is not there: passwords changed, sessions and tokens ended since are as they were then."
    if before.forgotten is not None:
        yield f"People forgotten since then, and now again: {again:,}."
    else:
        yield "Nobody can tell who was forgotten since then: they are back. Forget them again."
