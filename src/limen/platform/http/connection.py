"""A client's connection: uvicorn's, with an end to its patience.

A head that does not end, a body nobody reads, an answer nobody takes cost no timer each: the server looks at all its connections once a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from limen.platform.http.endpoint import LONGEST_BODY

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from limen.platform.http.settings import Server

LONGEST_HEAD: Final = 65_536
"""Octets of a head that has not ended at most; what has is measured by `headers.gathered`."""
LONGEST_MESSAGE: Final = 2 * LONGEST_BODY
"""Octets of one request at most, those counted that no reader of bodies sees: of chunks, of trailers, of a body that was refused unread."""


class Connection(HttpToolsProtocol):
    """One connection. Requests that come whole pay one comparison."""

    cycle: RequestResponseCycle | None  # type: ignore[assignment] # None until the first request, whatever uvicorn says
    _message: object = None
    """The unfinished request whose octets are counted."""
    _octets = 0
    _awaited: object = None
    """What the client owes, since when."""
    _since = 0.0

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
