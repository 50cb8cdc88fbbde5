"""Tenants' own keys: made once, worth nothing elsewhere, rotated while serving."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import TenantId
from limen.modules import keys
from limen.modules.keys import store
from limen.platform.crypto import Place, Unsealable
from tests.conftest import World
from tests.rig import rotating

HERE = Place("journeys", "state", "acme", "jny_1")
OTHER = TenantId("other")
BOX = keys.Sealed(name="test.box", fades=timedelta(), why="a test seals and opens at once")


async def test_the_box_is_made_once(world: World) -> None:
    """The first use makes the key, in a Read as in a Work; every later one finds the same."""
    async with world.read() as read:
        sealed = (await keys.tenant_box(read, BOX)).seal(b"x", HERE)
    async with world.work() as work:
        assert (await keys.tenant_box(work, BOX)).open(sealed, HERE) == b"x"
    async with world.db.read(OTHER) as read:
        with pytest.raises(Unsealable):
            (await keys.tenant_box(read, BOX)).open(sealed, HERE)


async def test_racers_end_with_one_key(world: World) -> None:
    """Ten tasks that need the first key at once, some in a Work and some in a Read, all seal under the same one."""

    async def in_read() -> str:
        async with world.read() as read:
            return (await keys.tenant_box(read, BOX)).id

    async def in_work() -> str:
        async with world.work() as work:
            return (await keys.tenant_box(work, BOX)).id

    assert len(set(await asyncio.gather(*(in_read() if n % 2 else in_work() for n in range(10))))) == 1


async def test_a_key_made_in_a_work_that_fails_never_was(world: World) -> None:
    """If the Work that made the first key is rolled back, nobody keeps that key."""
    seen = ""

    async def fail() -> None:
        nonlocal seen
        async with world.work() as work:
            seen = (await keys.tenant_box(work, BOX)).id
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with world.read() as read:
        assert (await keys.tenant_box(read, BOX)).id not in ("", seen)


async def test_blind_indexes_are_equal_only_where_they_must(world: World) -> None:
    """One value has one index per tenant and purpose, 16 octets, and the index is not the value."""
    async with world.read() as read, world.db.read(OTHER) as other:
        first = await keys.blind(read, keys.LOGGED, "email", "anna@example.com")
        assert first == await keys.blind(read, keys.LOGGED, "email", "anna@example.com")
        assert len(first) == 16
        different = [
            await keys.blind(read, keys.LOGGED, "email", "anna@example.org"),
            await keys.blind(read, keys.LOGGED, "phone", "anna@example.com"),
            await keys.blind(read, keys.LOGGED, "emailanna", "@example.com"),
            await keys.blind(other, keys.LOGGED, "email", "anna@example.com"),
            await keys.blind(read, keys.LOGGED, "email", "\ud800"),
        ]
        assert len({first, *different}) == 6
        assert await keys.blinds(read, keys.LOGGED, "email", "anna@example.com") == (first,)


async def test_the_data_key_rotates_while_serving(world: World) -> None:
    """After a rotation the new key seals and both open, in this process at once; jobs bring along what is kept, and end it."""
    await keys.ensure(world.db, world.tenant, "ES256")
    async with world.read() as read:
        box = await keys.tenant_box(read, BOX)
        before = box.seal(b"x", HERE)
        kid = (await keys.signer(read)).kid
    fresh = await rotating.begin(world, keys.Use.DATA)
    async with world.read() as read:
        box = await keys.tenant_box(read, BOX)
        assert (box.id, box.open(before, HERE), box.is_current(before)) == (fresh, b"x", False)
        assert (await keys.signer(read)).kid == kid
    with pytest.raises(keys.RotationUnfinished):
        await rotating.begin(world, keys.Use.DATA)
    await rotating.bring_along(world)
    await rotating.end(world, keys.Use.DATA)
    async with world.read() as read:
        with pytest.raises(Unsealable):
            (await keys.tenant_box(read, BOX)).open(before, HERE)
        assert (await keys.signer(read)).kid == kid, "signing keys were sealed anew"


async def test_the_index_key_rotates_while_serving(world: World) -> None:
    """While the index key rotates, look-ups try the new index and the old one."""
    async with world.read() as read:
        old = await keys.blind(read, keys.LOGGED, "email", "anna@example.com")
    await rotating.begin(world, keys.Use.INDEX)
    async with world.read() as read:
        new, also = await keys.blinds(read, keys.LOGGED, "email", "anna@example.com")
        assert also == old != new == await keys.blind(read, keys.LOGGED, "email", "anna@example.com")
    await rotating.bring_along(world)
    await rotating.end(world, keys.Use.INDEX)
    async with world.read() as read:
        assert await keys.blinds(read, keys.LOGGED, "email", "anna@example.com") == (new,)


async def test_a_wrapped_key_of_one_tenant_is_worth_nothing_in_another(world: World) -> None:
    """Rows copied into another tenant, or from one use to the other, do not unwrap."""
    await keys.prepare(world.db, world.tenant)
    async with world.read() as read:
        (data,) = await store.tenant_keys(read, keys.Use.DATA)
        (index,) = await store.tenant_keys(read, keys.Use.INDEX)
    async with world.db.work(OTHER, SYSTEM) as work:
        await store.add_tenant_key(work, data)
        await store.add_tenant_key(work, index)
    async with world.db.read(OTHER) as read:
        with pytest.raises(Unsealable):
            await keys.tenant_box(read, BOX)
        with pytest.raises(Unsealable):
            await keys.blind(read, keys.LOGGED, "email", "anna@example.com")
