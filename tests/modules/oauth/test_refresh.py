"""Refreshing (RFC 6749, section 6; RFC 9700, 4.14.2): rotation, grace, replay, races, and what ends a family."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from limen.app.compose import Gate, install
from limen.app.ground import reactions
from limen.kernel.clock import SystemClock
from limen.kernel.ids import ClientId
from limen.modules import accounts, consents, keys, sessions
from limen.modules.tenants.api import Directory
from limen.platform.duties import Running, Settings
from limen.platform.http import Options, build
from limen.platform.sql import open_database
from limen.platform.wire import jose
from tests.modules.oauth.conftest import BASE, Door
from tests.rig.asgi import Client

pytestmark = pytest.mark.anyio


async def test_every_use_gives_a_successor(door: Door) -> None:
    """A new access token, a new refresh token, a new ID token without nonce about the same sign-in."""
    person = await door.person()
    first = await door.tokens(person)
    door.world.advance(60)
    second = (await door.refresh(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    was, now = jose.peek(first["id_token"]).claims, jose.peek(second["id_token"]).claims
    assert "nonce" not in now
    assert all(was[name] == now[name] for name in ("iss", "sub", "aud", "auth_time", "acr", "amr", "sid"))
    assert int(str(now["iat"])) >= int(str(was["iat"])) + 60
    third = await door.refresh(second["refresh_token"])
    assert third.status == 200
    assert [fact.data["grant_type"] for fact in await door.facts("oauth.token_issued")].count("refresh_token") == 2


async def test_within_ten_seconds_the_old_token_answers_with_the_same_successor(door: Door) -> None:
    """An answer lost on the way costs nobody their sign-in; the access token is a fresh one."""
    person = await door.person()
    first = (await door.tokens(person))["refresh_token"]
    one = (await door.refresh(first)).json()
    door.world.advance(9)
    two = (await door.refresh(first)).json()
    assert two["refresh_token"] == one["refresh_token"]
    assert two["access_token"] != one["access_token"]
    assert (await door.refresh(two["refresh_token"])).status == 200


async def test_after_ten_seconds_the_old_token_ends_the_family(door: Door) -> None:
    """Who comes later has a copy: everything the grant gave is dead, the newest token too."""
    person = await door.person()
    first = (await door.tokens(person))["refresh_token"]
    second = (await door.refresh(first)).json()
    door.world.advance(10.5)
    late = await door.refresh(first)
    assert (late.status, late.json()["error"]) == (400, "invalid_grant")
    assert (await door.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"
    assert not await door.active(second["access_token"])
    assert [fact.data["reason"] for fact in await door.facts("grants.grant_ended")] == ["refresh_replayed"]
    (replayed,) = await door.facts("grants.refresh_replayed")
    assert (replayed.subject, replayed.data["presented"], replayed.data["current"]) == (person.account, 0, 1)


async def test_once_the_successor_was_used_the_old_token_ends_the_family(door: Door) -> None:
    """Within the ten seconds too: the successor's use says that its owner has it."""
    person = await door.person()
    first = (await door.tokens(person))["refresh_token"]
    second = (await door.refresh(first)).json()["refresh_token"]
    third = (await door.refresh(second)).json()
    assert (await door.refresh(first)).json()["error"] == "invalid_grant"
    assert (await door.refresh(third["refresh_token"])).json()["error"] == "invalid_grant"
    assert not await door.active(third["access_token"])


async def test_a_token_somebody_made_up_ends_nothing(door: Door) -> None:
    """A changed letter, another client's, another tenant's: refused, and the family lives on."""
    person = await door.person()
    token = (await door.tokens(person))["refresh_token"]
    turned = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    ahead = token[:50] + ("A" if token[50] != "A" else "B") + token[51:]
    for wrong in (turned, ahead, token + "A", token[:-1], "lmn_rt_", token.replace("lmn_rt_", "lmn_at_"), "\u00e9" * 90, "lmn_rt_" + "A" * 83):
        assert (await door.refresh(wrong)).json()["error"] == "invalid_grant", wrong
    assert (await door.refresh(token, "spa")).json()["error"] == "invalid_grant"
    rival = await door.token(base=f"{BASE}/t/rival", auth="shop", grant_type="refresh_token", refresh_token=token)
    assert rival.json()["error"] == "invalid_grant"
    assert (await door.refresh(token)).status == 200


async def test_a_refresh_may_ask_for_less_and_never_for_more(door: Door) -> None:
    """RFC 6749, section 6: the one access token is narrower, the grant stays what it was."""
    person = await door.person()
    token = (await door.tokens(person, scope="openid offline_access read write"))["refresh_token"]
    less = (await door.refresh(token, scope="read")).json()
    assert less["scope"] == "read"
    assert "id_token" not in less
    more = await door.refresh(less["refresh_token"], scope="read email")
    assert (more.status, more.json()["error"]) == (400, "invalid_scope")
    whole = (await door.refresh(less["refresh_token"])).json()
    assert whole["scope"] == "openid offline_access read write"


async def test_public_clients_rotate_too(door: Door) -> None:
    """They prove nothing but their name: rotation is what finds a thief."""
    person = await door.person()
    first = (await door.tokens(person, "spa"))["refresh_token"]
    second = (await door.refresh(first, "spa")).json()["refresh_token"]
    assert second != first
    door.world.advance(11)
    assert (await door.refresh(first, "spa")).json()["error"] == "invalid_grant"
    assert (await door.refresh(second, "spa")).json()["error"] == "invalid_grant"


