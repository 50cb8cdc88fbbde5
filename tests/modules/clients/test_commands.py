"""`limen client`, as an operator sees it."""

from __future__ import annotations

import io

import pytest

from limen.kernel.ids import ClientId
from limen.modules import clients, tenants
from limen.modules.clients import ClientKind, commands
from limen.platform.commands import BadOption, Console, Ground
from limen.platform.duties import Settings
from tests.conftest import World


@pytest.fixture
async def ground(world: World) -> Ground:
    """A command's ground with a tenant."""
    async with world.work() as work:
        await tenants.save(work, tenants.plain(world.tenant))
    return Ground(Settings([]), world.db, world.tenant, Console(io.StringIO()))


def said(ground: Ground) -> dict[str, str]:
    assert isinstance(ground.console.file, io.StringIO)
    return dict(line.split(maxsplit=1) for line in ground.console.file.getvalue().splitlines())


async def test_a_client_is_added_with_a_secret_that_works(ground: Ground, world: World) -> None:
    """The secret is printed once and is the one that is kept; a second client of the id is refused."""
    await commands.add(ground, "shop", ClientKind.WEB, redirect_uri=("https://shop.example/cb",), scope=("openid",))
    printed = said(ground)
    async with world.read() as read:
        kept = await clients.find(read, ClientId("shop"))
    assert kept is not None
    assert clients.check_secret(kept, printed["client_secret"], world.clock.now())
    assert printed["grants"] == "authorization_code"
    with pytest.raises(clients.ClientExists):
        await commands.add(ground, "shop", ClientKind.SERVICE)


async def test_rotation_can_end_the_previous_secret_now(ground: Ground, world: World) -> None:
    """Zero hours is for a secret that leaked."""
    await commands.add(ground, "svc", ClientKind.SERVICE)
    first = said(ground)["client_secret"]
    await commands.rotate(ground, "svc", overlap_hours=0)
    second = said(ground)["client_secret"]
    async with world.read() as read:
        kept = await clients.find(read, ClientId("svc"))
    assert kept is not None
    assert [clients.check_secret(kept, one, world.clock.now()) for one in (first, second)] == [False, True]


async def test_clients_are_listed_and_dropped(ground: Ground) -> None:
    """One line each, cut by tabs; what is not there is an error."""
    await commands.add(ground, "svc", ClientKind.SERVICE)
    await commands.show(ground)
    assert "svc\tservice\t\tclient_credentials\t" in ground.console.file.getvalue()  # type: ignore[attr-defined] # a StringIO
    await commands.drop(ground, "svc")
    with pytest.raises(clients.NoSuchClient):
        await commands.drop(ground, "svc")


async def test_a_registration_token_is_printed_once_and_works(ground: Ground, world: World) -> None:
    """With how often and until when; where registration is off, that is said too."""
    await commands.registration_token(ground, uses=3, expires_hours=0, note="for Ada")
    printed = said(ground)
    assert (printed["uses"], printed["expires"]) == ("3", "never")
    assert any("off" in line for line in printed.values())
    async with world.read() as read:
        assert await clients.look_at_token(read, printed["token"])
    for uses, hours in ((-1, 1), (1, 10_000)):
        with pytest.raises(BadOption):
            await commands.registration_token(ground, uses=uses, expires_hours=hours)
