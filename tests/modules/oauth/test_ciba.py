"""Back-channel requests by polling (CIBA Core 1.0)."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from limen.kernel.ids import ClientId
from limen.modules import accounts, clients, consents, sessions
from limen.modules.approvals.store import APPROVALS
from limen.modules.clients import Delivery, GrantType
from limen.platform.sql import statement
from limen.platform.wire import jose
from tests.modules.oauth.conftest import APPS, BASE, SECRET, Door, Person, basic
from tests.modules.oauth.test_refresh import beside
from tests.rig.asgi import Answer
from tests.rig.prover import Prover

pytestmark = pytest.mark.anyio

CIBA = "urn:openid:params:grant-type:ciba"
PATH = "/oauth/backchannel_authentication"
_SEALED = statement(sa.select(APPROVALS.c.sealed), into=bytes, across_tenants="a test looks at everything")


@pytest.fixture
async def called(door: Door) -> Door:
    """The shop and the old client may ask people back-channel."""
    for name in ("shop", "old"):
        await allow(door, name)
    return door


async def allow(door: Door, client: str, **fields: Any) -> None:
    """Let a client ask people back-channel, by polling unless said otherwise."""
    known = next(one for one in APPS if one.id == client)
    changes = {"grants": (*known.grants, GrantType.CIBA), "backchannel_token_delivery_mode": Delivery.POLL, **fields}
    async with door.world.work() as work:
        await clients.save(work, replace(await clients.take(work, ClientId(client)), **changes), dev=True)


def address(door: Door) -> str:
    """Return the address of the person made last."""
    return f"ada{door.people}@example.com"


async def ask(door: Door, client: str = "shop", **changes: Any) -> Answer:
    """Send a back-channel request; a change to None leaves a parameter out."""
    usual = {"scope": "openid", "login_hint": address(door), "binding_message": "W4SCT", **changes}
    return await door.call(PATH, auth=client, **{name: value for name, value in usual.items() if value is not None})


async def name_of(door: Door, client: str = "shop", **changes: Any) -> str:
    """Return the `auth_req_id` of a good request."""
    answer = await ask(door, client, **changes)
    assert answer.status == 200, answer.text
    return str(answer.json()["auth_req_id"])


async def poll(door: Door, name: str, client: str = "shop") -> Answer:
    """Ask for the tokens."""
    return await door.token(auth=client, grant_type=CIBA, auth_req_id=name)


async def decide(door: Door, name: str, decision: str = "approve", account: str | None = None) -> Answer:
    """Answer in the person's name, as dev mode lets one."""
    said = {"auth_req_id": name, "account": account or address(door), "decision": decision}
    return await door.calls.post(f"{BASE}/dev/approve", json=said)


def error(answer: Answer) -> tuple[int, str]:
    """Return status and code of a refusal."""
    return answer.status, answer.json()["error"]


async def unknown_is_named(door: Door, **more: object) -> None:
    """Let clients be told at once whom they cannot ask."""
    await door.set("oauth", backchannel_names_unknown=True, **more)


