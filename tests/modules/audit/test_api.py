"""`GET /api/v1/audit/facts`."""

from __future__ import annotations

from typing import Any

import pytest

from limen.kernel.facts import SYSTEM, Actor, ActorKind
from limen.kernel.ids import AccountId, ClientId, TenantId
from limen.modules.audit import api
from limen.platform.duties import Settings
from limen.platform.http import Access, Call, Options, Refusal, build
from limen.platform.telemetry import Log
from tests.conftest import World
from tests.modules.audit.test_search import ADA, Came, Went
from tests.platform.http.conftest import BASE, Addresses, Door, label
from tests.rig.asgi import Answer, Client

BEARER = {"authorization": "Bearer good"}


class AuditDoor(Door):
    """Lets the bearer token `good` in for `limen:audit:read`."""

    async def bearer(self, call: Call, token: str, scope: str, *, by_dpop: bool) -> Access | Refusal:
        if token != "good" or scope != "limen:audit:read":
            return await super().bearer(call, token, scope, by_dpop=by_dpop)
        return Access(ClientId("svc"), None, frozenset({scope}))


@pytest.fixture
async def client(world: World) -> Client:
    for number in range(5):
        async with world.db.work(TenantId("main"), Actor(ActorKind.CLIENT, "shop") if number % 2 else SYSTEM) as work:
            work.record(Came(number=number, subject=ADA) if number < 3 else Went(number=number, private=b"\x01"))
        world.advance(60)
    return Client(
        build(api.ENDPOINTS, Addresses(), AuditDoor(), world.db, Settings([Log(requests="none")]), Options(base_url=BASE, dev=True, source_label=label))
    )


async def ask(client: Client, query: str = "") -> Answer:
    return await client.get(f"/api/v1/audit/facts{query}", headers=BEARER)


async def test_facts_come_newest_first_in_pages(client: Client) -> None:
    """A fact carries id, instant, name, subject, actor and its own fields; `after` leads through all of them."""
    body: dict[str, Any] = (await ask(client, "?limit=2")).json()
    newest = body["facts"][0]
    assert {key: newest[key] for key in ("name", "subject", "actor", "data", "sealed")} == {
        "name": "door.went",
        "subject": None,
        "actor": "system",
        "data": {"number": 4},
        "sealed": True,
    }
    seen = [fact["data"]["number"] for fact in body["facts"]]
    while body["after"]:
        body = (await ask(client, f"?limit=2&after={body['after']}")).json()
        seen += [fact["data"]["number"] for fact in body["facts"]]
    assert seen == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [(f"?subject={ADA}", [2, 1, 0]), ("?kind=door.went", [4, 3]), ("?actor=client:shop", [3, 1]), (f"?subject={ADA}&actor=client:shop", [1]), ("?kind=x", [])],
)
async def test_filters(client: Client, query: str, numbers: list[int]) -> None:
    """Subject, begin of the name and actor narrow it down."""
    body = (await ask(client, query)).json()
    assert [fact["data"]["number"] for fact in body["facts"]] == numbers
    assert body["after"] is None


async def test_time(client: Client) -> None:
    """`since` is included, `until` excluded."""
    facts = (await ask(client)).json()["facts"]
    body = (await ask(client, f"?since={facts[3]['at']}&until={facts[1]['at']}")).json()
    assert [fact["data"]["number"] for fact in body["facts"]] == [2, 1]
    assert (await ask(client, "?since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z")).json()["facts"] == facts


@pytest.mark.parametrize(
    "query",
    [
        "?limit=0",
        "?limit=501",
        "?limit=x",
        "?after=1",
        "?after=",
        "?since=yesterday",
        "?since=2026-01-01T00:00:00",
        "?unknown=1",
        "?kind=a&kind=b",
        "?subject=%00",
    ],
)
async def test_malformed_questions(client: Client, query: str) -> None:
    """What cannot be asked gets problem+json, never a server's error."""
    answer = await ask(client, query)
    if query == "?after=":
        assert answer.status == 200
        return
    assert answer.status in (400, 422), answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_scope_is_needed(client: Client) -> None:
    """Without the scope nobody reads the log."""
    assert (await client.get("/api/v1/audit/facts")).status == 401
    assert (await client.get("/api/v1/audit/facts", headers={"authorization": "Bearer bad"})).status == 401


async def test_another_tenant(client: Client) -> None:
    """Under another tenant's path its own log is read."""
    answer = await client.get("/t/acme/api/v1/audit/facts", headers=BEARER)
    assert answer.json() == {"facts": [], "after": None}
    assert AccountId("acc_ada") == ADA
