"""`limen account`, as an operator sees it."""

from __future__ import annotations

import io

import pytest

from limen.modules import accounts
from limen.modules.accounts import commands
from limen.platform.commands import Console, Ground
from limen.platform.duties import Settings
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
