"""What anybody may leave here is bounded: requests of apps that have nothing to show wait for their person, each as a row."""

from __future__ import annotations

import pytest

from limen.modules.clients import GrantType
from tests.modules.oauth.conftest import BASE, CHALLENGE, RIVAL, SPA_CALLBACK, Door, asked
from tests.modules.oauth.registering import OUTSIDE, desk_outside
from tests.rig.asgi import Answer, Client
from tests.rig.clocks import CreepingClock

pytestmark = pytest.mark.anyio

DEVICE, PAR = "/oauth/device_authorization", "/oauth/par"
FORMS = {
    DEVICE: {"client_id": "tv", "scope": "openid"},
    PAR: {
        "client_id": "spa",
        "redirect_uri": SPA_CALLBACK,
        "response_type": "code",
        "scope": "openid",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    },
}


@pytest.fixture
def clock() -> CreepingClock:
    """No wait ends by itself on a slow machine."""
    return CreepingClock()


def slowed(answer: Answer) -> bool:
    """Whether there is to wait, in the words of the protocol."""
    if answer.status != 429:
        assert answer.status < 300, answer.text
        return False
    assert answer.json()["error"] == "slow_down"
    assert 0 < int(answer.headers["retry-after"]) <= 60
    return True


@pytest.mark.parametrize("path", [DEVICE, PAR])
async def test_the_hundred_and_first_request_of_a_public_client_waits(door: Door, path: str) -> None:
    """In production from one network within a minute, whatever host of an IPv6 one; not from another, of another client, or a minute later."""
    calls = desk_outside(door).calls
    calls.address = "2001:db8::1"
    form = FORMS[path]

    async def sent(**changes: str) -> bool:
        return slowed(await calls.post(f"{OUTSIDE}{path}", form={**form, **changes}))

    assert not any([await sent() for _ in range(100)])
    assert await sent()
    calls.address = "2001:db8::2:1"
    assert await sent()
    if path == DEVICE:
        await door.change("app", grants=(GrantType.AUTHORIZATION_CODE, GrantType.DEVICE_CODE))
        assert not await sent(client_id="app")
    else:
        assert not await sent(client_id="app", redirect_uri="com.example.app:/callback")
    calls.address = "2001:db8:0:1::1"
    assert not await sent()
    calls.address = "2001:db8::1"
    door.world.advance(60)
    assert not await sent()


async def test_who_proves_itself_is_not_counted(door: Door) -> None:
    """A confidential client of the same network pushes and asks for devices as often as it needs; the tenant says how often others may."""
    await door.set("oauth", public_requests=2)
    await door.change("shop", grants=(GrantType.AUTHORIZATION_CODE, GrantType.DEVICE_CODE, GrantType.REFRESH_TOKEN))
    for _ in range(2):
        assert not slowed(await door.call(DEVICE, auth="tv", scope="openid"))
    assert slowed(await door.call(DEVICE, auth="tv", scope="openid"))
    for _ in range(5):
        assert not slowed(await door.call(DEVICE, auth="shop", scope="openid"))
        assert not slowed(await door.call(PAR, auth="shop", **asked("shop")))


async def test_one_tenants_flood_is_not_anothers(door: Door) -> None:
    """Counts are of one tenant; and what is refused for another reason leaves nothing here and is not counted."""
    await door.set("oauth", public_requests=1)
    calls = Client(door.app, BASE)
    for _ in range(3):
        assert (await calls.post(f"{BASE}{DEVICE}", form={"client_id": "tv", "scope": "nothing"})).status == 400
    assert not slowed(await calls.post(f"{BASE}{DEVICE}", form=FORMS[DEVICE]))
    assert slowed(await calls.post(f"{BASE}{DEVICE}", form=FORMS[DEVICE]))
    assert not slowed(await calls.post(f"{RIVAL}{DEVICE}", form=FORMS[DEVICE]))