async def test_a_person_who_is_elsewhere_says_yes(called: Door) -> None:
    """7.2, 7.3, 10.1, 10.1.1: the client waits under a name, polls, and gets tokens once; they are hers, and hang on no session."""
    person: Person = await called.person(consent=())
    answer = await ask(called, scope="openid email", unheard="of")
    assert answer.status == 200, answer.text
    body = answer.json()
    assert (body["expires_in"], body["interval"]) == (120, 5)
    assert body["auth_req_id"].startswith("lmn_br_")
    assert re.fullmatch(r"[A-Za-z0-9._-]{43,}", body["auth_req_id"])
    assert "no-store" in answer.headers["cache-control"]
    name = body["auth_req_id"]
    assert error(await poll(called, name)) == (400, "authorization_pending")
    assert (await decide(called, name)).json() == {"state": "approved"}
    tokens = (await poll(called, name)).json()
    said = jose.peek(tokens["id_token"]).claims
    assert (said["sub"], said["aud"], said["acr"]) == (person.account, "shop", "aal1")
    assert "sid" not in said
    assert "urn:openid:params:jwt:claim:auth_req_id" not in said
    assert (await called.userinfo(tokens["access_token"])).json()["email"] == address(called)
    assert (await called.refresh(tokens["refresh_token"])).status == 200
    assert error(await poll(called, name)) == (400, "invalid_grant")
    names = [fact.name for fact in await called.facts() if fact.name.startswith(("approvals.", "oauth.backchannel"))]
    assert sorted(names) == ["approvals.approval_asked", "approvals.approval_given", "oauth.backchannel_asked"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scope": None}, "invalid_scope"),
        ({"scope": "email"}, "invalid_scope"),
        ({"scope": "openid unheard-of"}, "invalid_scope"),
        ({"scope": "openid limen:accounts:read"}, "invalid_scope"),
        ({"login_hint": None}, "invalid_request"),
        ({"id_token_hint": "x"}, "invalid_request"),
        ({"login_hint": None, "id_token_hint": "x"}, "invalid_request"),
        ({"login_hint": None, "login_hint_token": "x"}, "invalid_request"),
        ({"login_hint_token": "x"}, "invalid_request"),
        ({"user_code": "1234"}, "invalid_request"),
        ({"requested_expiry": "0"}, "invalid_request"),
        ({"requested_expiry": "-1"}, "invalid_request"),
        ({"requested_expiry": "soon"}, "invalid_request"),
        ({"binding_message": "x" * 61}, "invalid_binding_message"),
        ({"binding_message": "two\nlines"}, "invalid_binding_message"),
        ({"binding_message": "turned\u202earound"}, "invalid_binding_message"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"authorization_details": "[{}]"}, "invalid_authorization_details"),
    ],
)
async def test_what_is_wrong_with_a_request_is_said(called: Door, changes: dict[str, Any], code: str) -> None:
    """13: each mistake has its code, nobody is asked, and nothing is stored."""
    await called.person()
    assert error(await ask(called, **changes)) == (400, code)
    assert await called.facts("approvals.") == []


async def test_a_login_hint_token_is_not_promised_and_not_taken(called: Door) -> None:
    """7.1: the refusal says so in these words, whatever stands beside it; no metadata name it, and its own error code is never said."""
    await called.person()
    for changes in ({"login_hint": None}, {}, {"login_hint": None, "id_token_hint": "x"}):
        refused = await ask(called, **changes, login_hint_token="eyJhbGciOiJub25lIn0.e30.")
        assert error(refused) == (400, "invalid_request")
        assert refused.json()["error_description"] == "login_hint_token is not supported: send login_hint or id_token_hint."
    for path in ("openid-configuration", "oauth-authorization-server"):
        assert "login_hint_token" not in (await called.calls.get(f"/.well-known/{path}")).text


async def test_who_may_ask(called: Door) -> None:
    """7.1: the client proves itself, and is registered for it; a public one never is."""
    await called.person()
    assert error(await called.call(PATH, auth="shop", secret="wrong", scope="openid", login_hint=address(called))) == (401, "invalid_client")
    assert error(await ask(called, "spa")) == (400, "unauthorized_client")
    assert error(await ask(called, "orders-api")) == (400, "unauthorized_client")
    assert error(await called.call(PATH, auth="", scope="openid", login_hint=address(called))) == (401, "invalid_client")


async def test_whom_a_hint_means(called: Door) -> None:
    """7.1: an address, the `sub` the client knows her by, or an ID token it got; the token of another client means nobody."""
    person = await called.person()
    mine = (await called.tokens(person))["id_token"]
    theirs = (await called.tokens(person, "spa"))["id_token"]
    for hint in ({"login_hint": f" {(address(called)).upper()} "}, {"login_hint": person.account}, {"login_hint": None, "id_token_hint": mine}):
        name = await name_of(called, **hint)
        assert (await decide(called, name)).status == 200, hint
        assert jose.peek((await poll(called, name)).json()["id_token"]).claims["sub"] == person.account
    assert error(await ask(called, login_hint=None, id_token_hint=theirs)) == (400, "invalid_request")


