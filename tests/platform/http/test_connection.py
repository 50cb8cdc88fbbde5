"""Clients that do not do their part, over real sockets: each is given up in its time, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta

import pytest
import structlog

from limen.platform.http import PROTOCOL, PUBLIC, Answer, Call, Endpoint, Form, Json
from limen.platform.http.connection import LONGEST_HEAD, LONGEST_MESSAGE
from limen.platform.http.endpoint import LONGEST_BODY
from limen.platform.http.settings import Server
from tests.platform.http.conftest import Make, served

pytestmark = pytest.mark.anyio

HOST = b"Host: localhost:8400\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
POST = b"POST /oauth/token HTTP/1.1\r\n" + HOST + FORM
GET = b"GET /health/live HTTP/1.1\r\n" + HOST
HASTY = Server(head_time=timedelta(milliseconds=400), body_time=timedelta(milliseconds=400))
LARGE = 8_000_000
LATEST = 4.0
"""Seconds after which even a busy machine has looked twice at a connection that has half a second."""


async def echo(call: Call) -> Answer:
    return Json(dict(call.form.items()))


async def large(_call: Call) -> Answer:
    return Json("x" * LARGE)


ENDPOINTS = (
    Endpoint(method="POST", path="/oauth/token", who=PROTOCOL, call=echo, summary="", takes=Form, hot=True),
    Endpoint(method="GET", path="/large.json", who=PUBLIC, call=large, summary=""),
)


async def heard(port: int, first: bytes, drops: bytes = b"", pause: float = 0.05) -> tuple[bytes, float]:
    """Send octets and then drop by drop the others, over and over; return what the server says until it closes, and the seconds that took."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        writer.write(first)
        async with asyncio.timeout(20):
            while True:
                try:
                    async with asyncio.timeout(pause):
                        piece = await reader.read(65_536)
                except TimeoutError:
                    writer.write(drops)
                    continue
                if not piece:
                    break
                answer += piece
    except ConnectionError:
        pass
    finally:
        writer.close()
    return answer, time.monotonic() - began


DAWDLERS = (
    (b"", b"", b""),
    (b"", b"\r\n", b""),
    (b"G", b"", b"HTTP/1.1 408 "),
    (b"GET /", b"a", b"HTTP/1.1 408 "),
    (b"GET / HTTP/1.1\r\n" + HOST, b"A: b\r\n", b"HTTP/1.1 408 "),
    (b"GET / HTTP/1.1\r\nA: ", b"b", b"HTTP/1.1 408 "),
    (GET + b"\r\n" + b"GET", b"", b"HTTP/1.1 200 "),
    (GET + b"\r\n", b"\r\n", b"HTTP/1.1 200 "),
    (POST + b"Content-Length: 1000\r\n\r\na=", b"b", b"HTTP/1.1 408 "),
    (POST + b"Content-Length: 1000\r\n\r\n", b"", b"HTTP/1.1 408 "),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", b"HTTP/1.1 408 "),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", b"A: b\r\n", b"HTTP/1.1 408 "),
    (GET + b"Content-Length: 100000\r\n\r\n", b"b", b"HTTP/1.1 200 "),
    (GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n", b"HTTP/1.1 200 "),
    (b"POST /nowhere HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n\r\n", b"b", b"HTTP/1.1 404 "),
)
"""What is sent at first, what again and again, and how the answer begins."""


async def test_who_dawdles_is_given_up(make: Make) -> None:
    """Nothing, half a head, half a body, read or not, and endless trailers, silent or drop by drop: closed in time, with 408 where a request had begun."""
    async with served(make(*ENDPOINTS, settings=(HASTY,)).app, HASTY) as port:
        with structlog.testing.capture_logs() as logs:
            found = await asyncio.gather(*(heard(port, first, drops) for first, drops, _ in DAWDLERS))
    for (first, drops, said), (answer, seconds) in zip(DAWDLERS, found, strict=True):
        assert answer.startswith(said), (first, drops, answer[:300])
        assert bool(answer) == bool(said), first
        assert 0.4 <= seconds < LATEST, (first, drops)
        if said == b"HTTP/1.1 408 ":
            assert b"connection: close\r\n" in answer
            assert answer.count(b"HTTP/1.1 ") == 1
    assert sum(line["count"] for line in logs if line["event"] == "connections.given_up") == len(DAWDLERS) - 4, "the edge's reader gave up on four"


async def test_the_second_head_is_timed_like_the_first(make: Make) -> None:
    """After an answer a head that does not end gets its 408; the answer before it stays whole."""
    async with served(make(*ENDPOINTS).app, HASTY) as port:
        answer, seconds = await heard(port, GET + b"\r\n" + b"GET /", b"a")
        first, _, second = answer.partition(b"HTTP/1.1 408 ")
        assert first.startswith(b"HTTP/1.1 200 OK\r\n")
        assert first.endswith(b'{"status":"ok","failing":[]}')
        assert b"connection: close\r\n" in second
        assert seconds < LATEST


