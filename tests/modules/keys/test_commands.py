"""`limen key list` and `limen key rotate`, as an operator sees them."""

from __future__ import annotations

import io

import pytest

from limen.modules import keys, tenants
from limen.modules.keys import commands
from limen.modules.keys.service import wrapping
from limen.platform.commands import Console, Ground
from limen.platform.duties import Settings
from tests.conftest import World


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
    """The successor's instant is printed; withdrawing says what it costs; case does not matter."""
    await commands.rotate(ground, signing="es256")
    assert "signs from" in said(ground)
    await commands.rotate(ground, signing="ES256", destroy_previous=True)
    assert "withdrawn" in said(ground)
    async with world.read() as read:
        assert len(await keys.public_keys(read)) == 1


@pytest.mark.parametrize("words", [{}, {"epoch": True, "master": True}, {"signing": "HS256"}, {"epoch": True, "signing": "ES256"}])
async def test_unclear_orders_are_refused(ground: Ground, words: dict[str, bool]) -> None:
    """Nothing, two things at once, or an unknown algorithm: the refusal says what to write."""
    with pytest.raises(keys.WhatToRotate, match="what_to_rotate") as caught:
        await commands.rotate(ground, **words)  # type: ignore[arg-type] # one of several
    assert "ES256" in caught.value.operator
