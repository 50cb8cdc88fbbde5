"""How an answer leaves, over real sockets: whole, in order, and never with a field that begins another line."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from limen.platform.http.exchange import Exchange
from tests.platform.http.conftest import served

pytestmark = pytest.mark.anyio

GET = b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def said(port: int, octets: bytes) -> bytes:
    """Send octets, end, and return all that comes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(octets)
    async with asyncio.timeout(10):
        found = await reader.read()
    writer.close()
    return found


def answering(status: int = 200, fields: tuple[tuple[bytes, bytes], ...] = (), body: bytes = b"ok") -> Any:
    """Return an application that always says the same, with its path as the body where that is not empty."""

    async def app(scope: dict[str, Any], _receive: object, send: Any) -> None:
        text = b"" if status == 204 else scope["path"].encode()[1:] or body
        length = () if status == 204 else ((b"content-length", b"%d" % len(text)),)
        await send({"type": "http.response.start", "status": status, "headers": [*fields, *length]})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else text})

    return app


@pytest.mark.parametrize("field", [(b"location", b"/a\r\nset-cookie: a=b"), (b"x", b"a\nb"), (b"x", b"a\rb"), (b"a\r\nb", b"x"), (b"x", b"a\0b")])
async def test_a_field_with_a_line_end_never_leaves(field: tuple[bytes, bytes]) -> None:
    """Whatever let it through before, no octet of such an answer reaches the client."""
    async with served(answering(fields=(field,))) as port:
        assert await said(port, GET % b"") == b""


async def test_the_connection_ends_when_it_is_asked_to() -> None:
    """By the client's Connection: close, by HTTP/1.0, and by the answer's own; it is said once."""
    async with served(answering()) as port:
        for request in (b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"):
            answer = await said(port, request)
            assert answer.endswith(b"\r\n\r\nok")
            assert answer.lower().count(b"connection: close\r\n") == 1
    async with served(answering(fields=((b"connection", b"close"),))) as port:
        assert (await said(port, GET % b"" + GET % b"")).lower().count(b"connection: close\r\n") == 1


async def test_pipelined_requests_are_answered_in_order() -> None:
    """Three requests in one packet: three answers, each with its own body."""
    async with served(answering()) as port:
        answer = await said(port, GET % b"one" + GET % b"two" + b"GET /three HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert [piece.rpartition(b"\r\n\r\n")[2] for piece in answer.split(b"HTTP/1.1 200 OK\r\n")[1:]] == [b"one", b"two", b"three"]


async def test_what_was_answered_is_let_go_without_the_collector() -> None:
    """Of fifty requests on one connection no more than the last is still held, though no cycle was looked for meanwhile."""
    last = b"GET /last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    async with served(answering()) as port:
        gc.collect()
        gc.disable()
        try:
            assert b"last" in await said(port, GET % b"" * 50 + last)
            held = [one for one in gc.get_objects() if isinstance(one, Exchange)]
        finally:
            gc.enable()
        assert len(held) <= 2


async def test_what_has_no_body_ends_with_its_head() -> None:
    """HEAD tells the length of what it keeps back; 204 tells none."""
    async with served(answering()) as port:
        answer = await said(port, b"HEAD /abc HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert answer.endswith(b"\r\n\r\n")
        assert b"content-length: 3\r\n" in answer
    async with served(answering(204)) as port:
        answer = await said(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 204 ")
        assert b"content-length" not in answer


async def test_large_answers_arrive_whole() -> None:
    """Four megabytes to a client that reads at leisure."""
    async with served(answering(body=b"x" * 4_000_000)) as port:
        answer = await said(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert len(answer.partition(b"\r\n\r\n")[2]) == 4_000_000


async def test_who_asks_too_far_ahead_gets_no_more_than_is_kept() -> None:
    """Of two hundred requests in one packet the first ones are answered, in order, and then the connection ends."""
    async with served(answering()) as port:
        answer = await said(port, GET % b"abc" * 200)
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == answer.count(b"abc") == 65
    assert answer.count(b"connection: close\r\n") == 1


async def test_rubbish_behind_a_request_waits_for_its_answer() -> None:
    """What cannot be read ends the connection, after the answers that are owed, and never falls into one."""
    async with served(answering()) as port:
        answer = await said(port, GET % b"one" + GET % b"two" + b"rubbish\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 2
    assert answer.endswith(b"two")


async def length_of(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer how many octets came."""
    count, more = 0, True
    while more:
        message = await receive()
        count, more = count + len(message.get("body", b"")), message.get("more_body", False)
    text = b"%s %d" % (scope["path"].encode(), count)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text})


async def test_a_body_may_come_after_its_turn_has() -> None:
    """Of a request that was sent ahead only the head is there when its turn comes; the rest is read then. So is one of many pieces."""
    async with served(length_of) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcPOST /two HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n")
        assert (await reader.readuntil(b"/one 3")).startswith(b"HTTP/1.1 200 ")
        for _ in range(30):
            writer.write(b"x" * 10_000)
            await writer.drain()
        async with asyncio.timeout(5):
            await reader.readuntil(b"/two 300000")
        writer.close()


async def test_the_other_protocol_is_not_spoken() -> None:
    """A request that would rather go on in HTTP/2 is answered in HTTP/1.1, and what follows it is not read; with a body it is refused."""
    upgrade = b"POST /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    async with served(length_of) as port:
        answer = await said(port, upgrade + b"\r\n" + GET % b"smuggled")
        assert answer.count(b"HTTP/1.1 ") == 1
        assert answer.endswith(b"/up 0")
        answer = await said(port, upgrade + b"Content-Length: 3\r\n\r\nabc")
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1 ") == 1


async def test_a_body_that_turns_to_rubbish_is_refused_at_once() -> None:
    """Chunks that are none end the wait for them: 400, not a time limit."""
    async with served(length_of) as port:
        answer = await said(port, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nrubbish")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_trailers_say_nothing() -> None:
    """A field behind a body is no field of the request: an authorization smuggled there is not one."""

    async def fields(scope: dict[str, Any], receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        text = b",".join(name for name, _ in scope["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
        await send({"type": "http.response.body", "body": text})

    async with served(fields) as port:
        chunks = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\nAuthorization: Bearer x\r\n\r\n"
        answer = await said(port, b"POST / HTTP/1.1\r\nHost: a\r\n" + chunks)
    assert answer.endswith(b"host,transfer-encoding,connection")
