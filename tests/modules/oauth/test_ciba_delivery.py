"""Ping and push (CIBA Core 1.0, sections 10.2, 10.3 and 12), to an app's server on this machine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from limen.kernel.ids import ClientId
from limen.modules import clients, keys, sessions
from limen.modules.clients import Delivery, GrantType
from limen.modules.oauth import backchannel_delivery as delivery
from limen.modules.oauth import ciba
from limen.modules.oauth.id_token import half_hash
from limen.platform.outbox import JobState, enqueue, list_jobs
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg
from tests.modules.oauth.conftest import Door
from tests.modules.oauth.test_ciba import allow, ask, decide, error, name_of, poll
from tests.rig.ear import Ear, listening

pytestmark = pytest.mark.anyio

TOKEN = "8d67dc78-7faa-4d41-aabd-67707b374255"
CLAIM = "urn:openid:params:jwt:claim"


@pytest.fixture
async def ear(door: Door) -> AsyncIterator[Ear]:
    """The shop's server, at which it is called by ping."""
    async with listening() as opened:
        await by(door, opened, Delivery.PING)
        yield opened


async def by(door: Door, ear: Ear, mode: Delivery, **fields: Any) -> None:
    """Have the shop called in a mode."""
    await allow(door, "shop", backchannel_token_delivery_mode=mode, backchannel_client_notification_endpoint=ear.uri("/ciba"), **fields)


async def heard(door: Door, ear: Ear) -> list[dict[str, Any]]:
    """Run what is due; return what came by then, each with the client's own token as proof."""
    await door.runner.run_due()
    assert all(shown == f"Bearer {TOKEN}" for shown, _ in ear.bodies)
    return [json.loads(body) for _, body in ear.bodies]


async def asked(door: Door, **changes: Any) -> str:
    """Ask with a notification token."""
    return await name_of(door, client_notification_token=TOKEN, **changes)


async def test_a_client_that_is_called_says_how(door: Door, ear: Ear) -> None:
    """7.1: in the modes ping and push `client_notification_token` is there, a bearer token of at most 1,024 characters."""
    await door.person()
    for token in (None, "", "two words", "x" * 1_025, "line\nend"):
        assert error(await ask(door, client_notification_token=token)) == (400, "invalid_request")
    assert (await ask(door, client_notification_token="x" * 1_024)).json()["interval"] == 5
    await by(door, ear, Delivery.PUSH)
    assert "interval" not in (await ask(door, client_notification_token=TOKEN)).json()


@pytest.mark.parametrize("decision", ["approve", "deny"])
async def test_a_ping_names_the_request(door: Door, ear: Ear, decision: str) -> None:
    """10.2: one POST with `auth_req_id` and nothing else, once there is an answer, yes or no; the client then comes for it."""
    await door.person()
    name = await asked(door)
    assert await heard(door, ear) == []
    await decide(door, name, decision)
    assert await heard(door, ear) == [{"auth_req_id": name}]
    assert ear.lines == ["POST /ciba HTTP/1.1"]
    answer = await poll(door, name)
    assert answer.status == 200 if decision == "approve" else error(answer) == (400, "access_denied")
    (fact,) = await door.facts("oauth.backchannel_delivered")
    assert fact.data == {"client": "shop", "mode": "ping"}


async def test_who_polls_all_the_same_is_answered(door: Door, ear: Ear) -> None:
    """10.1: a client in the mode ping may poll; it is not called any more about what it has."""
    await door.person()
    name = await asked(door)
    assert error(await poll(door, name)) == (400, "authorization_pending")
    await decide(door, name)
    assert (await poll(door, name)).status == 200
    assert await heard(door, ear) == []


async def test_a_push_brings_the_tokens(door: Door, ear: Ear) -> None:
    """10.3.1: the ID token names the request and holds the hashes of both other tokens, which work."""
    await by(door, ear, Delivery.PUSH)
    person = await door.person()
    name = await asked(door)
    await decide(door, name)
    (body,) = await heard(door, ear)
    assert body.keys() == {"auth_req_id", "access_token", "token_type", "expires_in", "scope", "id_token", "refresh_token"}
    assert (body["auth_req_id"], body["token_type"], body["expires_in"]) == (name, "Bearer", 600)
    async with door.world.read() as reader:
        said = jose.verify_jwt(body["id_token"], await keys.public_keys(reader), typ=("jwt",)).claims
    assert (said["sub"], said["aud"], said[f"{CLAIM}:auth_req_id"]) == (person.account, "shop", name)
    assert said["at_hash"] == half_hash(Alg.ES256, body["access_token"])
    assert said[f"{CLAIM}:rt_hash"] == half_hash(Alg.ES256, body["refresh_token"])
    assert await door.active(body["access_token"])
    assert (await door.refresh(body["refresh_token"])).status == 200
    assert len(await door.facts("oauth.token_issued")) == 2
    assert await door.facts("oauth.token_issued") != []


async def test_a_push_without_a_refresh_token(door: Door, ear: Ear) -> None:
    """A client that is not registered for it gets none, and no hash of one."""
    await by(door, ear, Delivery.PUSH, grants=(GrantType.AUTHORIZATION_CODE, GrantType.CIBA), id_token_signed_response_alg=None)
    await door.person()
    await decide(door, await asked(door))
    (body,) = await heard(door, ear)
    assert "refresh_token" not in body
    assert f"{CLAIM}:rt_hash" not in jose.peek(body["id_token"]).claims