async def test_nobody_learns_who_has_an_account(called: Door) -> None:
    """An unknown person, a suspended one, one who is asked too often: the client waits under a name as for any other, and hears of no end but time's."""
    person = await called.person()
    good = (await ask(called)).json()
    async with called.world.work() as work:
        await accounts.suspend(work, person.account, "abuse")
    for hint in ("nobody@example.com", "acc_0123456789abcdefghjkmnpqrs", "what is this", address(called)):
        answer = await ask(called, login_hint=hint)
        assert answer.status == 200, hint
        assert answer.json().keys() == good.keys()
        name = answer.json()["auth_req_id"]
        assert error(await poll(called, name)) == (400, "authorization_pending")
        assert (await decide(called, name)).status == 404
    name = (await ask(called)).json()["auth_req_id"]
    called.world.advance(121)
    assert error(await poll(called, name)) == (400, "expired_token")
    facts = await called.facts("oauth.backchannel_asked")
    assert [fact.data.get("reason") for fact in facts if fact.data["approval"] is None] == ["unknown_user_id"] * 5


async def test_a_tenant_may_have_clients_told(called: Door) -> None:
    """13: `unknown_user_id`, and `access_denied` with 403 for one who may not be asked now."""
    await unknown_is_named(called)
    assert error(await ask(called, login_hint="nobody@example.com")) == (400, "unknown_user_id")
    await called.person()
    name = await name_of(called)
    await decide(called, name, "deny")
    assert error(await ask(called)) == (403, "access_denied")


async def test_a_no_is_told_and_stands(called: Door) -> None:
    """11: `access_denied`, as often as one asks."""
    await called.person()
    name = await name_of(called)
    assert (await decide(called, name, "deny")).json() == {"state": "denied"}
    assert (await decide(called, name)).status == 409
    for _ in range(2):
        assert error(await poll(called, name)) == (400, "access_denied")


async def test_who_polls_too_fast_is_slowed_down(called: Door) -> None:
    """11: each poll before its time makes the pause five seconds longer, for all that follow."""
    await called.person()
    name = await name_of(called)
    assert error(await poll(called, name)) == (400, "authorization_pending")
    called.world.advance(5)
    assert error(await poll(called, name)) == (400, "authorization_pending")
    called.world.advance(2)
    assert error(await poll(called, name)) == (400, "slow_down")
    called.world.advance(6)
    assert error(await poll(called, name)) == (400, "slow_down")
    called.world.advance(15)
    assert error(await poll(called, name)) == (400, "authorization_pending")
    await decide(called, name)
    assert (await poll(called, name)).status == 200


async def test_time_runs_out(called: Door) -> None:
    """7.3, 11: `expires_in` is what was asked for within bounds; afterwards there is nothing to answer, and nothing to get."""
    await called.person()
    for wished, given in ((None, 120), ("30", 30)):
        assert (await ask(called, requested_expiry=wished)).json()["expires_in"] == given
    answer = await ask(called, requested_expiry="9999")
    assert answer.json()["expires_in"] == 600
    name = answer.json()["auth_req_id"]
    called.world.advance(599)
    assert (await decide(called, name)).status == 200
    called.world.advance(1)
    assert error(await poll(called, name)) == (400, "expired_token")
    late = await name_of(called)
    called.world.advance(121)
    assert (await decide(called, late)).status == 409
    await called.runner.run_due()
    assert len(await called.facts("approvals.approval_expired")) == 3


async def test_a_name_is_its_clients_alone(called: Door) -> None:
    """11: `invalid_grant` for another client, which learns nothing and spoils nothing."""
    await called.person()
    name = await name_of(called)
    await decide(called, name)
    assert error(await poll(called, name, "old")) == (400, "invalid_grant")
    assert error(await poll(called, f"{name}x")) == (400, "invalid_grant")
    assert error(await called.token(auth="shop", grant_type=CIBA)) == (400, "invalid_request")
    assert (await poll(called, name)).status == 200


async def test_a_client_that_is_pushed_to_does_not_poll(called: Door) -> None:
    """11: `unauthorized_client`."""
    await called.person()
    name = await name_of(called)
    await decide(called, name)
    await allow(called, "shop", backchannel_token_delivery_mode=Delivery.PUSH, backchannel_client_notification_endpoint="https://shop.example/ciba")
    assert error(await poll(called, name)) == (400, "unauthorized_client")


