"""Rotation of epoch and master keys: everything living is wrapped anew before anything is destroyed."""

from __future__ import annotations

import asyncio

import pytest

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import SERVER, AccountId, TenantId
from limen.modules import keys
from limen.modules.keys import store
from limen.modules.keys.service import signing, wrapping
from limen.platform.crypto import Keyring, KeyringSettings, Place
from tests.conftest import World
from tests.modules.keys.log import facts_of


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no other process to wait for."""
    monkeypatch.setattr(wrapping, "SETTLE", 0.0)


def people(count: int) -> list[AccountId]:
    return [AccountId(f"acc_{number:04}") for number in range(count)]


def batched(found: list[AccountId], size: int) -> list[list[AccountId]]:
    return [found[at : at + size] for at in range(0, len(found), size)]


def place(tenant: str, subject: str) -> Place:
    return Place("profiles", "claims", tenant, subject)


async def populate(world: World, count: int = 3, *names: str) -> dict[tuple[TenantId, AccountId], bytes]:
    """Make people in tenants and seal something for each."""
    sealed: dict[tuple[TenantId, AccountId], bytes] = {}
    for tenant in [TenantId(name) for name in names or ("acme", "beta")]:
        for some in batched(people(count), 50):
            async with world.db.work(tenant, SYSTEM) as work:
                for subject in some:
                    sealed[tenant, subject] = (await keys.new_subject(work, subject)).seal(subject.encode(), place(tenant, subject))
    return sealed


async def opened(world: World, sealed: dict[tuple[TenantId, AccountId], bytes]) -> int:
    for (tenant, subject), blob in sealed.items():
        async with world.db.read(tenant) as read:
            assert (await keys.subject_box(read, subject)).open(blob, place(tenant, subject)) == subject.encode()
    return len(sealed)


async def test_an_epoch_wraps_everybody_anew(world: World) -> None:
    """Over two rotations everybody's values stay open, and every key is under the newest epoch each time."""
    sealed = await populate(world)
    for _ in range(2):
        before = world.keyring.current_epoch
        done = await keys.rotate_epoch(world.db)
        assert done.key == world.keyring.current_epoch != before
        assert done.rewrapped == 6
        async with world.db.read(SERVER) as read:
            assert await store.stale_subject_keys(read, done.key, keys.START, 10) == []
        assert await opened(world, sealed) == 6


async def test_pages_cover_everybody(world: World) -> None:
    """More people than a page holds, in tenants of different size: none is left out, and the count is told on the way."""
    await populate(world, 130, "acme")
    await populate(world, 5, "beta", "zeta")
    told: list[int] = []
    done = await keys.rotate_epoch(world.db, told=told.append)
    assert done.rewrapped == 140
    assert told[-1] == 140
    world.keyring.rotate_epoch(world.clock.now())
    spot, count = await keys.rewrap_subjects(world.db, keys.START)
    assert (spot, count) == (keys.Spot(TenantId("acme"), "acc_0099"), 100)
    assert await keys.rewrap_subjects(world.db, spot or keys.START) == (None, 40)


async def test_forgotten_people_do_not_come_back(world: World) -> None:
    """Somebody forgotten between reading and writing a page stays forgotten."""
    await populate(world, 1, "acme")
    world.keyring.rotate_epoch(world.clock.now())
    async with world.db.read(SERVER) as read:
        (stale,) = await store.stale_subject_keys(read, world.keyring.current_epoch, keys.START, 10)
    async with world.work() as work:
        await keys.forget_subject(work, people(1)[0])
    async with world.work() as work:
        assert await store.rewrap_subject_key(work, stale, "new", b"blob") == 0


async def test_new_people_while_an_epoch_begins(world: World) -> None:
    """People who come while keys are wrapped anew are all there afterwards, whichever epoch they were born in."""
    sealed = await populate(world, 50, "acme")

    async def arrive() -> None:
        for number in range(20):
            subject = AccountId(f"acc_new{number:02}")
            async with world.work() as work:
                sealed[world.tenant, subject] = (await keys.new_subject(work, subject)).seal(subject.encode(), place(world.tenant, subject))

    await asyncio.gather(arrive(), keys.rotate_epoch(world.db))
    await keys.rotate_epoch(world.db)
    await keys.rotate_epoch(world.db)
    assert await opened(world, sealed) == 70