async def test_a_push_tells_of_a_no_and_of_times_end(door: Door, ear: Ear) -> None:
    """12: `access_denied` and `expired_token`; of a person nobody knows too, so that she cannot be told from one who did not answer."""
    await by(door, ear, Delivery.PUSH)
    await door.set("approvals", pause="PT0S")
    await door.person()
    denied = await asked(door)
    await decide(door, denied, "deny")
    await heard(door, ear)
    names = [denied, await asked(door), await asked(door, login_hint="nobody@example.com")]
    door.world.advance(121)
    bodies = {body.pop("auth_req_id"): body for body in await heard(door, ear)}
    assert {body["error"] for body in bodies.values()} == {"access_denied", "expired_token"}
    assert [bodies[name]["error"] for name in names] == ["access_denied", "expired_token", "expired_token"]
    assert bodies[names[1]] == bodies[names[2]]


async def test_what_is_pushed_twice_is_the_same(door: Door, ear: Ear) -> None:
    """At least once: after a failure, or a crash before the success was noted, the very same tokens are sent, and there is one grant."""
    await by(door, ear, Delivery.PUSH)
    await door.person()
    name = await asked(door)
    await decide(door, name)
    ear.says(500, 503)
    await heard(door, ear)
    door.world.advance(60)
    await heard(door, ear)
    async with door.world.work() as work:  # as if another runner had it too
        await enqueue(work, delivery.CALL, delivery.Call(ciba.digest_of(name)))
    door.world.advance(60)
    bodies = await heard(door, ear)
    assert len(bodies) >= 3
    assert all(body == bodies[0] for body in bodies)
    assert len(await door.facts("grants.grant_made")) == 1
    assert len(await door.facts("oauth.token_issued")) == 1
    sent = len(bodies)
    async with door.world.work() as work:
        await enqueue(work, delivery.CALL, delivery.Call(ciba.digest_of(name)))
    assert len(await heard(door, ear)) == sent


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_what_a_client_will_not_have_is_ended(door: Door, ear: Ear, status: int) -> None:
    """It heard and refused: the job is a dead letter at once, and the tokens nobody has are dead too."""
    await by(door, ear, Delivery.PUSH)
    await door.person()
    await decide(door, await asked(door))
    ear.says(status)
    (body,) = await heard(door, ear)
    assert not await door.active(body["access_token"])
    assert [job.last_error for job in await list_jobs(door.world.db, states=(JobState.DEAD,))] == [f"status_{status}"]
    (fact,) = await door.facts("oauth.backchannel_undelivered")
    assert fact.data == {"client": "shop", "mode": "push", "reason": f"status_{status}"}


async def test_a_client_that_stays_away_is_given_up(door: Door, ear: Ear) -> None:
    """Tried a few times within minutes; then what was made for it ends."""
    await by(door, ear, Delivery.PUSH)
    await door.person()
    await decide(door, await asked(door))
    ear.says(*[500] * 20)
    for _ in range(10):
        await heard(door, ear)
        door.world.advance(61)
    assert len(ear.bodies) == delivery.ATTEMPTS
    body = json.loads(ear.bodies[0][1])
    assert not await door.active(body["access_token"])
    assert len(await door.facts("oauth.backchannel_undelivered")) == 1


async def test_the_notification_is_not_redirected(door: Door, ear: Ear) -> None:
    """10.2: the notification goes to the registered address and nowhere else; in the mode ping the answer waits all the same."""
    await door.person()
    name = await asked(door)
    await decide(door, name)
    ear.says(307, extra=f"Location: {ear.uri('/elsewhere')}\r\n")
    await heard(door, ear)
    assert ear.lines == ["POST /ciba HTTP/1.1"]
    assert (await poll(door, name)).status == 200


async def test_what_is_called_is_what_the_client_registered(door: Door, ear: Ear) -> None:
    """A client that has gone, or has no address any more, is not called."""
    await door.person()
    name = await asked(door)
    async with door.world.work() as work:
        await clients.drop(work, ClientId("shop"))
    await decide(door, name)
    assert await heard(door, ear) == []


async def test_a_yes_in_the_last_second_is_pushed(door: Door, ear: Ear) -> None:
    """The job may come a little later than the end of the request she answered in time; much later the client waits for nothing any more."""
    await by(door, ear, Delivery.PUSH)
    await door.person()
    for late, key in ((20, "access_token"), (70, "error")):
        name = await asked(door)
        door.world.advance(119)
        await decide(door, name)
        door.world.advance(late)
        body = (await heard(door, ear))[-1]
        assert body["auth_req_id"] == name
        assert key in body


async def test_a_yes_in_the_last_second_can_be_taken_back(door: Door, ear: Ear) -> None:
    """All sessions ended after the request's own time, while its tokens may still be pushed: none are."""
    await by(door, ear, Delivery.PUSH)
    person = await door.person()
    name = await asked(door)
    door.world.advance(119)
    await decide(door, name)
    door.world.advance(20)
    async with door.world.work() as work:
        await sessions.end_all(work, person.account, sessions.EndReason.NOT_ME)
    body = (await heard(door, ear))[-1]
    assert (body["auth_req_id"], body["error"]) == (name, "access_denied")