async def test_only_her_own_yes_counts(called: Door) -> None:
    """An answer in another person's name, or to no question, changes nothing."""
    await called.person()
    name = await name_of(called)
    mine = address(called)
    await called.person()
    assert (await decide(called, name)).status == 404
    assert (await decide(called, name, account="nobody@example.com")).status == 404
    assert (await decide(called, "lmn_br_x", account=mine)).status == 404
    assert (await decide(called, name, account="no address")).status == 400
    assert error(await poll(called, name)) == (400, "authorization_pending")


async def test_a_yes_does_not_outlive_its_ground(called: Door) -> None:
    """Suspended, or signed out everywhere, between the yes and the poll: no tokens."""
    for end in (
        lambda work, person: accounts.suspend(work, person.account, "abuse"),
        lambda work, person: sessions.end_all(work, person.account, sessions.EndReason.NOT_ME),
        lambda work, person: consents.withdraw(work, person.account, ClientId("shop")),
    ):
        person = await called.person()
        name = await name_of(called)
        await decide(called, name)
        async with called.world.work() as work:
            await end(work, person)
        assert error(await poll(called, name)) == (400, "access_denied")


async def test_signing_out_elsewhere_ends_nothing_here(called: Door) -> None:
    """What she allowed hangs on no session; suspending the account ends it."""
    person = await called.person()
    name = await name_of(called)
    await decide(called, name)
    tokens = (await poll(called, name)).json()
    assert person.session is not None
    async with called.world.work() as work:
        await sessions.end(work, person.session, sessions.EndReason.SIGNED_OUT)
    assert await called.active(tokens["access_token"])
    async with called.world.work() as work:
        await accounts.suspend(work, person.account, "abuse")
    assert not await called.active(tokens["access_token"])


async def test_two_processes_race_for_one_answer(called: Door) -> None:
    """Single use: whichever asks first has the tokens, and there is one grant."""
    async with beside(called) as other:
        for _ in range(6):
            await called.person()
            name = await name_of(called)
            await decide(called, name)
            answers = await asyncio.gather(*(poll(one, name) for one in (called, other, called, other)))
            assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]
            assert {answer.json()["error"] for answer in answers if answer.status == 400} == {"invalid_grant"}
    assert len(await called.facts("grants.grant_made")) == 6


async def test_two_answers_at_once_are_one(called: Door) -> None:
    """A yes and a no from two processes: one of them counts, and the other is told."""
    async with beside(called) as other:
        for _ in range(6):
            await called.person()
            name = await name_of(called)
            answers = await asyncio.gather(decide(called, name, "deny"), decide(other, name, account=address(called)))
            assert sorted(answer.status for answer in answers) == [200, 409]
            answered = next(answer for answer in answers if answer.status == 200).json()["state"]
            assert (await poll(called, name)).status == (200 if answered == "approved" else 400)


async def test_people_are_not_worn_down(called: Door) -> None:
    """Few questions at a time, few in an hour, none for a while after a no to this app; another app may ask meanwhile."""
    await unknown_is_named(called)
    await called.set("approvals", open_at_once=2, per_hour=4, per_hour_in_all=6, pause="PT10M")
    await called.person()
    first, second = await name_of(called), await name_of(called)
    assert error(await ask(called)) == (403, "access_denied")
    await decide(called, first)
    await decide(called, second, "deny")
    assert error(await ask(called)) == (403, "access_denied")
    await decide(called, await name_of(called, "old"))
    called.world.advance(601)
    for _ in range(2):
        await decide(called, await name_of(called))
    assert error(await ask(called)) == (403, "access_denied")
    await decide(called, await name_of(called, "old"))
    assert error(await ask(called, "old")) == (403, "access_denied")
    called.world.advance(3_600)
    assert (await ask(called)).status == 200
    reasons = [fact.data["reason"] for fact in await called.facts("approvals.asking_limited")]
    assert sorted(reasons) == ["denied_lately", "too_many_open", "too_often", "too_often"]


