"""`limen key list` and `limen key rotate`, as an operator sees them."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import pytest

from limen.kernel.ids import SERVER
from limen.modules import keys, tenants
from limen.modules.keys import commands, store
from limen.modules.keys.service import wrapping
from limen.platform.commands import Console, Ground
from limen.platform.duties import Settings
from tests.conftest import World
from tests.modules.keys.log import facts_of
from tests.rig import rotating


@pytest.fixture
async def ground(world: World, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """A command's ground, with a tenant, its keys, and nobody else to wait for."""
    monkeypatch.setattr(wrapping, "SETTLE", 0.0)
    async with world.work() as work:
        await tenants.save(work, tenants.plain(world.tenant))
    await keys.ensure(world.db, world.tenant, "ES256")
    return Ground(Settings([]), world.db, world.tenant, Console(io.StringIO()))


def said(ground: Ground) -> str:
    assert isinstance(ground.console.file, io.StringIO)
    return ground.console.file.getvalue()


async def test_list(ground: Ground) -> None:
    """Every key has a line of kind, id, standing and dates, cut by tabs for scripts."""
    await commands.show(ground)
    lines = [line.split("\t") for line in said(ground).splitlines()]
    assert [(line[0], line[2]) for line in lines] == [("master", "current"), ("epoch", "current"), ("data", "current"), ("ES256", "current")]
    assert all(line[3].endswith("UTC") for line in lines)


async def test_rotating_an_epoch_prints_both_dates(ground: Ground) -> None:
    """The operator learns until when backups can be restored and from when erasure has reached them all."""
    await commands.rotate(ground, epoch=True)
    assert said(ground).count("can be restored until") == 2
    assert "is gone from every backup" in said(ground)


async def test_rotating_the_master_key(ground: Ground, world: World) -> None:
    """The new key's name is printed; with --destroy-previous the old one's too."""
    before = world.keyring.master
    await commands.rotate(ground, master=True, destroy_previous=True)
    assert f"master key {world.keyring.master} is in use" in said(ground)
    assert f"master key {before} is destroyed" in said(ground)


async def test_rotating_a_signing_key(ground: Ground, world: World) -> None:
    """The successor's instant is printed, and until when the present key is shown; withdrawing says what it costs; case does not matter."""
    await commands.rotate(ground, signing="es256")
    async with world.read() as read:
        present, coming = await store.signing_keys(read)
    assert timedelta(minutes=59) < coming.begins - present.begins < timedelta(minutes=61)
    assert f"ES256 key {coming.id} of acme signs from {coming.begins:%Y-%m-%d %H:%M} UTC" in said(ground)
    assert f"ES256 key {present.id} is shown until {coming.begins + timedelta(days=1):%Y-%m-%d %H:%M} UTC" in said(ground)
    await commands.rotate(ground, signing="ES256", destroy_previous=True)
    assert "withdrawn" in said(ground)
    async with world.read() as read:
        assert len(await keys.public_keys(read)) == 1


async def test_in_dev_mode_a_successor_signs_soon(ground: Ground, world: World) -> None:
    """Ten seconds after the command."""
    await commands.rotate(replace(ground, settings=rotating.settings(dev=True)), signing="ES256")
    world.advance(11)
    async with world.read() as read:
        assert f"key {(await keys.signer(read)).kid} of acme signs from" in said(ground)


@pytest.mark.parametrize(("use", "days"), [(keys.Use.DATA, 180), (keys.Use.INDEX, 90)])
async def test_rotating_a_tenants_own_keys(ground: Ground, world: World, use: keys.Use, days: int) -> None:
    """The operator learns until when the previous key is kept and what needs it so long; the list shows the same day; in the log it is she who did it."""
    await keys.prepare(world.db, world.tenant)
    async with world.read() as read:
        (before,) = await store.tenant_keys(read, use)
    await commands.rotate(ground, data=use is keys.Use.DATA, index=use is keys.Use.INDEX)
    async with world.read() as read:
        current, _ = await store.tenant_keys(read, use)
    until = f"{current.created + timedelta(days=days):%Y-%m-%d %H:%M} UTC"
    assert f"{use.value} key {current.id} of acme is in use" in said(ground)
    assert f"{use.value} key {before.id} is kept until {until}, then it goes by itself" in said(ground)
    assert {keys.Use.DATA: "signin.devices needs it: ", keys.Use.INDEX: "factors.unknown needs it: "}[use] in said(ground)
    await commands.show(ground)
    assert f"{use.value}\t{before.id}\tprevious\t" in said(ground)
    assert f"\t{until}\n" in said(ground)
    rotated = [fact for fact in await facts_of(world, world.tenant, 2) if fact.name == "keys.tenant_key_rotated"]
    assert [fact.actor for fact in rotated] == ["operator:command:key rotate"]
    with pytest.raises(keys.RotationUnfinished):
        await commands.rotate(ground, data=use is keys.Use.DATA, index=use is keys.Use.INDEX)
    await rotating.bring_along(world)
    await rotating.end(world, use)
    assert await rotating.count(world, use) == 1


async def test_replacing_a_stolen_data_key(ground: Ground, world: World) -> None:
    """With --destroy-previous it is over when the command ends, and what is lost is named."""
    await commands.rotate(ground, data=True, destroy_previous=True)
    assert "and those before it are gone" in said(ground)
    assert "signin.devices is lost: " in said(ground)
    assert await rotating.count(world, keys.Use.DATA) == 1


async def test_an_index_key_is_not_dropped_before_its_time(ground: Ground, world: World) -> None:
    """Counters would begin anew: the command says so and does nothing."""
    with pytest.raises(keys.WhatToRotate, match="what_to_rotate") as caught:
        await commands.rotate(ground, index=True, destroy_previous=True)
    assert "counted from zero" in caught.value.operator
    assert await rotating.count(world, keys.Use.INDEX) == 0


async def test_a_server_without_tenants_has_no_keys_to_rotate(ground: Ground) -> None:
    """The refusal names no tenant that could be meant."""
    with pytest.raises(tenants.NoSuchTenant):
        await commands.rotate(replace(ground, tenant=SERVER), data=True)


@pytest.mark.parametrize(
    "words", [{}, {"epoch": True, "master": True}, {"signing": "HS256"}, {"epoch": True, "signing": "ES256"}, {"data": True, "index": True}]
)
async def test_unclear_orders_are_refused(ground: Ground, words: dict[str, bool]) -> None:
    """Nothing, two things at once, or an unknown algorithm: the refusal says what to write."""
    with pytest.raises(keys.WhatToRotate, match="what_to_rotate") as caught:
        await commands.rotate(ground, **words)  # type: ignore[arg-type] # one of several
    assert "ES256" in caught.value.operator
