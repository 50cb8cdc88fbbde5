"""Initial access tokens: made, listed and deleted over HTTP and by command."""

from __future__ import annotations

import pytest

from limen.kernel.facts import SYSTEM
from limen.modules import clients
from limen.modules.clients import service
from limen.modules.clients.api import ENDPOINTS
from tests.conftest import World
from tests.rig.api import Api, open_api

pytestmark = pytest.mark.anyio


async def opened(world: World) -> Api:
    return (await open_api(world, ENDPOINTS)).having("clients:read", "clients:write")


async def works(world: World, token: str) -> bool:
    async with world.read() as read:
        return await clients.look_at_token(read, token)


async def test_a_token_is_made_and_shown_once(world: World) -> None:
    """By default it is for one application within a week; the list knows no secret, and what is deleted works no longer."""
    api = await opened(world)
    made = await api.done("POST", "/registration-tokens", {"note": "for Ada"})
    assert made["token"].startswith("lmn_ia_")
    assert (made["uses"], made["used"], made["note"]) == (1, 0, "for Ada")
    assert await works(world, made["token"])
    listed = await api.call("GET", "/registration-tokens")
    assert [one["id"] for one in listed.json()["items"]] == [made["id"]]
    assert "lmn_ia_" not in listed.text
    assert (await api.done("GET", f"/registration-tokens/{made['id']}"))["note"] == "for Ada"
    assert (await api.call("DELETE", f"/registration-tokens/{made['id']}")).status == 204
    assert (await api.call("DELETE", f"/registration-tokens/{made['id']}")).status == 404
    assert not await works(world, made["token"])


async def test_a_token_ends(world: World) -> None:
    """At its time, or never where it was made so."""
    api = await opened(world)
    short = await api.done("POST", "/registration-tokens", {"expires_in": 60, "uses": 0})
    forever = await api.done("POST", "/registration-tokens", {"expires_in": 0})
    world.advance(61)
    assert (await works(world, short["token"]), await works(world, forever["token"])) == (False, True)


async def test_tokens_are_listed_page_by_page(world: World) -> None:
    """The oldest first, as their ids are ordered by the millisecond."""
    api = await opened(world)
    ids = sorted([(await api.done("POST", "/registration-tokens", {}))["id"] for _ in range(3)])
    first = await api.done("GET", "/registration-tokens?limit=2")
    rest = await api.done("GET", f"/registration-tokens?limit=2&after={first['after']}")
    assert [one["id"] for one in (*first["items"], *rest["items"])] == ids
    assert rest["after"] is None


async def test_tokens_are_made_by_whoever_may_register_clients(world: World) -> None:
    """Reading is not enough."""
    api = (await opened(world)).having("clients:read")
    assert (await api.call("POST", "/registration-tokens", {})).status == 403
    assert (await api.call("DELETE", "/registration-tokens/rgt_x")).status == 403


async def test_no_token_stands_in_the_database(world: World) -> None:
    """It is known by its digest."""
    await opened(world)
    async with world.db.work(world.tenant, SYSTEM) as work:
        made, secret = await service.make_token(work, uses=2)
        assert await service.list_tokens(work) == [made]
    assert secret.reveal() not in repr(made)
