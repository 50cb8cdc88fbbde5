"""The edge behind the real web server: octets in, octets out."""

from __future__ import annotations

import asyncio

import pytest

from limen.platform.http import PROTOCOL, Answer, Call, Endpoint, Form, Json
from tests.platform.http.conftest import Make, served

pytestmark = pytest.mark.anyio

HOST = b"Host: localhost:8400\r\n"
CLOSE = b"Connection: close\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
POST = b"POST /oauth/token HTTP/1.1\r\n" + HOST + FORM


async def echo(call: Call) -> Answer:
    return Json([call.origin.address, dict(call.form.items())])


async def said(port: int, request: bytes) -> bytes:
    """Return everything the server says until it closes, or falls silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    heard = b""
    try:
        async with asyncio.timeout(0.4):
            while piece := await reader.read(65_536):
                heard += piece
    except (TimeoutError, ConnectionError):
        pass
    writer.close()
    return heard


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (POST + CLOSE + b"Content-Length: 3\r\n\r\na=1", b"200"),
        (POST + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n2\r\na=\r\n1\r\n1\r\n0\r\n\r\n", b"200"),
        (POST + CLOSE + b"Content-Length: 99999\r\n\r\na=1", b"413"),
        (POST + CLOSE + b"Expect: 100-continue\r\nContent-Length: 99999\r\n\r\n", b"413"),
        (POST + CLOSE + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (POST + CLOSE + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\na=1", b"400"),
        (POST + CLOSE + b"X: " + b"y" * 40_000 + b"\r\n\r\n", b"431"),
        (POST + HOST + CLOSE + b"\r\n", b"400"),
        (b"POST /oauth/token HTTP/1.1\r\n" + CLOSE + b"\r\n", b"400"),
        (b"GET /oauth/token HTTP/1.0\r\n\r\n", b"400"),
        (b"GET /oauth/\xff HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", b"400"),
        (b"GET http://evil.example/oauth/token HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", b"405"),
        (b"OPTIONS * HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", b"404"),
        (b"rubbish\r\n\r\n", b"400"),
    ],
)
async def test_requests_on_the_wire(make: Make, request_: bytes, status: bytes) -> None:
    """Chunks, lies about lengths, smuggling, missing and double hosts: each gets its status, none breaks the server."""
    app = make(Endpoint(method="POST", path="/oauth/token", who=PROTOCOL, call=echo, summary="", takes=Form, hot=True)).app
    async with served(app) as port:
        answer = await said(port, request_)
        assert answer.split(b" ")[1] == status, answer[:300]
        assert (await said(port, POST + b"Content-Length: 3\r\n\r\na=1")).endswith(b'["127.0.0.1",{"a":"1"}]')


async def test_one_connection_many_requests(make: Make) -> None:
    """Requests sent together are answered in order; HEAD has no body; what was cut off ends the connection."""
    app = make(Endpoint(method="POST", path="/oauth/token", who=PROTOCOL, call=echo, summary="", takes=Form, hot=True)).app
    async with served(app) as port:
        head = b"HEAD /health/live HTTP/1.1\r\n" + HOST + b"\r\n"
        answer = await said(port, head + POST + b"Content-Length: 3\r\n\r\na=1" + POST + b"Content-Length: 3\r\n\r\na=2")
        assert answer.count(b"HTTP/1.1 200 OK") == 3
        assert answer.index(b'{"a":"1"}') < answer.index(b'{"a":"2"}')
        assert b"ok" not in answer.partition(b"HTTP/1.1 200 OK")[2].partition(b"HTTP/1.1")[0]
        cut = await said(port, POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b"x" * 4096 + b"\r\n" + b"5000\r\n" + b"x" * 0x5000)
        assert b"413" in cut.split(b"\r\n")[0]
        assert b"connection: close" in cut
