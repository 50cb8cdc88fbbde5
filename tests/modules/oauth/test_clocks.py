"""The edges of every lifetime, with a clock that hardly moves by itself: a moment before, and a moment after."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from limen.modules import keys
from limen.platform.wire import jose
from tests.modules.oauth.conftest import Door, answered, asked
from tests.modules.oauth.test_refresh import beside
from tests.rig.clocks import CreepingClock

pytestmark = pytest.mark.anyio

MOMENT = 0.05
"""Seconds; the clock creeps by a microsecond a look, so that fifty thousand looks fit in."""
DAY = 86_400


async def error_of(answer: Any) -> str:
    """Return the error of an answer of the token endpoint, empty for none."""
    return str((await answer).json().get("error", ""))


async def test_a_code_ends_at_its_sixtieth_second(door: Door) -> None:
    """RFC 6749, 4.1.2: short-lived, and of ten minutes at most whatever a tenant sets."""
    person = await door.person()
    early, late = await door.code(person), await door.code(person)
    door.world.advance(60 - MOMENT)
    assert (await door.redeem(early)).status == 200
    door.world.advance(MOMENT)
    assert await error_of(door.redeem(late)) == "invalid_grant"


@pytest.mark.parametrize("scope", ["openid offline_access", "openid offline_access open"], ids=["jwt", "opaque"])
async def test_an_access_token_ends_when_it_said(door: Door, scope: str) -> None:
    """RFC 9068, 4: at `exp` it is over, at userinfo and introspection alike."""
    body = await door.tokens(await door.person(), scope=scope)
    assert body["expires_in"] == 600
    door.world.advance(599 - MOMENT)  # `exp` has whole seconds, so that of a JWT may come a moment sooner
    assert (await door.userinfo(body["access_token"])).status == 200
    assert await door.active(body["access_token"])
    door.world.advance(1 + MOMENT)
    assert (await door.userinfo(body["access_token"])).status == 401
    assert not await door.active(body["access_token"])
    assert (await door.call("/oauth/revoke", auth="shop", token=body["access_token"])).status == 200


async def test_the_grace_of_a_refresh_token_ends_after_ten_seconds(door: Door) -> None:
    """The same successor up to then; a moment later a copy of it is in other hands."""
    first = (await door.tokens(await door.person()))["refresh_token"]
    second = (await door.refresh(first)).json()["refresh_token"]
    door.world.advance(10 - MOMENT)
    assert (await door.refresh(first)).json()["refresh_token"] == second
    door.world.advance(MOMENT + 0.001)
    assert await error_of(door.refresh(first)) == "invalid_grant"
    assert await error_of(door.refresh(second)) == "invalid_grant"


async def test_repeating_does_not_prolong_the_grace(door: Door) -> None:
    """Ten seconds from the rotation, however often the old token was shown meanwhile."""
    first = (await door.tokens(await door.person()))["refresh_token"]
    second = (await door.refresh(first)).json()["refresh_token"]
    for _ in range(3):
        door.world.advance(3)
        assert (await door.refresh(first)).json()["refresh_token"] == second
    door.world.advance(1.1)
    assert await error_of(door.refresh(first)) == "invalid_grant"


async def test_a_refresh_token_ends_idle_or_at_its_last_day(door: Door) -> None:
    """Thirty days unused; a hundred and eighty whatever is done with it, and the successor's time is cut to that."""
    idle, used = (await door.tokens(await door.person()))["refresh_token"], (await door.tokens(await door.person()))["refresh_token"]
    door.world.advance(30 * DAY - 1)
    used = (await door.refresh(used)).json()["refresh_token"]
    door.world.advance(1)
    assert await error_of(door.refresh(idle)) == "invalid_grant"
    for _ in range(5):
        door.world.advance(29 * DAY)
        used = (await door.refresh(used)).json()["refresh_token"]
    door.world.advance(5 * DAY - MOMENT)
    said = (await door.call("/oauth/introspect", auth="shop", token=used)).json()
    assert said["active"] is True
    assert said["exp"] - said["iat"] == 180 * DAY
    last = (await door.refresh(used)).json()["refresh_token"]
    door.world.advance(MOMENT)
    assert await error_of(door.refresh(last)) == "invalid_grant"
    assert not await door.active(last)