async def test_destroying_the_previous_epoch_now(world: World, rings: KeyringSettings) -> None:
    """One key file is left, and everybody alive still opens."""
    sealed = await populate(world)
    before = world.keyring.current_epoch
    done = await keys.rotate_epoch(world.db, destroy_previous=True)
    assert done.destroyed == (before,)
    assert len(list(rings.epochs.glob("*.key"))) == 1
    assert await opened(world, sealed) == 6


async def test_nothing_is_destroyed_while_it_is_needed(world: World) -> None:
    """A key that does not unwrap stops the rotation before a single epoch key is destroyed, and is named."""
    await populate(world, 2, "acme")
    await keys.rotate_epoch(world.db)
    present = [epoch.id for epoch in world.keyring.epochs()]
    async with world.work() as work:
        await store.add_subject_key(work, AccountId("acc_bad"), present[1], b"\x01" + bytes.fromhex(present[1]) + b"x" * 60)
    with pytest.raises(keys.DamagedKey, match="damaged") as caught:
        await keys.rotate_epoch(world.db)
    assert "acc_bad of acme" in caught.value.operator
    assert [epoch.id for epoch in world.keyring.epochs()] == present


async def test_a_server_with_another_keyring_is_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """If older wrappings keep appearing, nothing is destroyed."""
    await populate(world, 1, "acme")
    gone = world.keyring.current_epoch

    async def undone(work: object, old: object, epoch: object, blob: object) -> int:
        del work, old, epoch, blob
        return 1

    await keys.rotate_epoch(world.db)
    monkeypatch.setattr(store, "rewrap_subject_key", undone)
    world.keyring.rotate_epoch(world.clock.now())
    with pytest.raises(keys.StillInUse):
        await keys.rotate_epoch(world.db)
    assert gone not in [epoch.id for epoch in world.keyring.epochs()]


async def test_the_master_key_rotates_while_serving(world: World, rings: KeyringSettings) -> None:
    """Tenants' keys are wrapped anew; a process that knows only the file follows; the previous key goes when told to."""
    for name in ("acme", "beta"):
        await keys.prepare(world.db, TenantId(name))
    async with world.read() as read:
        sealed = (await keys.tenant_box(read, signing.SIGNING)).seal(b"x", place("acme", "1"))
    before = world.keyring.master
    done = await keys.rotate_master(world.db)
    assert (done.rewrapped, done.destroyed, done.key) == (4, (), Keyring.load(rings, {}).master)
    again = await keys.rotate_master(world.db, destroy_previous=True)
    assert before in again.destroyed
    assert len(again.destroyed) == 2
    world.db.caches.clear()
    async with world.read() as read:
        assert (await keys.tenant_box(read, signing.SIGNING)).open(sealed, place("acme", "1")) == b"x"


async def test_rotations_are_in_the_log(world: World) -> None:
    """Both are facts of the server, with the ids of keys and never a key."""
    await populate(world, 1, "acme")
    epoch = await keys.rotate_epoch(world.db)
    master = await keys.rotate_master(world.db)
    found = {fact.name: fact for fact in await facts_of(world, SERVER, 2)}
    assert epoch.key in str(found["keys.epoch_rotated"])
    assert master.key in str(found["keys.master_rotated"])


async def test_the_list_names_and_dates_every_key(world: World) -> None:
    """Master, epochs, tenant's keys and signing keys, in this order, without any key material."""
    await keys.ensure(world.db, world.tenant, "ES256")
    await keys.rotate_epoch(world.db)
    await keys.prepare(world.db, world.tenant)
    lines = await keys.list_keys(world.db, world.tenant)
    assert [(line.kind, line.standing) for line in lines] == [
        ("master", "current"),
        ("epoch", "current"),
        ("epoch", "previous"),
        ("data", "current"),
        ("index", "current"),
        ("ES256", "current"),
    ]
    assert all(line.since for line in lines)
