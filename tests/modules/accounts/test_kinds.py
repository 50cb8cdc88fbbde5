"""Numbers and names in the database: indexed and sealed like addresses, and found by rules that became stricter since."""

from __future__ import annotations

from pathlib import Path

import pytest

from limen.modules import accounts, keys, tenants
from limen.modules.accounts import PHONE, USERNAME, Account, Taken
from limen.modules.accounts.model import usernames
from limen.platform.pages import Brand
from tests.conftest import World
from tests.rig import rotating

KINDS = {"identifiers": ["email", "phone", "username"], "region": "DE"}
NUMBER, NAME = "+4915112345678", "Canary.Wren"


async def create(world: World, kind: str, value: str) -> Account | Taken:
    async with world.work() as work:
        return await accounts.create(work, kind, value)


@pytest.fixture
async def house(world: World) -> World:
    """A world whose tenant has all kinds."""
    await accounts.prepare(PHONE)
    async with world.work() as work:
        await tenants.save(work, tenants.Tenant(name=world.tenant, brand=Brand(name="Acme"), settings={"accounts": KINDS}))
    return world


async def test_the_index_is_written_anew_though_a_rule_became_stricter(house: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is reserved today was given yesterday: it follows the key's rotation, is found after it, and is taken still."""
    phone, name = await create(house, PHONE, "0151 12345678"), await create(house, USERNAME, NAME)
    assert isinstance(phone, Account)
    assert isinstance(name, Account)
    monkeypatch.setattr(usernames, "RESERVED", frozenset({"canarywren"}))
    await rotating.begin(house, keys.Use.INDEX)
    await rotating.bring_along(house)
    await rotating.end(house, keys.Use.INDEX)
    async with house.read() as read:
        assert await accounts.by_identifier(read, PHONE, NUMBER) == phone
        assert await accounts.by_identifier(read, USERNAME, "canary.WREN") == name
        assert [one.value for one in await accounts.identifiers(read, name.id)] == [NAME]
    assert await create(house, PHONE, NUMBER) == Taken(phone.id)
    monkeypatch.undo()
    assert await create(house, USERNAME, "canary.wren") == Taken(name.id)


async def test_a_kind_that_a_tenant_gave_up_is_still_found(house: World) -> None:
    """Nobody gets a new one; those who have one keep it."""
    made = await create(house, USERNAME, NAME)
    async with house.work() as work:
        await tenants.save(work, tenants.Tenant(name=house.tenant, brand=Brand(name="Acme")))
    async with house.read() as read:
        assert await accounts.by_identifier(read, USERNAME, NAME) == made
    with pytest.raises(accounts.KindNotAllowed):
        await create(house, USERNAME, "somebody.else")


async def test_no_number_and_no_name_stands_in_the_database_file(world: World) -> None:
    """They are in no octet of the file and its log, in whatever form."""
    async with world.work() as work:
        await tenants.save(work, tenants.Tenant(name=world.tenant, brand=Brand(name="Acme"), settings={"accounts": KINDS}))
    await accounts.prepare(PHONE)
    made = [await create(world, PHONE, NUMBER), await create(world, USERNAME, NAME)]
    assert all(isinstance(one, Account) for one in made)
    if world.db.dialect == "sqlite":
        path = Path(world.url.removeprefix("sqlite:///"))
        held = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
        assert b"accounts.account_created" in held
        assert b"canary" not in held.lower()
        assert b"15112345678" not in held
