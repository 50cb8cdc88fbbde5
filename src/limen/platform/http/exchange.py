"""One request and its answer on a connection. Any ASGI application can be asked; the edge takes the body and gives the answer in one piece each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import structlog

if TYPE_CHECKING:
    from limen.platform.http.connection import Connection

EXCHANGE: Final = "limen.exchange"
"""Where the edge finds it in ASGI's scope."""
STATUS_LINE: Final = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode() for one in HTTPStatus}

_MUCH: Final = 65_536
"""Octets of a body that wait at most before the client is asked to wait too."""
_CLOSE: Final = (b"connection", b"close")
_GONE: Final = {"type": "http.disconnect"}
_log = structlog.stdlib.get_logger(__name__)

App = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI 3 application."""
Fields = Sequence[tuple[bytes, bytes]]


class Exchange:
    """What is known of a request so far, and what was answered."""

    __slots__ = ("_connection", "_expects", "_head", "_news", "answered", "body", "keep_alive", "lost", "more", "scope", "task")

    def __init__(self, connection: Connection, scope: dict[str, Any], *, keep_alive: bool, expects: bool) -> None:
        """`expects` says that the client sends its body when it is told to (RFC 9110, section 10.1.1)."""
        self._connection = connection
        self._expects = expects
        self._head: Any = None
        self._news: asyncio.Future[None] | None = None
        self.scope = scope
        self.keep_alive = keep_alive
        self.body = b""
        """What came of the body and was not taken yet."""
        self.more = True
        """More of it may come."""
        self.lost = False
        """Nobody is there any more."""
        self.answered = False
        self.task: asyncio.Task[None] | None = None

    async def run(self, app: App) -> None:
        """Have the application answer."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception:  # noqa: BLE001 - the edge answers whatever happens; this is for what is no edge, and for a field that may not leave
            _log.exception("exchange.broken")
        finally:
            self._connection.tasks.discard(self.task)
            self.scope.pop(EXCHANGE, None)  # else each would hold the other until the collector comes by
            if not self.answered:
                self._connection.transport.close()

    # ------------------------------------------------------------------ the request

    def whole(self, limit: int) -> bytes | None:
        """Return the body if it is all here and no longer than `limit`; None: it has to be received."""
        return self.body if not self.more and len(self.body) <= limit else None

    def came(self, octets: bytes) -> None:
        """A piece of the body is there."""
        if self.answered:
            return
        self.body = self.body + octets if self.body else octets
        if len(self.body) > _MUCH:
            self._connection.transport.pause_reading()
        self.tell()

    def ended(self) -> None:
        """The body is all here."""
        self.more = False
        self.tell()

    def tell(self) -> None:
        """Wake who waits for the client."""
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    async def receive(self) -> Any:  # noqa: ANN401 - ASGI
        """Return ASGI's next message."""
        if self._expects and self.more and not self._connection.transport.is_closing():
            self._connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._expects = False
        while self.more and not self.body and not self.lost and not self.answered:
            self._connection.read_on()
            self._news = self._connection.loop.create_future()
            await self._news
        if self.lost or self.answered:
            return _GONE
        body, self.body = self.body, b""
        return {"type": "http.request", "body": body, "more_body": self.more}

    # ------------------------------------------------------------------ the answer

    @property
    def may_write(self) -> bool:
        """Whether the client has taken enough of what was written before."""
        return self._connection.draining is None

    async def send(self, message: Any) -> None:  # noqa: ANN401 - ASGI
        """Take ASGI's two messages; the second one makes the answer leave."""
        if self._head is None:
            self._head = message
            return
        if self.answered or message.get("more_body"):
            raise RuntimeError("an answer is one head and one body")
        while self._connection.draining is not None:
            await self._connection.draining
        self.answer(self._head["status"], self._head["headers"], message["body"])

    def answer(self, status: int, fields: Fields, body: bytes) -> None:
        """Write the whole answer at once. RuntimeError where a field would begin another line."""
        head, transport = self._written(status, fields), self._connection.transport
        self.answered = True
        if self.lost or transport.is_closing():
            return
        transport.writelines((head, body))
        if not self.keep_alive:
            transport.close()
        self._connection.go_on()

    def _written(self, status: int, fields: Fields) -> bytes:
        """Return an answer's head. RuntimeError where a field would begin another line: it came from outside and was not looked at."""
        if _CLOSE in fields:
            self.keep_alive = False
        elif not self.keep_alive:
            fields = [*fields, _CLOSE]
        pieces = [STATUS_LINE[status]]
        for name, value in (*self._connection.state.default_headers, *fields):
            pieces += (name, b": ", value, b"\r\n")
        pieces.append(b"\r\n")
        head = b"".join(pieces)
        lines = len(pieces) // 4 + 2
        if head.count(b"\n") != lines or head.count(b"\r") != lines or b"\0" in head:
            raise RuntimeError("a header field with a line end in it")
        return head