async def test_max_age_counts_from_the_sign_in_to_the_request(door: Door) -> None:
    """OpenID Connect Core 1.0, 3.1.2.1: not older than so many seconds; 0 is a sign-in now; being asked takes what time it takes."""
    person = await door.person()
    door.world.advance(100 - MOMENT)
    found = answered(await door.ask(person.browser, prompt="none", max_age="100"))
    claims = jose.peek((await door.redeem(found["code"])).json()["id_token"]).claims
    assert int(str(claims["iat"])) - int(str(claims["auth_time"])) in {99, 100}
    door.world.advance(MOMENT)
    assert answered(await door.ask(person.browser, prompt="none", max_age="100"))["error"] == "login_required"
    assert answered(await door.ask(person.browser, prompt="none", max_age="0"))["error"] == "login_required"
    page = await person.browser.get(f"/oauth/authorize?{urlencode(asked(max_age='0'))}")
    assert urlsplit(page.url).path == "/signin"


async def test_a_session_ends_idle_or_at_its_last_day(door: Door) -> None:
    """A day unseen, thirty days in all: then nobody is signed in, and what hangs on the session is dead."""
    person = await door.person()
    body = await door.tokens(person, scope="openid read")
    for _ in range(29):
        door.world.advance(DAY - 1)
        assert "code" in answered(await door.ask(person.browser, prompt="none"))
        body = (await door.refresh(body["refresh_token"])).json()
    door.world.advance(DAY - 1)
    assert "code" in answered(await door.ask(person.browser, prompt="none"))
    door.world.advance(29)
    assert "code" in answered(await door.ask(person.browser, prompt="none"))
    assert await door.active((await door.refresh(body["refresh_token"])).json()["access_token"])
    door.world.advance(1 + MOMENT)
    assert answered(await door.ask(person.browser, prompt="none"))["error"] == "login_required"
    assert not await door.active(body["refresh_token"])


async def test_clocks_may_differ_by_ten_seconds(door: Door) -> None:
    """A token made by a process whose clock is ahead is taken within ten seconds and not beyond; its time comes by itself."""
    person = await door.person()
    door.world.advance(3_600)
    token = (await door.tokens(person))["access_token"]
    door.world.advance(-11)
    assert (await door.userinfo(token)).status == 401
    door.world.advance(1)
    assert (await door.userinfo(token)).status == 200


async def test_a_clock_set_back_revives_nothing(door: Door) -> None:
    """A used code, a revoked token and a rotated refresh token stay what they are."""
    person = await door.person()
    code = await door.code(person)
    body = (await door.redeem(code)).json()
    await door.call("/oauth/revoke", auth="shop", token=body["access_token"])
    second = (await door.refresh(body["refresh_token"])).json()
    await door.refresh(second["refresh_token"])
    door.world.advance(-5)
    assert not await door.active(body["access_token"])
    assert await error_of(door.refresh(body["refresh_token"])) == "invalid_grant"
    assert await error_of(door.redeem(code)) == "invalid_grant"


async def test_a_process_whose_clock_is_behind_signs_too(door: Door) -> None:
    """The key was made by another, in what is the future here, and there is no older one: it signs, and the other takes the token."""
    await keys.rotate(door.world.db, door.world.tenant, jose.Alg.ES256, withdraw=True)
    person = await door.person()
    code = await door.code(person)
    behind = CreepingClock()
    behind.offset = door.world.clock.offset - timedelta(seconds=8)
    async with beside(door, behind) as other:
        answer = await other.redeem(code)
        assert answer.status == 200, answer.text
        assert (await other.userinfo(answer.json()["access_token"])).status == 200
    assert (await door.userinfo(answer.json()["access_token"])).status == 200


async def test_a_successor_signs_at_its_hour_and_old_tokens_go_on(door: Door) -> None:
    """OpenID Connect Core 1.0, 10.1.1: shown an hour before it signs; what the one before signed verifies until it has ended."""
    person = await door.person()
    old = await door.tokens(person)
    await keys.rotate(door.world.db, door.world.tenant, jose.Alg.ES256)
    shown = {key["kid"] for key in (await door.calls.get("/oauth/jwks")).json()["keys"]}
    assert len(shown) == 2
    door.world.advance(3_600 - MOMENT)
    before = await door.tokens(person)
    door.world.advance(2)  # the press of tokens looks at the time once a second
    after = await door.tokens(person)
    kids = [jose.peek(body["access_token"]).header.kid for body in (old, before, after)]
    assert kids[0] == kids[1] != kids[2]
    assert shown == {kids[0], kids[2]}
    assert (await door.userinfo(before["access_token"])).status == 200
    assert (await door.userinfo(after["access_token"])).status == 200
