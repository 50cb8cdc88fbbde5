"""`limen backup` and `limen restore`: what they write, what they refuse, and what becomes of people who were forgotten in between."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from limen.app import forgetting, ground, restore, settings
from limen.app.backup import back_up
from limen.app.ground import Opened
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import AccountId, TenantId
from limen.modules import accounts, audit, keys, tenants
from limen.platform.crypto import Keyring, KeyringSettings
from limen.platform.duties import Settings
from limen.platform.sql import BackupRefused

ACME = TenantId("acme")


@dataclass
class Place:
    """An installation: its settings, and short words for what the tests do with it."""

    chosen: Settings
    folder: Path

    @property
    def ring(self) -> Keyring:
        return Keyring.load(self.chosen.of(KeyringSettings), {})

    async def add(self, *emails: str) -> list[AccountId]:
        """Make accounts."""
        made = []
        async with ground.opened(self.chosen) as opened:
            for email in emails:
                made.append(await _add(opened, email))
        return made

    async def emails(self) -> list[str]:
        """Return whose address can be read, in order."""
        async with ground.opened(self.chosen) as opened, opened.db.read(ACME) as read:
            every = [one.id for one in await accounts.list_of(read)]
            return sorted(one.value for found in (await accounts.identifiers_of(read, every)).values() for one in found)

    async def forget(self, account: AccountId) -> None:
        """Forget somebody."""
        async with ground.opened(self.chosen) as opened:
            await forgetting.forget(opened.db, (ACME, account), SYSTEM)

    async def restore(self, file: Path, *, force: bool = True) -> str:
        """Restore, and return what was said."""
        return "\n".join(await restore.restore(self.chosen, file, force=force))

    async def refusal(self, file: Path, *, force: bool = True) -> str:
        """Return why a restore is refused; nobody is lost by the attempt."""
        before = await self.emails()
        with pytest.raises(BackupRefused) as refused:
            await self.restore(file, force=force)
        assert await self.emails() == before
        return refused.value.operator


async def _add(opened: Opened, email: str) -> AccountId:
    async with opened.db.work(ACME, SYSTEM) as work:
        made = await accounts.create(work, "email", email)
    assert isinstance(made, accounts.Account)
    return made.id


@pytest.fixture
async def place(database_url: str, tmp_path: Path) -> Place:
    """An installation with one tenant."""
    config = tmp_path / "limen.toml"
    config.write_text(f'[server]\nmode = "dev"\n[database]\nurl = "{database_url}"\n[keyring]\nfile = "keys/master.key"\n')
    chosen = settings.load(config, {})
    Keyring.create(chosen.of(KeyringSettings), environ={})
    async with ground.opened(chosen) as opened, opened.db.work(ACME, SYSTEM) as work:
        await tenants.save(work, tenants.plain(ACME))
    return Place(chosen, tmp_path)


async def test_there_and_back(place: Place) -> None:
    """What is restored is what was there when the backup was made; the log says that both happened."""
    await place.add("ada@example.com")
    file = place.folder / "copy"
    said = "\n".join(await back_up(place.chosen, file))
    assert b"ada@example.com" not in file.read_bytes()
    await place.add("bob@example.com")
    assert await place.emails() == ["ada@example.com", "bob@example.com"]
    assert "--force" in await place.refusal(file, force=False)
    told = await place.restore(file)
    assert await place.emails() == ["ada@example.com"]
    assert "Its last entry in the log is of 20" in told
    assert "now again: 0." in told
    async with ground.opened(place.chosen) as opened:
        await audit.settled(opened.db)
        names = [fact.name async for fact in audit.tail(opened.db, kind="server.")]
    assert names == ["server.backup_restored"]
    epoch = place.ring.epochs()[0]
    for word in (place.ring.master, epoch.id, f"{epoch.ends:%Y-%m-%d}", "master.key", "epochs"):
        assert word in said


async def test_no_key_is_in_a_backup(place: Place) -> None:
    """Neither the master key nor an epoch key stands in the copy, in any spelling they have in their files."""
    await place.add("ada@example.com")
    file = place.folder / "copy"
    await back_up(place.chosen, file)
    octets = file.read_bytes()
    for path in (place.folder / "keys").rglob("*.key"):
        assert path.read_text().split()[-1].encode() not in octets


async def test_who_was_forgotten_since_is_forgotten_again(place: Place) -> None:
    """A backup does not bring back whom the database it replaces had forgotten."""
    ada, _ = await place.add("ada@example.com", "bob@example.com")
    file = place.folder / "copy"
    await back_up(place.chosen, file)
    await place.forget(ada)
    assert "now again: 1." in await place.restore(file)
    assert await place.emails() == ["bob@example.com"]
    async with ground.opened(place.chosen) as opened, opened.db.read(ACME) as read:
        with pytest.raises(keys.Forgotten):
            await keys.subject_box(read, ada)


async def test_a_backup_while_writing(place: Place) -> None:
    """Accounts are made all the time while the copy is written: it holds a whole number of them, each readable."""
    file = place.folder / "copy"
    async with ground.opened(place.chosen) as opened:
        running = True
        made: list[AccountId] = []

        async def write() -> None:
            for number in itertools.takewhile(lambda _: running, itertools.count()):
                made.append(await _add(opened, f"p{number}@example.com"))

        writing = asyncio.create_task(write())
        while len(made) < 5:
            await asyncio.sleep(0.01)
        before = len(made)
        await back_up(place.chosen, file)
        running = False
        await writing
    await place.restore(file)
    assert before <= len(await place.emails()) <= len(made)


async def test_a_backup_dies_with_its_epoch(place: Place) -> None:
    """One epoch on it can still be restored; once its epoch's key is destroyed the refusal says so, and whose data that was."""
    await place.add("ada@example.com")
    file = place.folder / "copy"
    await back_up(place.chosen, file)
    for again in (True, False):
        async with ground.opened(place.chosen) as opened:
            await keys.rotate_epoch(opened.db)
        if again:
            await place.restore(file)
            assert await place.emails() == ["ada@example.com"]
            async with ground.opened(place.chosen) as opened:
                await keys.rewrap_subjects(opened.db, keys.START)
    said = await place.refusal(file)
    assert "can no longer be restored" in said
    assert "the data of 1 person" in said


