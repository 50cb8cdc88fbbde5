"""Epochs that begin by themselves: in time, once, in whichever process, and never with a key that is still needed gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from limen.kernel.ids import SERVER
from limen.modules import keys
from limen.modules.keys import store
from limen.modules.keys.jobs import EPOCH_EVERY
from limen.modules.keys.service import wrapping
from limen.platform.crypto import EpochBegan, Keyring, KeyringSettings, keyfile
from limen.platform.outbox import list_jobs
from limen.platform.sql import open_database
from tests.conftest import World
from tests.modules.keys.log import facts_of
from tests.modules.keys.test_wrapping import opened, populate
from tests.rig import rotating

DAY = 86_400.0


@pytest.fixture
def rings(tmp_path: Path) -> KeyringSettings:
    """A keyring whose epochs begin by themselves, every thirty days."""
    return KeyringSettings(tmp_path / "master.key", tmp_path / "epochs", by_itself=True)


@pytest.fixture
async def other(world: World, rings: KeyringSettings) -> AsyncIterator[World]:
    """Another process on the same database (on SQLite: the same one), with a keyring of its own eyes."""
    if world.db.dialect == "sqlite":
        yield world
        return
    keyring = Keyring.load(rings, {})
    database = await open_database(world.url, keyring, world.clock, test_mode=True)
    try:
        yield replace(world, db=database, keyring=keyring)
    finally:
        await database.close()


def names(world: World) -> list[str]:
    return [epoch.id for epoch in world.keyring.epochs()]


async def test_an_epoch_begins_when_its_time_has_come(world: World) -> None:
    """Not a day before; once, however often one looks; the one before the previous is destroyed; everybody stays readable, and the log says so."""
    sealed = await populate(world)
    (first,) = names(world)
    world.advance(29 * DAY)
    await rotating.look(world)
    assert names(world) == [first]
    world.advance(DAY + EPOCH_EVERY.total_seconds())
    for _ in range(3):
        await rotating.look(world)
        world.advance(EPOCH_EVERY.total_seconds())
    second, previous = names(world)
    assert previous == first
    world.advance(30 * DAY)
    await rotating.look(world)
    third, previous = names(world)
    assert (previous, third != second) == (second, True)
    assert await opened(world, sealed) == 6
    async with world.db.read(SERVER) as read:
        assert await store.stale_subject_keys(read, third, keys.START, 10) == []
    begun = [fact.data for fact in await facts_of(world, SERVER, 2) if fact.name == "keys.epoch_rotated"]
    assert [(one["epoch"], one["destroyed"], one["rewrapped"]) for one in begun] == [(second, [], 6), (third, [first], 6)]


async def test_long_downtime_is_one_epoch(world: World) -> None:
    """A server that was away for more than a year begins one epoch, not thirteen: what it finds stays readable, and the next comes in time."""
    sealed = await populate(world)
    (first,) = names(world)
    world.advance(400 * DAY)
    for _ in range(3):
        await rotating.look(world)
        world.advance(EPOCH_EVERY.total_seconds())
    assert names(world)[1:] == [first]
    assert await opened(world, sealed) == 6


async def test_two_processes_begin_one_epoch(world: World, other: World) -> None:
    """At the same instant, both having found it due: one does, the other finds it done, and nobody's key is lost."""
    sealed = await populate(world, 30)
    (first,) = names(world)
    world.advance(31 * DAY)
    done = await asyncio.gather(keys.keep_epoch(world.db), keys.keep_epoch(other.db), return_exceptions=True)
    assert [one for one in done if isinstance(one, BaseException)] == []
    assert len([one for one in done if isinstance(one, keys.Rotated) and one.destroyed == () and one.rewrapped]) >= 1
    assert names(world)[1:] == [first]
    assert names(other) == names(world)
    assert await opened(world, sealed) == await opened(other, sealed) == 60


async def test_a_key_that_is_needed_is_not_destroyed_by_who_comes_late(world: World) -> None:
    """Whoever prepared to end one epoch, and finds another begun, is refused: the key of the one it knew still wraps people's."""
    await populate(world)
    (first,) = names(world)
    world.keyring.rotate_epoch(world.clock.now(), first)
    with pytest.raises(EpochBegan):
        world.keyring.rotate_epoch(world.clock.now(), first)
    assert first in names(world)


async def test_what_was_cut_short_is_finished(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ended after the epoch had begun: the next look wraps what is left, and writes the fact."""
    sealed = await populate(world, 130, "acme")
    world.advance(31 * DAY)
    page, pages = wrapping.rewrap_subjects, 0

    async def cut(db: object, spot: object) -> object:
        nonlocal pages
        pages += len(names(world)) > 1
        if pages == 2:
            raise asyncio.CancelledError
        return await page(db, spot)  # type: ignore[arg-type] # what it was called with

    monkeypatch.setattr(wrapping, "rewrap_subjects", cut)
    with pytest.raises(asyncio.CancelledError):
        await keys.keep_epoch(world.db)
    monkeypatch.undo()
    current, _ = names(world)
    async with world.db.read(SERVER) as read:
        assert len(await store.stale_subject_keys(read, current, keys.START, 200)) == 30
    assert await facts_of(world, SERVER, 0) == []
    world.advance(EPOCH_EVERY.total_seconds())
    await rotating.look(world)
    async with world.db.read(SERVER) as read:
        assert await store.stale_subject_keys(read, current, keys.START, 200) == []
    assert await opened(world, sealed) == 130
    (fact,) = await facts_of(world, SERVER, 1)
    assert (fact.name, fact.data["epoch"], fact.data["rewrapped"]) == ("keys.epoch_rotated", current, 30)


async def test_a_folder_that_cannot_be_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No epoch begins, nothing is destroyed, no dead letter piles up; when it can be written again, the next look does it."""
    await populate(world)
    (first,) = names(world)
    world.advance(31 * DAY)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(keyfile, "write", refused)
    await rotating.look(world)
    assert names(world) == [first]
    assert [job for job in await list_jobs(world.db) if job.kind == "keys.epoch"] == []
    monkeypatch.undo()
    world.advance(EPOCH_EVERY.total_seconds())
    await rotating.look(world)
    assert names(world)[1:] == [first]


class TestNever:
    """The off switch."""

    @pytest.fixture
    def rings(self, tmp_path: Path) -> KeyringSettings:
        """A keyring of `rotation = "0s"`."""
        return KeyringSettings(tmp_path / "master.key", tmp_path / "epochs", by_itself=False)

    async def test_only_a_command_begins_an_epoch(self, world: World) -> None:
        """However late it is."""
        await populate(world)
        (first,) = names(world)
        world.clock.offset += timedelta(days=300)
        await rotating.look(world)
        assert names(world) == [first]
        await keys.rotate_epoch(world.db)
        assert names(world)[1:] == [first]
