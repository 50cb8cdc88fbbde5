"""Health, and the description of the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from limen.kernel.errors import Kind, LimenError
from limen.platform.http import PUBLIC, SESSION, Answer, Call, Endpoint, Json, scope
from limen.platform.telemetry import Meter
from limen.platform.wire.bodies import Timestamp
from tests.conftest import World
from tests.platform.http.conftest import Make, edge_of

pytestmark = pytest.mark.anyio


class Thing(msgspec.Struct):
    """A thing."""

    id: str
    tags: tuple[str, ...] = ()


class NewThing(msgspec.Struct, forbid_unknown_fields=True):
    tags: tuple[str, ...] = ()


class Search(msgspec.Struct, forbid_unknown_fields=True):
    owner: Annotated[str, msgspec.Meta(description="Whose.")]
    limit: int = 50
    after: Timestamp | UnsetType = UNSET


class Taken(LimenError):
    """Somebody has it."""

    kind = Kind.CONFLICT
    code = "thing_taken"


class Gone(LimenError):
    kind = Kind.NOT_FOUND
    code = "no_such_thing"


async def show(_call: Call) -> Answer:
    return Json("x")


THINGS = (
    Endpoint(
        method="POST",
        path="/api/v1/things",
        who=scope("things:write"),
        call=show,
        summary="Make a thing.",
        takes=NewThing,
        gives=Thing,
        status=201,
        etag=True,
        refusals=(Taken,),
    ),
    Endpoint(method="GET", path="/api/v1/things", who=scope("things:read"), call=show, summary="List things.", query=Search, gives=list[Thing]),
    Endpoint(
        method="DELETE",
        path="/api/v1/things/{thing}",
        who=scope("things:write"),
        call=show,
        summary="Drop a thing.",
        parts={"thing": "The thing's id."},
        status=204,
        if_match=True,
        refusals=(Gone,),
    ),
    Endpoint(method="GET", path="/signin", who=PUBLIC, call=show, summary="A page."),
)


async def test_the_description_is_made_from_the_endpoints(make: Make) -> None:
    """Paths, parameters, bodies, answers, refusals and scopes stand in it as they are served; pages do not."""
    client = make(*THINGS)
    answer = await client.get("/t/acme/api/openapi.json")
    assert answer.headers["access-control-allow-origin"] == "*"
    document: dict[str, Any] = answer.json()
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": "http://localhost:8400/t/acme"}]
    assert set(document["paths"]) == {"/api/v1/things", "/api/v1/things/{thing}"}
    made = document["paths"]["/api/v1/things"]["post"]
    assert made["requestBody"]["content"] == {"application/json": {"schema": {"$ref": "#/components/schemas/NewThing"}}}
    assert made["responses"]["201"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Thing"}
    assert made["responses"]["201"]["headers"].keys() == {"ETag", "Location"}
    assert set(made["responses"]) == {"201", "400", "401", "403", "408", "409", "413", "415", "421", "429", "431", "500", "503"}
    assert made["security"] == [{"oauth2": ["things:write"]}]
    listed = document["paths"]["/api/v1/things"]["get"]
    assert listed["parameters"] == [
        {"name": "owner", "in": "query", "required": True, "description": "Whose.", "schema": {"type": "string"}},
        {"name": "limit", "in": "query", "required": False, "schema": {"type": "integer", "default": 50}},
        {"name": "after", "in": "query", "required": False, "schema": {"type": "string", "format": "date-time"}},
    ]
    assert listed["responses"]["200"]["content"]["application/json"]["schema"] == {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}
    path, if_match = document["paths"]["/api/v1/things/{thing}"]["delete"]["parameters"]
    assert (path["name"], path["description"], path["required"]) == ("thing", "The thing's id.", True)
    assert (if_match["name"], if_match["in"], if_match["required"]) == ("If-Match", "header", False)
    flow = document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == "http://localhost:8400/t/acme/oauth/token"
    assert flow["scopes"] == {"things:read": "List things.", "things:write": "Make a thing. Drop a thing."}
    assert set(document["components"]["schemas"]) == {"NewThing", "Problem", "Thing"}, "queries stand in their parameters"


async def test_refusals_are_described_by_their_codes(make: Make) -> None:
    """Each status says which codes it comes with, in their errors' words, and with which fields; what the edge alone refuses is described once."""
    document: dict[str, Any] = (await make(*THINGS).get("/api/openapi.json")).json()
    made = document["paths"]["/api/v1/things"]["post"]["responses"]
    assert made["409"] == {
        "description": "- `thing_taken`: Somebody has it.",
        "content": {
            "application/problem+json": {
                "schema": {
                    "allOf": [{"$ref": "#/components/schemas/Problem"}],
                    "properties": {"status": {"const": 409}, "code": {"enum": ["thing_taken"]}},
                }
            }
        },
    }
    assert _codes(made["400"]) == ["bad_request", "malformed_json"]
    dropped = document["paths"]["/api/v1/things/{thing}"]["delete"]["responses"]
    assert _codes(dropped["404"]) == ["no_such_thing", "not_found"]
    assert dropped["404"]["description"].startswith("- `no_such_thing`\n- `not_found`: ")
    assert made["429"] == {"$ref": "#/components/responses/SlowDown"}
    shared = document["components"]["responses"]
    assert _codes(shared["SlowDown"]) == ["slow_down"]
    assert shared["SlowDown"]["headers"].keys() == shared["Unavailable"]["headers"].keys() == {"Retry-After"}
    assert shared["BearerRefused"]["headers"].keys() == {"WWW-Authenticate", "DPoP-Nonce"}
    assert shared["ScopeMissing"]["headers"].keys() == {"WWW-Authenticate"}


