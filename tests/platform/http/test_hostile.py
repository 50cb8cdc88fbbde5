"""Requests as nobody honest sends them: a proper 4xx each, never a 5xx, never a trace."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limen.kernel.errors import Kind, LimenError
from limen.platform.http import PROTOCOL, PUBLIC, Answer, Call, Endpoint, Form, Json, SeeOther, scope
from limen.platform.http.settings import Server
from limen.platform.pages import Page
from limen.platform.sql import DatabaseUnavailable
from tests.platform.http.conftest import Make, edge_of
from tests.rig.asgi import Client

pytestmark = pytest.mark.anyio

HOST = (b"host", b"localhost:8400")
FORM = (b"content-type", b"application/x-www-form-urlencoded")
JSON = (b"content-type", b"application/json")


class Thing(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    count: int = 0


class Search(msgspec.Struct, forbid_unknown_fields=True):
    limit: int = 10


async def show(call: Call) -> Answer:
    return Json([call.language, call.origin.address, dict(call.query.items()), dict(call.form.items()), dict(call.parts)])


async def away(_call: Call) -> Answer:
    return SeeOther("/signin")


ENDPOINTS = (
    Endpoint(method="POST", path="/oauth/token", who=PROTOCOL, call=show, summary="", takes=Form, hot=True, repeatable=frozenset({"resource"})),
    Endpoint(method="GET", path="/signin", who=PUBLIC, call=show, summary=""),
    Endpoint(method="POST", path="/signin", who=PUBLIC, call=away, summary="", takes=Form),
    Endpoint(method="POST", path="/api/v1/things", who=PUBLIC, call=show, summary="", takes=Thing),
    Endpoint(method="GET", path="/api/v1/things", who=scope("things:read"), call=show, summary="", query=Search),
    Endpoint(method="GET", path="/api/v1/things/{thing}", who=PUBLIC, call=show, summary="", query=Search),
)


@pytest.mark.parametrize(
    ("path", "body", "media", "status"),
    [
        ("/oauth/token", b"a=1&a=2", FORM, 400),
        ("/oauth/token", b"a=%zz", FORM, 400),
        ("/oauth/token", b"a=%00", FORM, 400),
        ("/oauth/token", b"a=%ff", FORM, 400),
        ("/oauth/token", b"&".join(b"a%d=1" % n for n in range(65)), FORM, 400),
        ("/oauth/token", b"a=" + b"x" * 17_000, FORM, 413),
        ("/oauth/token", b'{"a":1}', JSON, 415),
        ("/oauth/token", b"a=1", (b"content-type", b"text/plain"), 415),
        ("/oauth/token", b"a=1", (b"content-type", b"multipart/form-data; boundary=x"), 415),
        ("/oauth/token", b"a=1", (b"content-type", b"application/x-www-form-urlencoded; charset=latin-1"), 415),
        ("/oauth/token", b"a=1", (b"x-content-type", b"absent"), 415),
        ("/oauth/token", b"a=1", (b"content-type", b"\xff\xfe"), 415),
        ("/api/v1/things", b"", JSON, 400),
        ("/api/v1/things", b"{", JSON, 400),
        ("/api/v1/things", b'{"name":"a","name":"b"}', JSON, 400),
        ("/api/v1/things", b'{"name":"a","colour":"b"}', JSON, 400),
        ("/api/v1/things", b'{"name":"\\u0000"}', JSON, 400),
        ("/api/v1/things", b"[" * 60_000, JSON, 400),
        ("/api/v1/things", b'{"name":"' + b"x" * 70_000 + b'"}', JSON, 413),
        ("/api/v1/things", b"name=a", FORM, 415),
        ("/signin", b"a=1&a=2", FORM, 400),
    ],
)
async def test_bodies(make: Make, path: str, body: bytes, media: tuple[bytes, bytes], status: int) -> None:
    """Twice, broken, too long, of another type: refused in the words of the endpoint, whole or in chunks."""
    client = make(*ENDPOINTS)
    length = (b"content-length", b"%d" % len(body))
    for pieces, fields in (([body], [length]), ([body[:5], body[5:]], [(b"transfer-encoding", b"chunked")])):
        answer = await client.send("POST", path, pieces, [HOST, media, *fields])
        assert answer.status == status
        kind = {"oauth": "application/json", "api": "application/problem+json", "signin": "text/html; charset=utf-8"}[path.split("/")[1]]
        assert answer.headers["content-type"] == kind
        if path == "/oauth/token":
            assert answer.json()["error"] == "invalid_request"
        elif path.startswith("/api"):
            assert answer.json()["status"] == status


async def test_a_body_without_end_is_cut_off(make: Make) -> None:
    """A length that lies, and chunks that never stop: read no further than the limit."""
    client = make(*ENDPOINTS)
    taken = 0

    async def receive() -> dict[str, object]:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b"x" * 4096, "more_body": True}

    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope_ = {
        "type": "http",
        "method": "POST",
        "path": "/oauth/token",
        "raw_path": b"/oauth/token",
        "query_string": b"",
        "headers": [HOST, FORM],
        "client": ("1.2.3.4", 5),
    }
    await client.app(scope_, receive, send)
    assert sent[0]["status"] == 413
    assert taken == 5
    for length in (b"99999999", b"9" * 400, b"-1", b"1e3", b"0x10"):
        assert (await client.send("POST", "/oauth/token", [b"a=1"], [HOST, FORM, (b"content-length", length)])).status == 413
    assert (await client.send("POST", "/oauth/token", [b"\x1f\x8b"], [HOST, FORM, (b"content-encoding", b"gzip")])).status == 415


async def test_a_body_that_dawdles_is_given_up(make: Make) -> None:
    """408 when it does not come in time; nobody to answer when the client hangs up half way."""
    client = make(*ENDPOINTS, settings=(Server(body_time=timedelta(milliseconds=100)),))

    async def receive() -> dict[str, object]:
        await asyncio.sleep(5)
        return {"type": "http.request", "body": b"", "more_body": False}

    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope_ = {
        "type": "http",
        "method": "POST",
        "path": "/oauth/token",
        "raw_path": b"/oauth/token",
        "query_string": b"",
        "headers": [HOST, FORM],
        "client": ("1.2.3.4", 5),
    }
    await client.app(scope_, receive, send)
    assert sent[0]["status"] == 408
    assert (await client.send("POST", "/oauth/token", [], [HOST, FORM])).status == 0


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([HOST, *[(b"x-%d" % n, b"1") for n in range(100)]], 431),
        ([HOST, (b"x", b"y" * 40_000)], 431),
        ([HOST, (b"cookie", b"a=" + b"y" * 33_000)], 431),
        ([HOST, *[(b"cookie", b"a=b")] * 150], 431),
        ([HOST, HOST], 400),
        ([HOST, (b"host", b"evil.example")], 400),
        ([], 400),
        ([(b"host", b"")], 421),
        ([(b"host", b"localhost:8400\xff")], 421),
        ([(b"host", b"localhost:8400/x")], 421),
        ([HOST, (b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")], 400),
        ([HOST, (b"content-type", b"a"), (b"content-type", b"b")], 400),
        ([HOST, (b"origin", b"a"), (b"origin", b"b")], 400),
        ([HOST, (b"accept-language", b",;q=,," * 500)], 200),
        ([HOST, (b"accept-language", b"\xff\xfe"), (b"accept-language", b"de")], 200),
        ([HOST, (b"accept-encoding", b";;q=,gzip;;")], 200),
        ([HOST, (b"cookie", b"\xff=\x00; =; lmn_l_main=main.\xff")], 200),
        ([HOST, (b"cookie", b"a=1"), (b"cookie", b"b=2")], 200),
        ([HOST, (b"user-agent", b"\x7f" * 5000)], 200),
        ([HOST, (b"x-forwarded-for", b"1.2.3.4"), (b"forwarded", b"for=\xff")], 200),
    ],
)
async def test_headers(make: Make, fields: list[tuple[bytes, bytes]], status: int) -> None:
    """Too many, too long, twice, or bytes that are no text."""
    answer = await make(*ENDPOINTS).send("GET", "/signin", b"", fields)
    assert answer.status == status


@pytest.mark.parametrize(
    ("status", "urls"),
    [
        (400, ["/signin?a=1&a=2", "/signin?a=%ff", "/signin?" + "a=1&" * 100, "/signin?a=" + "b" * 20_000, "/signin?%00=1", "/signin?ui_locales=%00"]),
        (200, ["/signin?ui_locales=" + "x" * 5000, "/api/v1/things/..%2f..", "/api/v1/things/x?limit=7"]),
        (400, ["/api/v1/things/x?limit=many", "/api/v1/things/x?colour=1", "/api/v1/things/x?limit=1&limit=2"]),
        (404, ["//signin", "/signin/", "/./signin", "/%2e%2e/etc", "/" + "a" * 70_000, "/.well-known/"]),
        (404, ["/t/", "/t/..", "/t//signin", "/t/nobody/signin", "/t/acme", "/t/acme/"]),
        (404, ["/api", "/api/", "/api/v2", "/api/v1/things/%", "/api/v1/things/a/b"]),
    ],
)
async def test_addresses(make: Make, status: int, urls: list[str]) -> None:
    """Broken queries, odd spellings of paths, and places that are not there."""
    client = make(*ENDPOINTS)
    for url in urls:
        answer = await client.get(f"http://localhost:8400{url}")
        assert answer.status == status, url
        if answer.status == 404:
            assert answer.headers["content-type"] == ("application/problem+json" if url.startswith("/api/") else "text/html; charset=utf-8")


class _Own(LimenError):
    kind = Kind.CONFLICT
    code = "name_taken"


class _Busy(LimenError):
    kind = Kind.UNAVAILABLE
    code = "busy"


async def test_errors_are_told_in_the_words_of_the_endpoint(make: Make) -> None:
    """problem+json for the API with the stable code, OAuth's JSON for protocols, a page for people; Retry-After wherever it is known."""

    async def taken(_call: Call) -> Answer:
        raise _Own("That name is taken. Choose another.", operator="name of acc_1")

    async def busy(_call: Call) -> Answer:
        raise _Busy("Come back later.", retry_after=7)

    client = make(
        *(
            Endpoint(method="GET", path=path, who=who, call=call, summary="")
            for path, who, call in (("/api/v1/a", PUBLIC, taken), ("/oauth/a", PROTOCOL, busy), ("/a", PUBLIC, taken), ("/b", PUBLIC, busy))
        )
    )
    problem = await client.get("/api/v1/a")
    assert problem.json() == {
        "status": 409,
        "code": "name_taken",
        "title": "This does not fit what is there already.",
        "detail": "That name is taken. Choose another.",
        "type": "about:blank",
    }
    oauth = await client.get("/oauth/a")
    assert (oauth.status, oauth.json(), oauth.headers["retry-after"]) == (
        503,
        {"error": "temporarily_unavailable", "error_description": "Come back later."},
        "7",
    )
    page = await client.get("/a")
    assert (page.status, page.headers["content-type"]) == (409, "text/html; charset=utf-8")
    assert "That name is taken. Choose another." in page.text
    assert "acc_1" not in page.text
    assert (await client.get("/b")).headers["retry-after"] == "7"


