"""Signing keys: the first one, its successor, and everybody verifying all the while."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from limen.kernel.clock import SystemClock
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import TenantId
from limen.modules import keys, tenants
from limen.modules.keys import settings
from limen.modules.keys.store import add_signing_key, signing_keys
from limen.platform.crypto import Keyring, KeyringSettings, Unsealable
from limen.platform.sql import Database, open_database
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, KeySet
from tests.conftest import World
from tests.modules.keys.log import facts_of

HOUR, DAY = 3600.0, 86_400.0


@pytest.fixture
async def tenant(world: World) -> TenantId:
    """The tenant is saved, since rotation reads its settings."""
    async with world.work() as work:
        await tenants.save(work, tenants.plain(world.tenant))
    return world.tenant


async def signed(world: World, alg: str = "ES256") -> str:
    async with world.read() as read:
        return jose.encode(await keys.signer(read, alg), b"{}", "jwt")


async def verifies(world: World, token: str) -> bool:
    """Whether somebody who fetches the JWKS now can verify the token."""
    async with world.read() as read:
        document = await keys.jwks(read)
        own = await keys.public_keys(read)
    try:
        jose.verify(token, KeySet.parse(document, [Alg.ES256, Alg.RS256, Alg.ED25519]), typ={"jwt"})
        jose.verify(token, own, typ={"jwt"})
    except jose.JoseError:
        return False
    return True


async def stages(world: World) -> list[str]:
    async with world.read() as read:
        return [row.stage.value for row in await signing_keys(read)]


@pytest.mark.parametrize("alg", ["ES256", "RS256", "Ed25519"])
async def test_the_first_key(world: World, alg: str) -> None:
    """Before `ensure` there is none and the document is empty; after it the key signs at once and is shown."""
    async with world.work() as work:
        await tenants.save(work, tenants.plain(world.tenant))
    async with world.read() as read:
        with pytest.raises(keys.NoSigningKey):
            await keys.signer(read, alg)
        assert await keys.jwks(read) == b'{"keys":[]}'
        assert len(await keys.public_keys(read)) == len(await keys.remembered_keys(read)) == 0
    await keys.ensure(world.db, world.tenant, alg)
    await keys.ensure(world.db, world.tenant, alg)
    assert await verifies(world, await signed(world, alg))
    assert await stages(world) == ["current"]
    async with world.read() as read:
        (shown,) = json.loads(await keys.jwks(read))["keys"]
        assert (shown["alg"], shown["use"], shown["kid"]) == (alg, "sig", (await keys.signer(read, alg)).kid)
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & shown.keys()


async def test_unknown_algorithms_make_no_key(world: World) -> None:
    """`none`, symmetric and deprecated names are refused by name."""
    for alg in ("none", "HS256", "es256", "ES512", "", "x" * 5000):
        with pytest.raises(keys.NoSigningKey):
            await keys.ensure(world.db, world.tenant, alg)


async def test_two_processes_racing_make_one_key(world: World, rings: KeyringSettings) -> None:
    """Two databases handles with their own keyrings, three tasks each: one key, known to both."""
    other = await open_database(world.url, Keyring.load(rings, {}), world.clock, test_mode=True)
    try:
        await asyncio.gather(*(keys.ensure(db, world.tenant, "ES256") for db in (world.db, other) for _ in range(3)))
        async with world.read() as read, other.read(world.tenant) as there:
            assert (await keys.signer(read)).kid == (await keys.signer(there)).kid
    finally:
        await other.close()
    assert await stages(world) == ["current"]


async def test_a_caller_who_gives_up_leaves_the_key_to_others(world: World) -> None:
    """Cancelling one of two waiting requests does not take the key from the other."""
    first = asyncio.create_task(keys.ensure(world.db, world.tenant, "RS256"))
    second = asyncio.create_task(keys.ensure(world.db, world.tenant, "RS256"))
    await asyncio.sleep(0.001)
    first.cancel()
    await second
    assert await stages(world) == ["current"]


async def test_rotation_while_verifying(world: World, tenant: TenantId) -> None:
    """A successor is shown an hour before it signs; then it signs, by its instant alone; the old key stays a day for its last tokens."""
    await keys.ensure(world.db, tenant, "ES256")
    old = await signed(world)
    coming = await keys.rotate(world.db, tenant, Alg.ES256)
    assert await keys.rotate(world.db, tenant, Alg.ES256) == coming, "asking again changes nothing"
    async with world.read() as read:
        assert [key["kid"] for key in json.loads(await keys.jwks(read))["keys"]][1] == coming
        assert (await keys.signer(read)).kid != coming
    world.advance(HOUR - 60)
    assert jose.peek(await signed(world)).header.kid != coming
    world.advance(61)
    assert jose.peek(await signed(world)).header.kid == coming, "nobody had to tell"
    assert await verifies(world, old)
    async with world.work() as work:
        assert await keys.advance(work) == 1
    async with world.work() as work:
        assert await keys.advance(work) == 0
    assert await stages(world) == ["retired", "current"]
    new = await signed(world)
    assert await verifies(world, old)
    assert await verifies(world, new)
    world.advance(DAY)
    assert not await verifies(world, old)
    assert await verifies(world, new)
    async with world.read() as read:
        assert jose.verify(old, await keys.remembered_keys(read), typ={"jwt"}).payload == b"{}", "an old id_token_hint is still recognised"
        assert [row.sealed is None for row in await signing_keys(read)] == [True, False], "a retired key's private part is gone"


async def test_long_retired_keys_are_forgotten(world: World, tenant: TenantId) -> None:
    """Half a year after it retired, the public part goes too."""
    await keys.ensure(world.db, tenant, "ES256")
    await keys.rotate(world.db, tenant, Alg.ES256)
    world.advance(2 * HOUR)
    async with world.work() as work:
        await keys.advance(work)
    world.advance(179 * DAY)
    assert await stages(world) == ["retired", "current"]
    world.advance(DAY)
    async with world.read() as read:
        assert (await keys.due(read)).advance
    async with world.work() as work:
        await keys.advance(work)
    assert await stages(world) == ["current"]


async def test_what_is_due(world: World, tenant: TenantId) -> None:
    """A rotation is due so early that the successor signs when ninety days are over; then advancing is due, then nothing."""
    await keys.ensure(world.db, tenant, "ES256")
    async with world.read() as read:
        assert await keys.due(read) == keys.Due((), advance=False)
    world.advance(90 * DAY - HOUR)
    async with world.read() as read:
        assert await keys.due(read) == keys.Due((Alg.ES256,), advance=False)
    await keys.rotate(world.db, tenant, Alg.ES256)
    async with world.read() as read:
        assert await keys.due(read) == keys.Due((), advance=False)
    world.advance(HOUR)
    async with world.read() as read:
        assert await keys.due(read) == keys.Due((), advance=True)
    async with world.work() as work:
        await keys.advance(work)
    async with world.read() as read:
        assert await keys.due(read) == keys.Due((), advance=False)


async def test_another_process_needs_no_restart(world: World, tenant: TenantId, rings: KeyringSettings) -> None:
    """A second process sees the successor by notice, turns to it at its instant, and serves it before and after."""
    await keys.ensure(world.db, tenant, "ES256")
    other = await open_database(world.url, Keyring.load(rings, {}), world.clock, test_mode=True)
    try:
        async with other.read(tenant) as read:
            before = (await keys.signer(read)).kid
        coming = await keys.rotate(world.db, tenant, Alg.ES256)
        assert await until(other, tenant, lambda document: coming in document)
        world.advance(HOUR + 1)
        async with other.read(tenant) as read:
            assert (await keys.signer(read)).kid == coming != before
    finally:
        await other.close()


async def until(db: Database, tenant: TenantId, wanted: object) -> bool:
    assert callable(wanted)
    for _ in range(100):
        async with db.read(tenant) as read:
            if wanted((await keys.jwks(read)).decode()):
                return True
        await asyncio.sleep(0.05)
    return False


async def test_withdrawing_a_stolen_key(world: World, tenant: TenantId) -> None:
    """With `withdraw` a new key signs at once and nothing verifies with the old one, not even as a hint."""
    await keys.ensure(world.db, tenant, "ES256")
    stolen = await signed(world)
    await keys.rotate(world.db, tenant, Alg.ES256)
    fresh = await keys.rotate(world.db, tenant, Alg.ES256, withdraw=True)
    assert await stages(world) == ["current"]
    assert jose.peek(await signed(world)).header.kid == fresh
    assert not await verifies(world, stolen)
    async with world.read() as read:
        with pytest.raises(jose.UnknownKey):
            jose.verify(stolen, await keys.remembered_keys(read), typ={"jwt"})


async def test_a_rotation_before_there_is_a_key_makes_the_first(world: World, tenant: TenantId) -> None:
    """`rotate` of an algorithm without a key gives one that signs at once; each algorithm lives its own life."""
    await keys.rotate(world.db, tenant, Alg.ED25519)
    await keys.ensure(world.db, tenant, "ES256")
    await keys.rotate(world.db, tenant, Alg.ES256)
    assert await stages(world) == ["current", "current", "successor"]
    assert await verifies(world, await signed(world, "Ed25519"))


async def test_the_log_tells_the_life_of_keys(world: World, tenant: TenantId) -> None:
    """Made, made as successor, rotated: each is a fact with key and algorithm."""
    await keys.ensure(world.db, tenant, "ES256")
    await keys.rotate(world.db, tenant, Alg.ES256)
    world.advance(2 * HOUR)
    async with world.work() as work:
        await keys.advance(work)
    found = await facts_of(world, tenant, 3)
    assert [fact.name for fact in found] == ["keys.signing_key_made", "keys.signing_key_made", "keys.signing_key_rotated"]


async def test_tokens_of_one_tenant_are_worth_nothing_in_another(world: World) -> None:
    """Each tenant has its own keys, and a signing key copied into another tenant does not open there."""
    await keys.ensure(world.db, world.tenant, "ES256")
    other = TenantId("other")
    await keys.ensure(world.db, other, "ES256")
    token = await signed(world)
    async with world.db.read(other) as read:
        with pytest.raises(jose.UnknownKey):
            jose.verify(token, await keys.public_keys(read), typ={"jwt"})
    async with world.read() as read:
        (row,) = await signing_keys(read)
    third = TenantId("third")
    await keys.prepare(world.db, third)
    async with world.db.work(third, SYSTEM) as work:
        await add_signing_key(work, row)
    async with world.db.read(third) as read:
        with pytest.raises(Unsealable):
            await keys.signer(read)


async def test_a_clock_that_goes_back(world: World, tenant: TenantId) -> None:
    """In dev mode the clock may be turned back: the answer follows the instant asked for, both ways."""
    await keys.ensure(world.db, tenant, "ES256")
    coming = await keys.rotate(world.db, tenant, Alg.ES256)
    clock: SystemClock = world.clock
    for _ in range(2):
        world.advance(2 * HOUR)
        assert jose.peek(await signed(world)).header.kid == coming
        clock.offset -= timedelta(hours=2)
        assert jose.peek(await signed(world)).header.kid != coming


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"rotation": timedelta(minutes=1)}, "rotation"),
        ({"rotation": timedelta(days=401)}, "rotation"),
        ({"successor_lead": timedelta(days=8)}, "successor_lead"),
        ({"rotation": timedelta(), "successor_lead": timedelta(days=8)}, "successor_lead"),
        ({"rotation": timedelta(hours=1), "successor_lead": timedelta(hours=2)}, "successor_lead"),
        ({"retired_shown": timedelta(days=200)}, "retired_shown"),
        ({"retired_shown": timedelta(hours=23)}, "retired_shown"),
        ({"algorithms": ()}, "algorithms"),
        ({"algorithms": (Alg.ES256, Alg.HS256)}, "algorithms"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object], key: str) -> None:
    """Too often or too rarely, a lead longer than the rotation, a key gone before its last token, no algorithm or a wrong one: the key is named."""
    with pytest.raises(ValueError, match=f"^{key}:"):
        settings.Tenant(**wrong)  # type: ignore[arg-type] # one of several


def test_how_long_a_successor_is_shown() -> None:
    """An hour, ten seconds in dev mode, or what the tenant says; a key that never rotates by itself may have one too."""
    assert [settings.Tenant().lead(dev=dev) for dev in (False, True)] == [timedelta(hours=1), timedelta(seconds=10)]
    said = settings.Tenant(rotation=settings.NEVER, successor_lead=timedelta(seconds=2))
    assert [said.lead(dev=dev) for dev in (False, True)] == [timedelta(seconds=2)] * 2
    assert said.algorithms[0] is Alg.ES256


async def test_the_tenants_algorithms(world: World, tenant: TenantId) -> None:
    """ES256 is the default, RS256 and Ed25519 are offered."""
    del tenant
    async with world.read() as read:
        assert await keys.algorithms(read) == (Alg.ES256, Alg.RS256, Alg.ED25519)