async def test_who_does_their_part_is_not_disturbed(make: Make) -> None:
    """A connection that asks again and again lives on beyond every limit, slow answers of ours count for nobody, nor what came ahead meanwhile."""

    async def slow(_call: Call) -> Answer:
        await asyncio.sleep(2.5)
        return Json("at last")

    app = make(Endpoint(method="GET", path="/slow.json", who=PUBLIC, call=slow, summary="")).app
    async with served(app, HASTY) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        began = time.monotonic()
        while time.monotonic() - began < 3:
            writer.write(GET + b"\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            assert await reader.readexactly(28) == b'{"status":"ok","failing":[]}'
            await asyncio.sleep(0.1)
        writer.write(b"GET /slow.json HTTP/1.1\r\n" + HOST + b"\r\n" + GET[:10])
        assert (await reader.readuntil(b'"at last"')).startswith(b"HTTP/1.1 200 ")
        writer.write(GET[10:] + b"\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.close()


def _endless(start: bytes, piece: bytes) -> Iterable[bytes]:
    yield start
    while True:
        yield piece


@pytest.mark.parametrize(
    ("start", "piece", "status", "most"),
    [
        (b"GET /", b"a" * 4096, b"431", LONGEST_HEAD),
        (b"GET / HTTP/1.1\r\n" + HOST, b"A: b\r\n" * 600, b"431", LONGEST_HEAD),
        (b"GET / HTTP/1.1\r\nA: ", b"a" * 4096, b"431", LONGEST_HEAD),
        (b"", b"\r\n" * 2048, b"431", LONGEST_HEAD),
        (GET + b"\r\nGET /", b"a" * 4096, b"200", LONGEST_HEAD),
        (GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n" * 600, b"200", LONGEST_MESSAGE),
        (GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: ", b"a" * 4096, b"200", LONGEST_MESSAGE),
        (GET + b"Content-Length: 100000000\r\n\r\n", b"a" * 4096, b"200", LONGEST_MESSAGE),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a" * 4096, b"", LONGEST_MESSAGE),
    ],
)
async def test_what_has_no_end_is_cut_off(make: Make, start: bytes, piece: bytes, status: bytes, most: int) -> None:
    """A path, a field, fields, trailers, chunks or a body without end are read no further than so many octets: 431 for a head."""
    async with served(make(*ENDPOINTS).app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sent = 0
        answer = b""
        try:
            async with asyncio.timeout(20):
                for octets in _endless(start, piece):
                    writer.write(octets)
                    sent += len(octets)
                    await writer.drain()
                    try:
                        async with asyncio.timeout(0.002):
                            heard = await reader.read(65_536)
                    except TimeoutError:
                        continue
                    answer += heard
                    if not heard:
                        break
        except ConnectionError:
            pass
        writer.close()
        assert answer[9:12] == status, answer[:300]
        assert b"HTTP/1.1 5" not in answer
        assert sent < most + 200_000, "a good part of a second's worth lies in the sockets"


@contextlib.asynccontextmanager
async def small_socket(port: int, room: int) -> AsyncIterator[socket.socket]:
    """Connect with room for so many octets that were not read."""
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        raw.setblocking(False)  # noqa: FBT003 - the standard library's signature
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
        yield raw


@pytest.mark.slow
@pytest.mark.parametrize("requests", [1, 3])
async def test_an_answer_nobody_takes_is_dropped(make: Make, requests: int) -> None:
    """A client that asks for much and reads nothing is cut off; what waits for it is forgotten."""
    async with served(make(*ENDPOINTS).app, HASTY) as port, small_socket(port, 4096) as raw:
        loop = asyncio.get_running_loop()
        with structlog.testing.capture_logs() as logs:
            await loop.sock_sendall(raw, (b"GET /large.json HTTP/1.1\r\n" + HOST + b"\r\n") * requests)
            async with asyncio.timeout(20):
                while not any(line["event"] == "connections.given_up" for line in logs):
                    await asyncio.sleep(0.05)
        taken = 0
        with contextlib.suppress(ConnectionResetError):
            while piece := await loop.sock_recv(raw, 65_536):
                taken += len(piece)
        assert 0 < taken < requests * LARGE


@pytest.mark.slow
async def test_who_takes_an_answer_slowly_gets_it_whole(make: Make) -> None:
    """Some of it now and then is enough, though all of it takes far longer than the limit."""
    async with served(make(*ENDPOINTS).app, HASTY) as port, small_socket(port, 65_536) as raw:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(raw, b"GET /large.json HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        taken, began = 0, time.monotonic()
        while piece := await loop.sock_recv(raw, 200_000):
            taken += len(piece)
            if time.monotonic() - began < LATEST:
                await asyncio.sleep(0.05)
    assert taken > LARGE


def test_no_endpoint_takes_more_than_a_connection_carries() -> None:
    """A limit that could never be reached is a mistake of ours."""
    with pytest.raises(ValueError, match="no body passes"):
        Endpoint(method="POST", path="/x", who=PUBLIC, call=echo, summary="", takes=bytes, limit=LONGEST_BODY + 1)
