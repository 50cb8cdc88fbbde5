"""How often one may be refused, and how refusals are counted."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from limen.kernel.clock import SystemClock
from limen.kernel.errors import Kind, LimenError
from limen.platform.duties import BadSetting
from limen.platform.http import PROTOCOL, PUBLIC, Answer, Call, Endpoint, Form, Json, Pace, refusals, scope
from limen.platform.http.settings import Server
from limen.platform.sql import StoredFact, facts_after
from tests.conftest import World
from tests.platform.http.conftest import Make, edge_of
from tests.rig.asgi import Client

pytestmark = pytest.mark.anyio


class _Clock(SystemClock):
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self._start = super().now()

    def now(self) -> datetime:
        return self._start + self.offset


def test_a_bucket_empties_and_fills() -> None:
    """Three at once, then one a second; nobody pays for another; what was quiet for long is forgotten."""
    clock = _Clock()
    pace = Pace(clock, rate=1, burst=3)
    assert [pace.spend("a") for _ in range(3)] == [0.0, 0.0, 0.0]
    assert pace.wait("a") == pytest.approx(1.0)
    assert pace.wait("b") == 0.0
    clock.offset += timedelta(seconds=1)
    assert pace.wait("a") == 0.0
    pace.spend("a")
    assert pace.wait("a") == pytest.approx(1.0)
    for _ in range(50):
        pace.spend("a")
    assert pace.wait("a") == pytest.approx(1.0)
    clock.offset += timedelta(seconds=60)
    assert pace.wait("a") == 0.0
    assert len(pace) == 0


def test_memory_is_bounded() -> None:
    """Of very many sources the quietest are forgotten first."""
    pace = Pace(_Clock(), rate=1, burst=1, limit=100)
    for number in range(1000):
        pace.spend(number)
        pace.spend("loud")
    assert len(pace) <= 101
    assert pace.wait("loud") > 0
    assert pace.wait(999) > 0


def test_an_impossible_pace_is_refused() -> None:
    """The key is named."""
    with pytest.raises(BadSetting, match="refusal_burst"):
        Server(refusal_burst=0)


class _Unknown(LimenError):
    kind = Kind.UNAUTHENTICATED
    code = "invalid_client"


async def refuse(call: Call) -> Answer:
    await call.refused("invalid_client")
    raise _Unknown("No such client.")


async def show(_call: Call) -> Answer:
    return Json("here")


ENDPOINTS = (
    Endpoint(method="POST", path="/oauth/token", who=PROTOCOL, call=refuse, summary=""),
    Endpoint(method="GET", path="/oauth/userinfo", who=PROTOCOL, call=show, summary=""),
    Endpoint(method="GET", path="/signin", who=PUBLIC, call=show, summary=""),
)


async def test_a_source_refused_too_often_has_to_wait(make: Make) -> None:
    """429 with Retry-After at protocol endpoints of that tenant, for that address; pages and everybody else go on."""
    client = make(*ENDPOINTS, settings=(Server(refusal_burst=3, refusal_rate=1),))
    assert [(await client.post("/oauth/token")).status for _ in range(4)] == [401, 401, 401, 429]
    waiting = await client.get("/oauth/userinfo")
    assert (waiting.status, waiting.headers["retry-after"], waiting.json()["error"]) == (429, "1", "slow_down")
    assert (await client.get("/signin")).status == 200
    assert (await client.get("/t/acme/oauth/userinfo")).status == 200
    assert (await Client(client.app, address="192.0.2.9").get("/oauth/userinfo")).status == 200


async def counted(world: World, expected: int) -> list[StoredFact]:
    """Return the counts in the log, once that many have their position."""
    for _ in range(100):
        async with world.db.read(world.tenant) as read:
            stored = [fact for fact in await facts_after(read, 0, 100) if fact.name == "http.refusals_counted"]
        if len(stored) >= expected:
            return stored
        await asyncio.sleep(0.05)
    raise AssertionError("the counts are not in the log")


async def test_like_refusals_are_one_fact(world: World, make: Make) -> None:
    """A thousand of one source and reason within the window are one row, with the keyed hash in the address's place."""
    client = make(*ENDPOINTS, database=world.db, settings=(Server(refusal_burst=5_000),))
    other = Client(client.app, address="192.0.2.9")
    for _ in range(50):
        await client.post("/oauth/token")
    await other.post("/oauth/token")
    await other.post("/t/acme/oauth/token")
    edge = edge_of(client)
    await edge.house.refusals.flush()
    await edge.house.refusals.flush()
    stored = await counted(world, 2)
    found = {(fact.tenant, fact.data["source"], fact.data["reason"], fact.data["count"]) for fact in stored}
    assert ("acme", (b"hash of 192.0.2.9").hex(), "invalid_client", 1) in found
    assert "192.0.2.9" not in str(stored)


async def test_what_the_edge_refuses_is_counted_too(make: Make) -> None:
    """Malformed forms, bad tokens and those told to wait, at protocol endpoints; people's mistakes on pages are not."""
    client = make(
        Endpoint(method="POST", path="/oauth/form", who=PROTOCOL, call=show, summary="", takes=Form),
        Endpoint(method="GET", path="/api/v1/things", who=scope("other"), call=show, summary=""),
        *ENDPOINTS,
        settings=(Server(refusal_burst=4, refusal_rate=1),),
    )
    await client.post("/oauth/form", form=[("a", "1"), ("a", "2")])
    await client.get("/api/v1/things", headers={"authorization": "Bearer bad"})
    await client.get("/api/v1/things", headers={"authorization": "Bearer good"})
    await client.get("/api/v1/things")
    await client.get("/signin?a=1&a=1")
    await client.post("/oauth/form", body=b"{}", headers={"content-type": "application/json"})
    assert (await client.post("/oauth/form")).status == 429
    groups = edge_of(client).house.refusals._groups
    assert sorted((reason, group.count) for (_, _, reason), group in groups.items()) == [
        ("invalid_token", 2),
        ("malformed_form", 1),
        ("slow_down", 1),
        ("unsupported_media_type", 1),
    ]


async def test_counting_is_bounded(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many sources they are counted together."""
    monkeypatch.setattr(refusals, "_MOST_GROUPS", 10)
    client = make(*ENDPOINTS)
    for number in range(40):
        await Client(client.app, address=f"192.0.2.{number}").post("/oauth/token")
    held = edge_of(client).house.refusals
    assert len(held._groups) == 11
    assert sum(group.count for group in held._groups.values()) == 40
    await held.close()
    assert not held._groups


async def test_what_cannot_be_written_is_counted_on(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away loses no count; it is written with the next."""
    client = make(*ENDPOINTS)
    held = edge_of(client).house.refusals
    await client.post("/oauth/token")

    async def away(*_: object) -> None:
        raise _Unknown("away")

    with monkeypatch.context() as patch:
        patch.setattr(type(held), "_write", away)
        await held.flush()
    await client.post("/oauth/token")
    assert [group.count for group in held._groups.values()] == [2]
    await held.close()
