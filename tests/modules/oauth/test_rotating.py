"""Signing keys rotate by themselves, over HTTP and in every process: before, while both are shown, and after."""

from __future__ import annotations

import pytest

from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, KeySet
from tests.modules.oauth.conftest import Door
from tests.modules.oauth.test_refresh import beside
from tests.rig import rotating

pytestmark = pytest.mark.anyio

HOUR, DAY = 3600, 86_400


async def shown(door: Door) -> list[str]:
    """Return the names of the keys in the JWKS, the signing one first."""
    return [key["kid"] for key in (await door.calls.get("/oauth/jwks")).json()["keys"]]


async def token(door: Door) -> str:
    """Return an access token made now."""
    answer = await door.token(auth="svc", grant_type="client_credentials", scope="read")
    assert answer.status == 200, answer.text
    return str(answer.json()["access_token"])


async def verifies(door: Door, text: str) -> bool:
    """Whether an app that fetches the key set now takes the token."""
    keys = KeySet.parse((await door.calls.get("/oauth/jwks")).body, [Alg.ES256])
    try:
        jose.verify_jwt(text, keys, typ=("at+jwt",))
    except jose.JoseError:
        return False
    return True


def kid_of(text: str) -> str:
    """Return which key signed a token."""
    return jose.peek(text).header.kid or ""


async def pass_by(door: Door, seconds: float, *, dev: bool = False) -> None:
    """Let time pass, with the servers looking every few minutes as they do."""
    door.world.advance(seconds)
    await rotating.look(door.world, dev=dev)


async def test_a_key_gives_way_to_its_successor_by_itself(door: Door) -> None:
    """After ninety days less an hour the successor is shown; an hour later it signs, in a process that nobody told too; old tokens verify to their end."""
    await door.set("grants", access_token="PT24H")
    (first,) = await shown(door)
    async with beside(door) as other:
        await pass_by(door, 90 * DAY - HOUR - 400)
        assert await shown(door) == [first]
        await pass_by(door, 500)
        current, coming = await shown(door)
        assert (current, kid_of(await token(door))) == (first, first)
        assert await rotating.until(lambda: shown(other), [first, coming])
        door.world.advance(HOUR - 200)
        assert kid_of(await token(other)) == first, "it does not sign before it has been shown for an hour"
        door.world.advance(150)
        old = await token(other)
        assert kid_of(old) == first
        door.world.advance(60)
        assert {kid_of(await token(one)) for one in (door, other)} == {coming}, "no process had to be told"
        await pass_by(door, 300)
        assert await rotating.until(lambda: shown(other), [coming, first])
        door.world.advance(DAY - 400)
        assert [await verifies(one, old) for one in (door, other)] == [True, True]
        assert await door.active(old, "orders-api")
        door.world.advance(30)
        assert await shown(other) == [coming, first]
        door.world.advance(100)
        assert await shown(door) == await shown(other) == [coming], "its last token has ended"
    rotated = [fact.data for fact in await door.facts("keys.signing_key_rotated") if fact.tenant == "acme"]
    assert [(one["key"], one["retired"]) for one in rotated] == [(coming, first)]


async def test_a_tenant_sets_how_often_or_never(door: Door) -> None:
    """Every two hours; and with `0s` only when a command says so."""
    await door.set("keys", rotation="PT2H", successor_lead="PT30M")
    (first,) = await shown(door)
    await pass_by(door, 1.5 * HOUR + 1)
    assert len(await shown(door)) == 2
    await pass_by(door, HOUR)
    assert kid_of(await token(door)) != first
    await door.set("keys", rotation="PT0S")
    before = await shown(door)
    for _ in range(3):
        await pass_by(door, 300 * DAY)
    assert (await shown(door))[0] == before[0]
    assert len([fact for fact in await door.facts("keys.signing_key_made") if fact.tenant == "acme"]) == 2


async def test_in_dev_mode_a_successor_signs_after_ten_seconds(door: Door) -> None:
    """So that the demo shows a rotation; what a tenant sets itself holds there too."""
    (first,) = await shown(door)
    await pass_by(door, 90 * DAY - 5, dev=True)
    assert len(await shown(door)) == 2
    assert kid_of(await token(door)) == first
    door.world.advance(11)
    assert kid_of(await token(door)) != first
    await pass_by(door, 300, dev=True)
    await door.set("keys", successor_lead="PT1H")
    second = kid_of(await token(door))
    await pass_by(door, 90 * DAY - HOUR / 2, dev=True)
    door.world.advance(HOUR - 60)
    assert kid_of(await token(door)) == second
    door.world.advance(70)
    assert kid_of(await token(door)) != second


async def test_one_tenants_broken_settings_do_not_hold_up_the_others(door: Door) -> None:
    """Acme's cannot be read; rival's key rotates all the same."""
    await door.set("keys", rotation="PT1S")
    await pass_by(door, 90 * DAY)
    made = [fact for fact in await door.facts("keys.signing_key_made") if fact.data["stage"] == "successor"]
    assert [fact.tenant for fact in made] == ["rival"]