async def test_many_questions_at_once_are_counted_one_by_one(called: Door) -> None:
    """From two processes at the same time no more get through than one after the other."""
    await unknown_is_named(called)
    await called.set("approvals", open_at_once=2)
    await called.person()
    async with beside(called) as other:
        answers = await asyncio.gather(*(ask(one, login_hint=address(called)) for one in (called, other) * 4))
    assert sorted(answer.status for answer in answers) == [200, 200] + [403] * 6


async def test_what_is_granted_is_what_was_asked(called: Door) -> None:
    """Scopes of a resource give a token for it; the person has consented by her yes, and it is listed with her consents."""
    person = await called.person(consent=())
    name = await name_of(called, scope="openid read")
    await decide(called, name)
    body = (await poll(called, name)).json()
    assert body["scope"] == "openid read"
    assert jose.peek(body["access_token"]).claims["aud"] == ["https://api.acme.example", BASE]
    async with called.world.read() as reader:
        assert await consents.given(reader, person.account, ClientId("shop")) == {"openid", "read"}


async def test_the_metadata_tell_of_it(called: Door) -> None:
    """4: the endpoint, the modes, the algorithms; no user codes."""
    said = (await called.calls.get(f"{BASE}/.well-known/openid-configuration")).json()
    assert said["backchannel_authentication_endpoint"] == f"{BASE}{PATH}"
    assert said["backchannel_token_delivery_modes_supported"] == ["poll", "ping", "push"]
    assert {"ES256", "PS256"} <= set(said["backchannel_authentication_request_signing_alg_values_supported"])
    assert said["backchannel_user_code_parameter_supported"] is False
    assert CIBA in said["grant_types_supported"]


async def test_neither_name_nor_message_stands_in_the_database(called: Door) -> None:
    """The name a client waits under is there as a digest, what is asked is sealed, and the log has neither."""
    await called.person()
    name = await name_of(called, binding_message="CANARY-42")
    async with called.world.db.read(called.world.tenant) as reader:
        kept = await reader.all(_SEALED)
    assert len(kept) == 1
    for octets in kept:
        assert b"CANARY" not in octets
        assert name.encode() not in octets
    for fact in await called.facts():
        assert "CANARY" not in str(fact.data)
        assert name not in str(fact.data)


async def test_the_plan_answers_by_address(called: Door) -> None:
    """Dev mode: what a plan of the OpenID Foundation posts to an address with the request and `allow` or `deny` in it counts like JSON."""
    await called.set("approvals", pause="PT0S")
    await called.person()
    for decision, status in (("allow", 200), ("deny", 400)):
        name = await name_of(called)
        query = urlencode({"auth_req_id": name, "account": address(called), "decision": decision})
        answer = await called.calls.post(f"{BASE}/dev/approve?{query}", form={})
        assert answer.status == 200, answer.text
        assert (await poll(called, name)).status == status
    last = await name_of(called)
    for wrong in ({"auth_req_id": last}, {"auth_req_id": last, "account": address(called), "decision": "perhaps"}):
        assert (await called.calls.post(f"{BASE}/dev/approve?{urlencode(wrong)}", form={})).status == 400
        assert (await called.calls.post(f"{BASE}/dev/approve", json=wrong)).status == 400


async def test_tokens_of_the_back_channel_are_bound_like_any_others(called: Door) -> None:
    """RFC 9449: with a proof at the token endpoint the access token is for its key; a client that must send one gets nothing without."""
    await called.person()
    await called.change("shop", dpop_bound_access_tokens=True)
    name = await name_of(called)
    await decide(called, name)
    assert error(await poll(called, name))[0] == 400
    app = Prover(clock=called.world.clock)
    headers = {"authorization": basic("shop", SECRET), "dpop": app.proof("POST", f"{BASE}/oauth/token")}
    answer = await called.calls.post(f"{BASE}/oauth/token", form={"grant_type": CIBA, "auth_req_id": name}, headers=headers)
    assert (answer.status, answer.json()["token_type"]) == (200, "DPoP"), answer.text
    assert jose.peek(answer.json()["access_token"]).claims["cnf"] == {"jkt": app.jkt}
    assert (await called.userinfo(answer.json()["access_token"])).status == 401
