"""Back-channel requests by polling (CIBA Core 1.0)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from limen.kernel.ids import ClientId
from limen.modules import clients
from limen.modules.clients import Delivery, GrantType
from limen.platform.wire import jose
from tests.modules.oauth.conftest import APPS, BASE, Door, Person
from tests.rig.asgi import Answer

pytestmark = pytest.mark.anyio

CIBA = "urn:openid:params:grant-type:ciba"
PATH = "/oauth/backchannel_authentication"


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


async def address(door: Door) -> str:
    """Return the address of the person made last."""
    return f"ada{door.people}@example.com"


async def ask(door: Door, client: str = "shop", **changes: Any) -> Answer:
    """Send a back-channel request; a change to None leaves a parameter out."""
    usual = {"scope": "openid", "login_hint": await address(door), "binding_message": "W4SCT", **changes}
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
    said = {"auth_req_id": name, "account": account or await address(door), "decision": decision}
    return await door.calls.post(f"{BASE}/dev/approve", json=said)


def error(answer: Answer) -> tuple[int, str]:
    """Return status and code of a refusal."""
    return answer.status, answer.json()["error"]


async def test_a_person_who_is_elsewhere_says_yes(called: Door) -> None:
    """7.3, 10.1, 10.1.1: the client waits under a name, polls, and gets tokens once; they are hers, and hang on no session."""
    person: Person = await called.person(consent=())
    answer = await ask(called, scope="openid email")
    assert answer.status == 200, answer.text
    body = answer.json()
    assert (body["expires_in"], body["interval"]) == (120, 5)
    assert body["auth_req_id"].startswith("lmn_br_")
    assert "no-store" in answer.headers["cache-control"]
    name = body["auth_req_id"]
    assert error(await poll(called, name)) == (400, "authorization_pending")
    assert (await decide(called, name)).json() == {"state": "approved"}
    tokens = (await poll(called, name)).json()
    said = jose.peek(tokens["id_token"]).claims
    assert (said["sub"], said["aud"], said["acr"]) == (person.account, "shop", "aal1")
    assert "sid" not in said
    assert "urn:openid:params:jwt:claim:auth_req_id" not in said
    assert (await called.userinfo(tokens["access_token"])).json()["email"] == await address(called)
    assert (await called.refresh(tokens["refresh_token"])).status == 200
    assert error(await poll(called, name)) == (400, "invalid_grant")
    names = [fact.name for fact in await called.facts() if fact.name.startswith(("approvals.", "oauth.backchannel"))]
    assert sorted(names) == ["approvals.approval_asked", "approvals.approval_given", "oauth.backchannel_asked"]