async def test_a_foreign_keyring_is_refused(place: Place) -> None:
    """A backup sealed under another master key is refused before anything is touched, and the key is named."""
    await place.add("ada@example.com")
    file = place.folder / "copy"
    await back_up(place.chosen, file)
    stranger = place.ring.master
    async with ground.opened(place.chosen) as opened:
        await keys.rotate_master(opened.db)
        await keys.rotate_master(opened.db)
    said = await place.refusal(file)
    assert f"master key {stranger}" in said
    assert "Put its copy into [keyring] file" in said


async def test_what_is_no_backup_is_refused(place: Place) -> None:
    """A text, a file that is not there, and a copy of the other kind of database are told apart."""
    (place.folder / "text").write_text("hello")
    assert "no backup that `limen backup` made" in await place.refusal(place.folder / "text")
    assert "cannot be read: No such file" in await place.refusal(place.folder / "gone")
    other = b"PGDMP" if "sqlite" in place.chosen.of(settings.DatabaseSettings).url else b"SQLite format 3\0"
    (place.folder / "other").write_bytes(other + bytes(100))
    assert "names another kind" in await place.refusal(place.folder / "other")


async def test_a_torn_backup_is_refused(place: Place) -> None:
    """A copy of which a part is missing changes nothing."""
    await place.add("ada@example.com")
    file = place.folder / "copy"
    await back_up(place.chosen, file)
    with file.open("rb+") as torn:
        torn.truncate(file.stat().st_size // 2)
    assert await place.refusal(file)


async def test_a_database_in_use_is_not_replaced(place: Place) -> None:
    """While a server has the database open, restore asks to end it first."""
    file = place.folder / "copy"
    await back_up(place.chosen, file)
    async with ground.opened(place.chosen) as opened:
        async with opened.db.read(ACME) as read:
            await accounts.list_of(read)
        with pytest.raises(BackupRefused) as refused:
            await place.restore(file)
    assert "end " in refused.value.operator
    assert "first" in refused.value.operator


async def test_names_of_backups(place: Place) -> None:
    """A folder gets a file named after the instant; a file that is there is not overwritten; beside the keys is warned of."""
    (place.folder / "copies").mkdir()
    await back_up(place.chosen, place.folder / "copies")
    (made,) = (place.folder / "copies").iterdir()
    assert made.name.startswith("limen-20")
    for target, says in ((made, "overwrites nothing"), (place.folder / "nowhere" / "x", "there is no folder")):
        with pytest.raises(BackupRefused) as refused:
            await back_up(place.chosen, target)
        assert says in refused.value.operator
    assert "Warning" in (await back_up(place.chosen, place.folder / "keys" / "copy"))[-1]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_damaged_database_is_replaced_and_kept(place: Place) -> None:
    """Where nobody can read the database, who was forgotten is unknown: that is said, and the damaged file is put aside."""
    await place.add("ada@example.com")
    file = place.folder / "copy"
    await back_up(place.chosen, file)
    path = Path(place.chosen.of(settings.DatabaseSettings).url.removeprefix("sqlite:///"))
    path.write_bytes(b"\xff" * 100_000)
    shutil.rmtree(path.with_name(path.name + "-wal"), ignore_errors=True)
    told = await place.restore(file)
    assert "they are back" in told
    assert "is kept as" in told
    assert await place.emails() == ["ada@example.com"]
    assert [one.name for one in path.parent.glob("limen.db.before-*")]