async def test_a_refresh_token_ages(door: Door) -> None:
    """Thirty days without use, a hundred and eighty with."""
    person = await door.person()
    token = (await door.tokens(person))["refresh_token"]
    day = 86_400
    for _ in range(6):
        door.world.advance(29 * day)
        answer = await door.refresh(token)
        assert answer.status == 200, answer.text
        token = answer.json()["refresh_token"]
    door.world.advance(7 * day)
    assert (await door.refresh(token)).json()["error"] == "invalid_grant"
    other = (await door.tokens(await door.person()))["refresh_token"]
    door.world.advance(30 * day + 1)
    assert (await door.refresh(other)).json()["error"] == "invalid_grant"


async def test_sixteen_at_once_get_one_successor(door: Door) -> None:
    """Two processes race on one token: whoever holds the row first rotates, all others get the same successor."""
    person = await door.person()
    token = (await door.tokens(person))["refresh_token"]
    async with beside(door) as other:
        callers = [door if number % 2 else other for number in range(16)]
        answers = await asyncio.gather(*(caller.refresh(token) for caller in callers))
    assert [answer.status for answer in answers] == [200] * 16
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert (await door.refresh(answers[0].json()["refresh_token"])).status == 200
    assert await door.facts("grants.grant_ended") == []


async def test_a_race_of_old_and_new_ends_in_one_of_two_ways(door: Door) -> None:
    """The old token before the new one is used is a repetition, after it a replay; never are there two living successors."""
    person = await door.person()
    first = (await door.tokens(person))["refresh_token"]
    second = (await door.refresh(first)).json()["refresh_token"]
    async with beside(door) as other:
        old, new = await asyncio.gather(other.refresh(first), door.refresh(second))
    living = {answer.json()["refresh_token"] for answer in (old, new) if answer.status == 200} - {second}
    assert len(living) <= 1
    if old.status != 200:
        assert all([(await door.refresh(token)).status == 400 for token in living])


@asynccontextmanager
async def beside(door: Door, clock: SystemClock | None = None) -> AsyncIterator[Door]:
    """A second process's worth of server on the same database, perhaps with another clock."""
    world = door.world
    db = await open_database(world.url, world.keyring, clock or world.clock, reactions(), test_mode=True)
    try:
        options = Options(base_url=BASE, dev=True, source_label=lambda reader, address: keys.blind(reader, keys.LOGGED, "address", address))
        app = build(install(), Directory(BASE, db, dev=True), Gate(), db, Settings([Running(dev=True)]), options)
        twin = Door(world, app, door.runner)
        twin.calls = Client(app, BASE)
        yield twin
        await app.house.refusals.close()
    finally:
        await db.close()


async def test_with_the_session_ends_what_came_without_offline_access(door: Door) -> None:
    """Signing out takes what hangs on the session, and leaves what was granted to outlive it (Back-Channel Logout 1.0, 2.7)."""
    person = await door.person()
    bound = await door.tokens(person, scope="openid read")
    free = await door.tokens(person, scope="openid offline_access")
    assert "refresh_token" in bound
    assert person.session
    async with door.world.work() as work:
        await sessions.end(work, person.session, sessions.EndReason.SIGNED_OUT)
    assert (await door.refresh(bound["refresh_token"])).json()["error"] == "invalid_grant"
    assert not await door.active(bound["access_token"])
    assert (await door.userinfo(free["access_token"])).status == 200
    assert (await door.refresh(free["refresh_token"])).status == 200


async def test_with_an_aged_session_too(door: Door) -> None:
    """A session that was not seen for a day is over, whether or not anybody has written that down."""
    person = await door.person()
    bound = await door.tokens(person, scope="openid read")
    door.world.advance(86_400 - 300)
    late = (await door.refresh(bound["refresh_token"])).json()
    assert await door.active(late["access_token"])
    door.world.advance(301)
    assert not await door.active(late["access_token"])
    assert (await door.refresh(late["refresh_token"])).json()["error"] == "invalid_grant"
    assert [fact.data["reason"] for fact in await door.facts("grants.grant_ended")] == ["session_ended"]


async def test_suspension_revocation_and_changed_passwords_end_both_kinds(door: Door) -> None:
    """An account that is suspended, all sessions revoked, a changed credential: offline or not, everything is dead at once."""
    for how in ("suspended", "revoked", "changed"):
        person = await door.person()
        bound = await door.tokens(person, scope="openid read")
        free = await door.tokens(person, scope="openid offline_access")
        async with door.world.work() as work:
            if how == "suspended":
                await accounts.suspend(work, person.account, "abuse")
            else:
                reason = sessions.EndReason.REVOKED if how == "revoked" else sessions.EndReason.CREDENTIAL_CHANGED
                await sessions.end_all(work, person.account, reason)
        for body in (bound, free):
            assert not await door.active(body["access_token"]), how
            assert (await door.userinfo(body["access_token"])).status == 401
            assert (await door.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"


async def test_who_changes_her_password_keeps_the_session_in_hand(door: Door) -> None:
    """`keep` spares the session and what was granted from it; everything else of the account is gone."""
    person = await door.person()
    old = await door.tokens(person, scope="openid offline_access")
    await door.sign_in(person)
    new = await door.tokens(person, scope="openid offline_access")
    async with door.world.work() as work:
        await sessions.end_all(work, person.account, sessions.EndReason.CREDENTIAL_CHANGED, keep=person.session)
    assert not await door.active(old["access_token"])
    assert await door.active(new["access_token"])
    assert (await door.refresh(new["refresh_token"])).status == 200
    assert "code" in (await door.ask(person.browser)).location


async def test_a_withdrawn_consent_ends_what_the_app_had(door: Door) -> None:
    """And asks the person again the next time."""
    person = await door.person()
    body = await door.tokens(person)
    async with door.world.work() as work:
        await consents.withdraw(work, person.account, ClientId("shop"))
    assert not await door.active(body["access_token"])
    assert (await door.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"
    assert "/signin?" in (await door.ask(person.browser)).location