async def test_a_defect_shows_its_reference_and_nothing_else(make: Make) -> None:
    """500 with an id under which the log has the trace; also where the answer itself, or the translation, is broken."""

    async def broken(_call: Call) -> Answer:
        raise RuntimeError("the secret is hunter2")

    async def unencodable(_call: Call) -> Answer:
        return Json(object())

    async def no_template(_call: Call) -> Answer:
        return Page(template="pages/nothing.html", title="x")

    async def posted_page(_call: Call) -> Answer:
        return Page(template="pages/message.html", title="x", values={"text": "", "actions": (), "kind": ""})

    def lost(_error: LimenError) -> Answer:
        raise KeyError("no words")

    client = make(
        Endpoint(method="GET", path="/api/a", who=PUBLIC, call=broken, summary=""),
        Endpoint(method="GET", path="/oauth/a", who=PROTOCOL, call=unencodable, summary=""),
        Endpoint(method="GET", path="/a", who=PUBLIC, call=no_template, summary=""),
        Endpoint(method="GET", path="/b", who=PUBLIC, call=broken, summary="", refuse=lost),
        Endpoint(method="POST", path="/c", who=PUBLIC, call=posted_page, summary="", csrf=False),
    )
    with structlog.testing.capture_logs() as logs:
        answers = [await client.get(path) for path in ("/api/a", "/oauth/a", "/a", "/b")] + [await client.post("/c")]
    for answer in answers:
        assert answer.status == 500
        assert "hunter2" not in answer.text
        assert "Traceback" not in answer.text
        reference = re.search(r"\b\d{10}\b", answer.text)
        assert reference is not None, answer.text
        assert [line for line in logs if line.get("reference") == reference[0] and line["event"] == "request.broken"]
    assert answers[1].json()["error"] == "server_error"


