"""A client's connection: uvicorn's, with an end to its patience, and with answers that leave in one piece.

A head that does not end, a body nobody reads, an answer nobody takes cost no timer each: the server looks at all its connections once a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from limen.platform.http.endpoint import LONGEST_BODY

if TYPE_CHECKING:
    from limen.platform.http.settings import Server

LONGEST_HEAD: Final = 65_536
"""Octets of a head that has not ended at most; what has is measured by `headers.gathered`."""
LONGEST_MESSAGE: Final = 2 * LONGEST_BODY
"""Octets of one request at most, those counted that no reader of bodies sees: of chunks, of trailers, of a body that was refused unread."""


_CLOSE: Final = (b"connection", b"close")


class Exchange(RequestResponseCycle):
    """One request and its answer, which the edge gives as a head and a whole body with its length.

    Uvicorn looks at each field of each answer by two regular expressions, a sixth of what an answer costs; here they are looked at together.
    """

    _head: Any = None
    """ASGI's `http.response.start`, kept until the body is there."""

    async def send(self, message: Any) -> None:  # noqa: ANN401 - ASGI
        """Take ASGI's two messages; the second one makes the answer leave."""
        if self._head is None:
            self._head, self.response_started, self.waiting_for_100_continue = message, True, False
            return
        if self.response_complete or message.get("more_body"):
            raise RuntimeError("an answer is one head and one body")
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        self.transport.writelines((self._written(self._head["status"], self._head["headers"]), message["body"]))
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _written(self, status: int, fields: Sequence[tuple[bytes, bytes]]) -> bytes:
        """Return an answer's head. RuntimeError where a field would begin another line: it came from outside and was not looked at."""
        if _CLOSE in fields:
            self.keep_alive = False
        elif not self.keep_alive:
            fields = [*fields, _CLOSE]
        pieces = [STATUS_LINE[status]]
        for name, value in (*self.default_headers, *fields):
            pieces += (name, b": ", value, b"\r\n")
        pieces.append(b"\r\n")
        head = b"".join(pieces)
        lines = len(pieces) // 4 + 2
        if head.count(b"\n") != lines or head.count(b"\r") != lines or b"\0" in head:
            raise RuntimeError("a header field with a line end in it")
        return head


class Connection(HttpToolsProtocol):
    """One connection. Requests that come whole pay one comparison."""

    cycle: RequestResponseCycle | None  # type: ignore[assignment] # None until the first request, whatever uvicorn says
    _message: object = None
    """The unfinished request whose octets are counted."""
    _octets = 0
    _awaited: object = None
    """What the client owes, since when."""
    _since = 0.0

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - uvicorn's signature
        """Answer by our own exchange; uvicorn makes its cycles by name."""
        cycle.__class__ = Exchange
        super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        """Take octets; refuse a head or a request that grows without end."""
        HttpToolsProtocol.data_received(self, data)
        cycle = self.cycle
        if cycle is None or cycle.more_body or cycle.scope is not self.scope:
            self._count(len(data))

    def _count(self, octets: int) -> None:
        """Count what came since a request began; what came together with its first octets may belong to the one before."""
        if self._message is not self.scope:
            self._message, self._octets = self.scope, 0
            return
        self._octets += octets
        if self.transport.is_closing():
            return
        if self._within_head:
            if self._octets > LONGEST_HEAD:
                self._refuse(431, b"The head of the request is too long.")
        elif self._octets > LONGEST_MESSAGE:
            self.transport.close()

    @property
    def _within_head(self) -> bool:
        return self.cycle is None or self.cycle.scope is not self.scope

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def look(self, now: float, patience: Server) -> bool:
        """Close the connection, and say so, if the client owes the same thing for too long. `now` is of the monotonic clock, in seconds."""
        owed = self._owed()
        if owed is None or owed is not self._awaited:
            self._awaited, self._since = owed, now
            return False
        limit = patience.head_time if self._within_head else patience.body_time
        if now - self._since <= limit.total_seconds():
            return False
        if self.transport.is_closing() or self._answering:
            self.transport.abort()
        elif self._within_head and self.scope is not None:
            self._refuse(408, b"The head of the request did not come in time.")
        else:
            self.transport.close()
        return True

    def _owed(self) -> object:
        """Return what the client has to do next, the same value for as long as it is the same; None where it is our turn, or uvicorn's timer watches."""
        cycle = self.cycle
        if self.transport.is_closing():
            return self.transport
        if cycle is None:
            return self.scope or self
        if not cycle.response_complete:
            return cycle if self.flow.write_paused else None  # who reads a body watches it
        if cycle.scope is not self.scope:
            return self.scope
        return cycle if cycle.more_body or self.timeout_keep_alive_task is None else None

    def _refuse(self, status: int, text: bytes) -> None:
        """Say why, unless that would fall into an answer under way, and close."""
        if not self._answering:
            fields = [*self.server_state.default_headers, (b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
            fields += [(b"content-length", b"%d" % len(text)), (b"connection", b"close")]
            self.transport.write(STATUS_LINE[status] + b"".join(b"%b: %b\r\n" % field for field in fields) + b"\r\n" + text)
        self.transport.close()
