"""`limen account`, as an operator sees it."""

from __future__ import annotations

import io

import pytest

from limen.modules import accounts, tenants
from limen.modules.accounts import commands
from limen.platform.commands import Console, Ground
from limen.platform.duties import Settings
from limen.platform.pages import Brand
from tests.conftest import World


@pytest.fixture
def ground(world: World) -> Ground:
    """A command's ground."""
    return Ground(Settings([]), world.db, world.tenant, Console(io.StringIO()))


def said(ground: Ground) -> list[str]:
    assert isinstance(ground.console.file, io.StringIO)
    return ground.console.file.getvalue().splitlines()


async def test_an_account_is_added_found_and_moved(ground: Ground) -> None:
    """By address or id; each verb prints what became of it."""
    await commands.add(ground, "Ada@Example.com")
    (account,) = said(ground)
    await commands.suspend(ground, "ada@example.com", reason="chargeback")
    await commands.show(ground, account)
    await commands.resume(ground, account)
    await commands.close(ground, account)
    _, suspended, shown, resumed, closed = said(ground)
    assert (suspended, resumed, closed) == (f"{account} is suspended", f"{account} is registered", f"{account} is closed")
    assert shown.split("\t")[:2] == [account, "suspended"]
    assert shown.endswith("\tAda@example.com")


async def test_what_is_taken_or_unknown_is_an_error(ground: Ground) -> None:
    """The message names ids, never an address."""
    await commands.add(ground, "ada@example.com")
    with pytest.raises(accounts.IdentifierTaken) as taken:
        await commands.add(ground, "ADA@example.com")
    assert said(ground)[0] in taken.value.operator
    for who in ("bob@example.com", "acc_nobody"):
        with pytest.raises(accounts.NoSuchAccount) as unknown:
            await commands.show(ground, who)
        assert "bob" not in unknown.value.operator


async def test_numbers_and_names_lead_to_an_account_too(ground: Ground, world: World) -> None:
    """A verb tells what it was given by its looks; which kinds may be added the tenant says."""
    for own in ({}, {"identifiers": ["email", "phone", "username"], "region": "DE"}):
        async with world.work() as work:
            await tenants.save(work, tenants.Tenant(name=world.tenant, brand=Brand(name="Acme"), settings={"accounts": own}))
        if not own:
            with pytest.raises(accounts.KindNotAllowed):
                await commands.add(ground, "+4915112345678", kind="phone")
    await commands.add(ground, "0151 12345678", kind="phone")
    await commands.add(ground, "Ada.L", kind="username")
    phone, name = said(ground)
    for who in ("0151 12345678", "ada.l"):
        await commands.show(ground, who)
    assert [line.split("\t")[0] for line in said(ground)[2:]] == [phone, name]
