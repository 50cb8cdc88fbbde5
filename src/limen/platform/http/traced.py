"""The edge of a server that traces. One that does not has the plain one, and pays nothing."""

from __future__ import annotations

from http import HTTPMethod
from typing import Final

from limen.platform.http.call import Call
from limen.platform.http.edge import CLIENT_GONE, Edge, Scope, Send
from limen.platform.http.exchange import Exchange
from limen.platform.http.plan import Plan
from limen.platform.http.reading import Receive
from limen.platform.http.responding import Response
from limen.platform.telemetry import TRACES

_METHODS: Final = frozenset(HTTPMethod)
_OTHER: Final = "_OTHER"
"""A method nobody knows: it may be any text (OpenTelemetry, HTTP spans)."""


class TracedEdge(Edge):
    """Makes a span of each request, by method and route."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Speak ASGI 3."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        arrived = TRACES.arrive(scope["headers"], lambda: self._trusts(scope.get("client")))
        if arrived is None:
            await super().__call__(scope, receive, send)
            return
        try:
            await super().__call__(scope, receive, send)
        finally:
            TRACES.leave(arrived)

    def _trusts(self, client: tuple[str, int] | None) -> bool:
        return client is not None and self.house.addresses.trusts(client[0])

    async def _respond(self, scope: Scope, receive: Receive, exchange: Exchange | None) -> tuple[Plan, Call, Response | None]:
        plan, call, response = await super()._respond(scope, receive, exchange)
        if TRACES.recording:
            method = scope["method"]
            status = response[0] if response is not None else CLIENT_GONE
            TRACES.answered(method if method in _METHODS else _OTHER, plan.endpoint.path, status, call.site.tenant)
        return plan, call, response
