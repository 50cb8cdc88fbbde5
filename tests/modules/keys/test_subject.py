"""A person's key: hers alone, and gone when she is forgotten."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import AccountId, TenantId
from limen.modules import keys
from limen.modules.keys import store
from limen.modules.keys.holder import HOLDER
from limen.platform.crypto import Keyring, KeyringSettings, Place, UnknownEpoch, Unsealable
from limen.platform.duties import Done
from limen.platform.sql import Conflict
from tests.conftest import World
from tests.modules.keys.log import facts_of

ANNA, BEN = AccountId("acc_anna"), AccountId("acc_ben")
NAME = Place("profiles", "claims", "acme", ANNA)


async def sealed_name(world: World, subject: AccountId = ANNA) -> bytes:
    async with world.work() as work:
        return (await keys.new_subject(work, subject)).seal(b"Anna", NAME)


async def test_what_is_hers_opens_for_her_alone(world: World) -> None:
    """A box opens what it sealed, another person's does not, and another place does not."""
    sealed = await sealed_name(world)
    await sealed_name(world, BEN)
    async with world.read() as read:
        assert (await keys.subject_box(read, ANNA)).open(sealed, NAME) == b"Anna"
        with pytest.raises(Unsealable):
            (await keys.subject_box(read, BEN)).open(sealed, NAME)
    for place in (
        Place("profiles", "claims", "other", ANNA),
        Place("profiles", "photo", "acme", ANNA),
        Place("x", "claims", "acme", ANNA),
        Place("profiles", "claims", "acme", BEN),
    ):
        async with world.read() as read:
            with pytest.raises(Unsealable):
                (await keys.subject_box(read, ANNA)).open(sealed, place)


async def test_a_key_is_made_once(world: World) -> None:
    """A second key for the same person is a Conflict, so the first can never be replaced unnoticed."""
    await sealed_name(world)
    with pytest.raises(Conflict):
        await sealed_name(world)


async def test_rows_swapped_in_the_database_do_not_open(world: World) -> None:
    """A wrapped key copied to another person or another tenant does not unwrap."""
    await sealed_name(world)
    async with world.read() as read:
        row = await store.subject_key(read, ANNA)
        assert row is not None
    for tenant, subject in ((world.tenant, BEN), (TenantId("other"), ANNA)):
        async with world.db.work(tenant, SYSTEM) as work:
            await store.add_subject_key(work, subject, row.epoch, row.wrapped)
        async with world.db.read(tenant) as read:
            with pytest.raises(Unsealable):
                await keys.subject_box(read, subject)


async def test_forgetting(world: World) -> None:
    """The holder destroys the key, the log says so once, and everything of hers stays shut."""
    await sealed_name(world)
    for _ in range(2):
        async with world.work() as work:
            assert await HOLDER.forget(work, ANNA) == Done()
    async with world.read() as read:
        with pytest.raises(keys.Forgotten):
            await keys.subject_box(read, ANNA)
        assert (await HOLDER.export(read, ANNA, None)).records == ()
    assert [fact.name for fact in await facts_of(world, world.tenant, 1)] == ["keys.subject_forgotten"]


async def test_forgetting_reaches_copies_of_the_database(world: World, rings: KeyringSettings) -> None:
    """A copy from before she was forgotten opens for at most two epochs more, even with the keyring of that later day."""
    sealed = await sealed_name(world)
    async with world.read() as read:
        copied = await store.subject_key(read, ANNA)
        assert copied is not None
    await sealed_name(world, BEN)
    async with world.work() as work:
        await keys.forget_subject(work, ANNA)
    place = store.subject_place(world.tenant, ANNA)
    await keys.rotate_epoch(world.db)
    assert Keyring.load(rings, {}).epoch_unwrap(copied.wrapped, place), "for one epoch a backup can be restored"
    await keys.rotate_epoch(world.db)
    with pytest.raises(UnknownEpoch):
        Keyring.load(rings, {}).epoch_unwrap(copied.wrapped, place)
    async with world.read() as read:
        box = await keys.subject_box(read, BEN)
        with pytest.raises(Unsealable):
            box.open(sealed, NAME)


async def test_private_details_of_facts(world: World) -> None:
    """A detail opens with its fact's name and instant, for its subject, until she is forgotten."""
    await sealed_name(world)
    await sealed_name(world, BEN)
    async with world.work() as work:
        sealed = await keys.seal_fact(work, ANNA, "sessions.session_opened", {"address": "192.0.2.7"})
        at = work.now
    async with world.read() as read:
        assert await keys.open_fact(read, ANNA, "sessions.session_opened", at, sealed) == {"address": "192.0.2.7"}
        for subject, name in ((BEN, "sessions.session_opened"), (ANNA, "sessions.session_ended")):
            with pytest.raises(Unsealable):
                await keys.open_fact(read, subject, name, at, sealed)
        with pytest.raises(Unsealable):
            await keys.open_fact(read, ANNA, "sessions.session_opened", read.now, sealed)
    async with world.work() as work:
        await keys.forget_subject(work, ANNA)
    async with world.read() as read:
        with pytest.raises(keys.Forgotten):
            await keys.open_fact(read, ANNA, "sessions.session_opened", at, sealed)


def contents(folder: Path, *patterns: str) -> list[bytes]:
    return [path.read_bytes() for pattern in patterns for path in folder.glob(pattern)]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_database_holds_no_key_and_no_plain_text(world: World, tmp_path: Path) -> None:
    """Every octet of the file and its log is searched: no canary, no key of the keyring, no private key, no DER of one."""
    canary = b"canary-7f3a-anna@example.com"
    await keys.ensure(world.db, world.tenant, "ES256")
    await keys.ensure(world.db, world.tenant, "Ed25519")
    async with world.work() as work:
        box = await keys.new_subject(work, ANNA)
        sealed = box.seal(canary, NAME)
        await keys.blind(work, keys.LOGGED, "email", canary.decode())
        work.record(keys.SubjectForgotten(subject=ANNA, private=sealed))
    async with world.read() as read:
        private = [(await keys.signer(read, alg)).dump() for alg in ("ES256", "Ed25519")]
        rows = [row for use in keys.Use for row in await store.tenant_keys(read, use)]
    unwrapped = [world.keyring.master_unwrap(row.wrapped, store.tenant_place(world.tenant, row.use, row.id)) for row in rows]
    material = [line.split()[-1] for content in contents(tmp_path, "master.key", "epochs/*.key") for line in content.splitlines()]
    files = contents(tmp_path, "limen.db*")
    assert any(sealed in content for content in files), "the search would find what is there"
    for secret in (canary, canary[:12], *unwrapped, *material, *(der[-32:] for der in private), *(der[36:68] for der in private), b"\x30\x81\x87\x02\x01\x00"):
        assert not any(secret in content for content in files)
    assert apsw.Connection(str(tmp_path / "limen.db")).execute("SELECT count(*) FROM signing_keys").fetchall() == [(2,)]