async def test_what_fails_a_thousand_times_is_told_once(make: Make) -> None:
    """While the database is away each request is answered, and the log says why in one line, not in one for each; at the end it says how many."""

    async def away(_call: Call | None = None) -> Answer:
        raise DatabaseUnavailable(operator="nothing listens there")

    app = make(Endpoint(method="GET", path="/api/a", who=PUBLIC, call=away, summary=""), checks={"mail": away})
    with structlog.testing.capture_logs() as logs:
        assert {(await app.get("/api/a")).status for _ in range(50)} == {503}
        assert {(await app.get("/health/ready")).status for _ in range(20)} == {503}
        await edge_of(app).close()
    lines = [(line["event"], line["reason"], line.get("again")) for line in logs]
    assert lines == [
        ("request.failed", "nothing listens there", None),
        ("health.not_ready", "nothing listens there", None),
        ("request.failed", "nothing listens there", 49),
    ]


async def test_websockets_and_unknown_scopes_are_left(make: Make) -> None:
    """There is no WebSocket here, and it is said so."""
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await make(*ENDPOINTS).app({"type": "websocket", "path": "/"}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


PATHS = ["/oauth/token", "/signin", "/api/v1/things", "/api/v1/things/{}", "/t/acme/signin", "/t/{}/x", "/{}", "/health/ready", "/assets/{}", "/dev/{}"]
NAMES = [
    *(b"host", b"cookie", b"content-type", b"content-length", b"accept-language", b"authorization", b"origin"),
    *(b"forwarded", b"dpop", b"sec-fetch-site", b"access-control-request-method"),
]
REQUESTS = st.fixed_dictionaries({
    "method": st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT", "X"]),
    "path": st.builds(str.format, st.sampled_from(PATHS), st.text(st.characters(codec="latin-1", exclude_characters=" ?#/\r\n\t[]"), max_size=12)),
    "query_string": st.text("ab=&%+0f\x7f", max_size=15).map(str.encode),
    "headers": st.lists(st.tuples(st.sampled_from(NAMES), st.binary(max_size=30)), max_size=6),
})  # fmt: skip


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(request=REQUESTS, body=st.lists(st.binary(max_size=60), max_size=3))
async def test_nothing_breaks_the_edge(make: Make, request: dict[str, Any], body: list[bytes]) -> None:
    """Whatever is sent, the answer is no 5xx."""
    client: Client = make(*ENDPOINTS)
    named = any(name == b"host" for name, _ in request["headers"])
    scope_ = {
        "type": "http",
        "client": None,
        **request,
        "raw_path": request["path"].encode("latin-1"),
        "headers": [*(() if named else (HOST,)), *request["headers"]],
    }
    sent: list[dict[str, int]] = []
    waiting = list(body)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)} if waiting else {"type": "http.disconnect"}

    async def send(message: dict[str, int]) -> None:
        sent.append(message)

    await client.app(scope_, receive, send)
    assert not sent or sent[0]["status"] < 500
