"""A client's connection: octets in, one exchange after the other, octets out; HTTP/1.1 (RFC 9112) as httptools reads it, with an end to our patience.

A head that does not end, a body nobody reads, an answer nobody takes, a connection nobody uses cost no timer each: the server looks at all
its connections once a second.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote

import httptools

from limen.platform.http.endpoint import LONGEST_BODY
from limen.platform.http.exchange import EXCHANGE, STATUS_LINE, Exchange

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

    from limen.platform.http.settings import Server

LONGEST_HEAD: Final = 65_536
"""Octets of a head that has not ended at most; what has is measured by `headers.gathered`."""
LONGEST_MESSAGE: Final = 2 * LONGEST_BODY
"""Octets of one request at most, those counted that no reader of bodies sees: of chunks, of trailers, of a body that was refused unread."""

_MOST_AHEAD: Final = 64
"""Requests that may wait for their turn."""
_CONTINUE: Final = b"100-continue"
_BODIES: Final = frozenset({b"content-length", b"transfer-encoding"})


class Connection(asyncio.Protocol):
    """One connection, as uvicorn's server makes and ends it. Requests that come whole pay one comparison."""

    transport: asyncio.Transport

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Make what uvicorn's server asks for, with its signature."""
        if not config.loaded:
            config.load()
        del app_state  # nothing of ours is kept there
        self.loop = _loop or asyncio.get_running_loop()
        self.state = server_state
        self.tasks: set[Any] = server_state.tasks
        self._app = config.loaded_app
        self._idle = config.timeout_keep_alive
        self._scope: dict[str, Any] = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "root_path": ""}
        self._parser: Any = httptools.HttpRequestParser(self)
        self._url = b""
        self._fields: list[tuple[bytes, bytes]] | None = None
        """The header fields of a head that has begun and not ended."""
        self._expects = False
        self._incoming: Exchange | None = None
        """The exchange whose request has not ended."""
        self._exchange: Exchange | None = None
        """The exchange under way, or the last one."""
        self._queue: deque[Exchange] = deque()
        """Requests that came ahead of their turn."""
        self._blank = False
        """Something came that begins no request."""
        self._turned = False
        """A request began or ended in the octets at hand."""
        self._octets = 0
        self.draining: asyncio.Future[None] | None = None
        """Done as soon as the client has taken enough of what was written."""
        self._left = -1
        """Octets of an answer that had not been taken when last looked at."""
        self._waits: object = None
        self._awaited: object = None
        """What the client owes, since when."""
        self._since = 0.0

    # ------------------------------------------------------------------ asyncio's protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)
        self.state.connections.add(self)  # type: ignore[arg-type] # typed as uvicorn's own protocols
        client, server = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        self._scope |= {
            "scheme": "https" if transport.get_extra_info("sslcontext") else "http",
            "client": (str(client[0]), int(client[1])) if isinstance(client, (tuple, list)) else None,
            "server": (str(server[0]), int(server[1])) if isinstance(server, (tuple, list)) else None,
        }

    def connection_lost(self, exc: Exception | None) -> None:
        """End: who still answers learns that nobody is there."""
        del exc
        self.state.connections.discard(self)
        self._parser = None
        self.resume_writing()
        for exchange in (self._exchange, *self._queue):
            if exchange is not None:
                exchange.lost = True
                exchange.tell()
        self._queue.clear()

    def data_received(self, data: bytes) -> None:
        """Take octets; refuse a head or a request that grows without end, and what is no HTTP."""
        if self._parser is None:
            return
        self._turned = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # an upgrade may be ignored (RFC 9110, section 7.8); what follows would be of the other protocol
            self._read_no_further()
        except httptools.HttpParserError:
            self._read_no_further()
            self._refuse(400, b"This is no HTTP request that can be read here.")
        else:
            if self._turned:
                self._octets, self._blank = 0, False
            else:
                self._grown(len(data))

    def pause_writing(self) -> None:
        """The client takes its time."""
        self.draining = self.loop.create_future()

    def resume_writing(self) -> None:
        """It took enough, or is gone."""
        if self.draining is not None and not self.draining.done():  # done: who waited was cancelled
            self.draining.set_result(None)
        self.draining = None

    def shutdown(self) -> None:
        """End after the answer under way; uvicorn's server asks for it."""
        if self._answering:
            self._end_after_this()
        else:
            self.transport.close()

    # ------------------------------------------------------------------ httptools' callbacks

    def on_message_begin(self) -> None:
        self._turned = True
        self._url = b""
        self._fields = []
        self._expects = False

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._fields is None:
            return  # of a trailer, which means nothing to us (RFC 9110, section 6.5.1)
        name = name.lower()
        if name == b"expect" and value.lower() == _CONTINUE:
            self._expects = True
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        parser = self._parser
        target, _, query = self._url.partition(b"?")
        if not target.startswith(b"/") or b"#" in self._url:
            parsed = httptools.parse_url(self._url)
            target, query = parsed.path or b"/", parsed.query or b""
        path = target.decode("ascii")
        scope = self._scope.copy()
        scope["method"] = parser.get_method().decode("ascii")
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = target
        scope["query_string"] = query
        scope["headers"] = self._fields
        keep_alive = parser.should_keep_alive()
        if (version := parser.get_http_version()) != "1.1":
            scope["http_version"] = version
            keep_alive = keep_alive and version != "1.0"
        exchange = Exchange(self, scope, keep_alive=keep_alive, expects=self._expects)
        scope[EXCHANGE] = exchange
        self._fields = None
        self._incoming = exchange
        if parser.should_upgrade() and any(name in _BODIES for name, _ in scope["headers"]):
            raise httptools.HttpParserError("a body in another protocol: httptools does not say where it ends")
        if len(self._queue) >= _MOST_AHEAD:
            raise httptools.HttpParserError("too many requests ahead of their turn")
        if self._answering:
            self._queue.append(exchange)
            self.transport.pause_reading()
        else:
            self._start(exchange)

    def on_body(self, octets: bytes) -> None:
        if self._incoming is not None:
            self._incoming.came(octets)

    def on_message_complete(self) -> None:
        self._turned = True
        if self._incoming is not None:
            self._incoming.ended()
            self._incoming = None

    # ------------------------------------------------------------------ exchanges

    def _start(self, exchange: Exchange) -> None:
        self._exchange = exchange
        exchange.task = self.loop.create_task(exchange.run(self._app))
        self.tasks.add(exchange.task)

    def go_on(self) -> None:
        """An answer has left: on to the next request."""
        self.state.total_requests += 1
        if self._queue:
            if not self.transport.is_closing():
                self._start(self._queue.popleft())
        else:
            self.read_on()

    def read_on(self) -> None:
        """Let the client send more, unless it has sent too much for good."""
        if self._parser is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    @property
    def _answering(self) -> bool:
        return self._exchange is not None and not self._exchange.answered

    def _read_no_further(self) -> None:
        self._parser = None
        self.transport.pause_reading()
        self._end_after_this()

    def _end_after_this(self) -> None:
        """Answer what was asked, and no more."""
        last = self._queue[-1] if self._queue else self._exchange
        if last is not None:
            last.keep_alive = False

    def _refuse(self, status: int, text: bytes) -> None:
        """Say why, unless that would fall into an answer under way, and close."""
        if self._answering and self._incoming is not self._exchange:
            return
        fields = [*self.state.default_headers, (b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
        fields += [(b"content-length", b"%d" % len(text)), (b"connection", b"close")]
        self.transport.write(STATUS_LINE[status] + b"".join(b"%b: %b\r\n" % field for field in fields) + b"\r\n" + text)
        self.transport.close()

    # ------------------------------------------------------------------ patience

    def _grown(self, octets: int) -> None:
        """Count what came since a request began; what came together with its first octets may belong to the one before."""
        self._octets += octets
        if self._incoming is not None:
            if self._octets > LONGEST_MESSAGE:
                self.transport.close()
            return
        self._blank = self._fields is None
        if self._octets > LONGEST_HEAD:
            self._refuse(431, b"The head of the request is too long.")
            self._read_no_further()

    def look(self, now: float, patience: Server) -> bool:
        """Close the connection if the client owes the same thing, or has nothing to ask, for too long; return whether it did not do its part.

        `now` is of the monotonic clock, in seconds.
        """
        owed, limit = self._owed(patience)
        if owed is None or owed is not self._awaited:
            self._awaited, self._since = owed, now
            return False
        if now - self._since <= limit:
            return False
        if self.transport.is_closing() or self.draining is not None:
            self.transport.abort()
        elif owed is self._fields:
            self._refuse(408, b"The head of the request did not come in time.")
        else:
            self.transport.close()
            return owed is not self._exchange or self._incoming is not None  # else it only rested
        return True

    def _owed(self, patience: Server) -> tuple[object, float]:
        """Return what the client has to do next, the same value for as long as it is the same, and the seconds it has; None where it is our turn."""
        head, body = patience.head_time.total_seconds(), patience.body_time.total_seconds()
        if self.transport.is_closing() or self.draining is not None:
            return self._untaken(), body
        if self._answering:
            return None, body  # who reads a body watches it
        if self._fields is not None:
            return self._fields, head
        if self._incoming is not None:
            return self._incoming, body
        if self._exchange is None or self._blank:
            return self, head
        return self._exchange, self._idle

    def _untaken(self) -> object:
        """Return what stands for an answer that waits for the client: another one as soon as some of it was taken, however slowly."""
        left = self.transport.get_write_buffer_size()
        if left != self._left:
            self._left, self._waits = left, object()
        return self._waits