def _codes(response: dict[str, Any]) -> list[str]:
    found: list[str] = response["content"]["application/problem+json"]["schema"]["properties"]["code"]["enum"]
    return found


async def test_ready_when_what_is_needed_answers(world: World, make: Make) -> None:
    """Database and keyring are asked, on both databases; what else was given too; the reasons stay in the log."""
    client = make(*THINGS, database=world.db)
    assert (await client.get("/health/live")).json() == {"status": "ok", "failing": []}
    ready = await client.get("/health/ready")
    assert (ready.status, ready.json()["status"]) == (200, "ok")

    async def away() -> None:
        raise ConnectionError("at 10.1.2.3")

    failing = await make(*THINGS, database=world.db, checks={"mail": away}).get("/health/ready")
    assert (failing.status, failing.json(), failing.headers["retry-after"]) == (503, {"status": "unavailable", "failing": ["mail"]}, "1")


async def test_endpoints_that_make_no_sense_are_refused(make: Make) -> None:
    """Two for one place, a hot path with parameters, a GET with a body, words for a parameter that is not there, a parameter in the first segment."""

    def one(**rest: Any) -> Endpoint:
        return Endpoint(**{"method": "GET", "path": "/x", "who": PUBLIC, "call": show, "summary": "", **rest})

    with pytest.raises(ValueError, match="two endpoints"):
        make(one(), one())
    for wrong in ({"path": "x"}, {"method": "get"}, {"path": "/x/{y}", "hot": True}, {"takes": bytes}, {"parts": {"y": "Not there."}}):
        with pytest.raises(ValueError, match="x"):
            one(**wrong)
    with pytest.raises(ValueError, match="first segment"):
        make(one(path="/{tenant}/x"))


async def test_start_and_end(make: Make) -> None:
    """What was given runs between start-up and shutdown; a start that fails is told to the server."""
    happened: list[str] = []

    @asynccontextmanager
    async def life() -> AsyncIterator[None]:
        happened.append("begun")
        yield
        happened.append("ended")

    @asynccontextmanager
    async def stillborn() -> AsyncIterator[None]:
        raise ConnectionError("no database")
        yield

    async def run(*, lifespan: Any) -> list[str]:
        said: list[str] = []
        events = ["lifespan.startup", "lifespan.shutdown"]

        async def receive() -> dict[str, str]:
            return {"type": events.pop(0)}

        async def send(message: dict[str, str]) -> None:
            said.append(message["type"])

        await make(*THINGS, lifespan=lifespan).app({"type": "lifespan"}, receive, send)
        return said

    assert await run(lifespan=life) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert happened == ["begun", "ended"]
    assert await run(lifespan=stillborn) == ["lifespan.startup.failed"]
    assert await run(lifespan=None) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_requests_are_counted_by_route(make: Make) -> None:
    """Template and status, never an address; what matched nothing is one route."""
    meter = Meter()
    client = make(*THINGS, meter=meter)
    for path in ("/signin", "/signin", "/api/v1/things/secret-1", "/nowhere/1", "/nowhere/2"):
        await client.get(path)
    found = {(one.method, one.route): one.statuses for one in (await meter.snapshot()).traffic}
    assert found["GET", "/signin"] == {200: 2}
    assert found["GET", "/(none)"] == {404: 2}
    assert "secret-1" not in str(found)
    assert edge_of(client).house.production is False
    assert SESSION.scope == ""
