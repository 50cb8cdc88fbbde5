"""The ASGI application: finds tenant and endpoint, lets the call in, answers, and never shows a stack trace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Final

import structlog

from limen.kernel import secrets
from limen.kernel.errors import LimenError
from limen.platform.http.admission import CSRF_FIELD, CSRF_HEADER, admit, check_token, is_own_machine
from limen.platform.http.answers import Answer
from limen.platform.http.call import NO_PARTS, Call
from limen.platform.http.errors import (
    BadRequest,
    BearerRefused,
    ClientGone,
    HttpError,
    MethodRefused,
    Misdirected,
    NoSuchPlace,
    ScopeMissing,
    Unexpected,
    status_of,
)
from limen.platform.http.exchange import EXCHANGE, Exchange
from limen.platform.http.headers import gathered
from limen.platform.http.house import House
from limen.platform.http.plan import Plan
from limen.platform.http.policy import Fields, preflight_fields
from limen.platform.http.reading import Bodies, Receive, check_head
from limen.platform.http.responding import Response, respond
from limen.platform.http.routes import Resource, Routes
from limen.platform.http.settings import Server
from limen.platform.http.site import Place, Places, prefix_of
from limen.platform.pages import Page
from limen.platform.telemetry import RequestLog
from limen.platform.wire import bodies, forms

Scope = dict[str, Any]
"""ASGI's description of a connection; its values are of any type."""
Send = Callable[[Any], Awaitable[None]]
"""ASGI's send."""
Found = tuple[Place, Resource | None, Mapping[str, str]]
"""Where a request belongs: tenant, path, the path's parameters."""
Lifespan = Callable[[], AbstractAsyncContextManager[None]]
"""What is started before the first request and stopped after the last."""

_EMPTY: Final = b"{}"
"""A call without a body says nothing: an object without members."""
CLIENT_GONE: Final = 499
"""Stands where a status would: the client left before there was an answer."""
_REFUSED: Final = 400
_NOT_HERE: Final = frozenset({404, 405})
_UNIDENTIFIED: Final = (HttpError, forms.BadForm, bodies.BadJson)
"""Refused before anybody looked who is asking."""
_SERVER_ERROR: Final = 500
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallbacks:
    """Plans for requests that have no endpoint: how a person and how a program is told so, and what stands where there is no tenant."""

    page: Plan
    problem: Plan
    place: Place
    base_host: bytes


class Edge:
    """The HTTP edge of one process."""

    def __init__(self, house: House, places: Places, routes: Routes, fallbacks: Fallbacks, log: RequestLog, lifespan: Lifespan | None) -> None:
        self.house = house
        self.places = places
        self._routes = routes
        self._fallbacks = fallbacks
        self._log = log
        self._lifespan = lifespan
        self._bodies = Bodies(house.settings.of(Server).body_time.total_seconds())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Speak ASGI 3."""
        if scope["type"] != "http":
            await self._other(scope["type"], receive, send)
            return
        started = perf_counter()
        method: str = scope["method"]
        exchange: Exchange | None = scope.get(EXCHANGE)
        plan, call, response = await self._respond(scope, receive, exchange)
        if response is None:
            plan.traffic.seen(CLIENT_GONE, perf_counter() - started)
            return
        status, fields, body = response
        if method == "HEAD":
            body = b""
        if exchange is not None and exchange.may_write:
            exchange.answer(status, fields, body)
        else:
            await send({"type": "http.response.start", "status": status, "headers": fields})
            await send({"type": "http.response.body", "body": body})
        seconds = perf_counter() - started
        plan.traffic.seen(status, seconds)
        self._log.note(method, plan.endpoint.path, status, seconds, call.site.tenant)

    async def close(self) -> None:
        """Write what is still counted and logged only in memory; after the last answer, before the database is closed."""
        await self.house.refusals.close()
        self.house.failures.close()
        self._log.flush()

    async def _other(self, kind: str, receive: Receive, send: Send) -> None:
        if kind == "lifespan":
            await self._live(receive, send)
        elif kind == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    async def _respond(self, scope: Scope, receive: Receive, exchange: Exchange | None) -> tuple[Plan, Call, Response | None]:
        plan = self._fallbacks.page
        method = scope["method"]
        call: Call | None = None
        headers: dict[bytes, bytes] = {}
        raw_path: bytes = scope.get("raw_path") or b""
        path: str = raw_path.decode("latin-1") if b"%" in raw_path else scope["path"]
        try:
            headers = gathered(scope["headers"])
            place, resource, parts = self._find(headers, path) or await self._find_slowly(headers, path)
            found = resource.plan(method) if resource is not None else None
            plan = found or self._fallback(path, resource)
            call = Call(self.house, place, plan.endpoint, headers, path)
            client = scope.get("client")
            call.peer = client[0] if client else ""
            call.query_string = scope["query_string"]
            if found is None:
                return plan, call, _no_endpoint(resource, method, plan, call)
            call.parts = parts
            return plan, call, respond(plan, call, await self._answer(plan, call, receive, exchange))
        except ClientGone:
            return plan, call or self._nobody(plan, path, headers), None
        except LimenError as trouble:
            if call is not None:
                await self._count(plan, call, trouble)
            else:
                plan = self._fallback(path)
                call = self._nobody(plan, path, headers)
            return plan, call, _told(plan, call, trouble)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer and the log the trace
            call = call or self._nobody(plan, path, headers)
            return plan, call, _broken(plan, call)

    async def _count(self, plan: Plan, call: Call, trouble: LimenError) -> None:
        """Count what the edge itself refuses at a protocol endpoint; the door counts its own."""
        if plan.paced and isinstance(trouble, _UNIDENTIFIED) and not isinstance(trouble, ScopeMissing):
            reason = trouble.error if isinstance(trouble, BearerRefused) else ""
            await self.house.refusals.note(call, reason or trouble.code)

    def _fallback(self, path: str, resource: Resource | None = None) -> Plan:
        """Return the plan of paths nobody has, or not with that method: programs are told as programs are, under a tenant's prefix too."""
        by_program = not resource.pages if resource is not None else path.removeprefix(prefix_of(path)).startswith(("/api/", "/oauth/"))
        return self._fallbacks.problem if by_program else self._fallbacks.page

    def _nobody(self, plan: Plan, path: str, headers: dict[bytes, bytes]) -> Call:
        """Return a call of no tenant, for telling an error that came before one was found, in the visitor's language where it could be read."""
        return Call(self.house, self._fallbacks.place, plan.endpoint, headers, path)

    def _find(self, headers: dict[bytes, bytes], path: str) -> Found | None:
        """Return the tenant's place and the endpoint's resource where both are a look into a dict."""
        prefix = prefix_of(path) if path.startswith("/t/") else ""
        place = self.places.known(headers.get(b"host", b""), prefix)
        if place is None:
            return None
        resource = self._routes.plain(path[len(prefix) :] if prefix else path)
        return None if resource is None else (place, resource, NO_PARTS)

    async def _find_slowly(self, headers: dict[bytes, bytes], path: str) -> Found:
        """Return them after asking the tenants and the router. Misdirected where nobody lives under the Host."""
        host = headers.get(b"host")
        if host is None:
            raise BadRequest("a request needs one Host")
        prefix = prefix_of(path)
        at_origin = self._routes.at_origin(path)
        if at_origin is not None:
            prefix = at_origin[1]
        if path.startswith("/health/"):
            return self._fallbacks.place, self._routes.plain(path), NO_PARTS
        place = await self._place(host, prefix)
        if place is None and at_origin is None and prefix:
            place, prefix = await self._place(host, ""), ""
        if place is None and path.startswith("/dev/") and is_own_machine(host):
            place = await self._place(self._fallbacks.base_host, "")
        if place is None:
            raise Misdirected
        if at_origin is not None:
            return place, at_origin[0], NO_PARTS
        path = path[len(prefix) :]
        plain = self._routes.plain(path)
        found = (plain, NO_PARTS) if plain is not None else await self._routes.parametrised(path)
        return (place, *found) if found is not None else (place, None, NO_PARTS)

    async def _place(self, host: bytes, prefix: str) -> Place | None:
        return self.places.known(host, prefix) or await self.places.find(host, prefix)

    async def _answer(self, plan: Plan, call: Call, receive: Receive, exchange: Exchange | None) -> Answer:
        """Check, read, and ask the endpoint."""
        if plan.guarded or len(self.house.pace):
            elsewhere = await admit(plan, call)
            if elsewhere is not None:
                return elsewhere
        if plan.reads or plan.csrf:
            check_head(plan, call.raw_headers)
            whole = exchange.whole(plan.limit) if exchange is not None else None
            _bring(plan, call, whole if whole is not None else await self._bodies.octets(plan.limit, receive))
        if plan.query is not None:
            call.bring_query(call.query.into(plan.query))
        answer = await plan.endpoint.call(call)
        if plan.posts_page and isinstance(answer, Page) and answer.status < _REFUSED:
            raise TypeError(f"POST {plan.endpoint.path} answered a page; it has to be 303 to one, so that a reload sends nothing twice")
        return answer

    async def _live(self, receive: Receive, send: Send) -> None:
        """ASGI's lifespan: what `build` was given runs from start-up to shutdown."""
        await receive()
        stage = "startup"
        try:
            if self._lifespan is None:
                await send({"type": "lifespan.startup.complete"})
                await receive()
            else:
                async with self._lifespan():
                    await send({"type": "lifespan.startup.complete"})
                    await receive()
                    stage = "shutdown"
            await self.close()
            await send({"type": "lifespan.shutdown.complete"})
        except Exception as trouble:  # noqa: BLE001 - the server is told, and stops
            _log.exception(f"{stage}.failed")
            await send({"type": f"lifespan.{stage}.failed", "message": str(trouble)})


def _bring(plan: Plan, call: Call, body: bytes) -> None:
    """Decode the body as the endpoint asks for it. The token of a form is in the form, that of a script in a header."""
    if plan.reads_form:
        form = forms.read(body, repeatable=plan.repeatable, limit=plan.limit)
        if plan.csrf:
            check_token(call, form.text(CSRF_FIELD) or _token_header(call))
            form = form.without(CSRF_FIELD)
        call.bring(form=form, struct=plan.struct)
    else:
        if plan.csrf:
            check_token(call, _token_header(call))
        call.bring(raw=body, value=None if plan.struct is None else bodies.read(body or _EMPTY, plan.struct, limit=plan.limit))


def _token_header(call: Call) -> str:
    return call.raw_headers.get(CSRF_HEADER, b"").decode("latin-1")


def _no_endpoint(resource: Resource | None, method: str, plan: Plan, call: Call) -> Response:
    """Answer OPTIONS and preflights (Fetch, CORS protocol); refuse other methods with Allow, and paths nobody has."""
    if resource is None:
        raise NoSuchPlace
    if method != "OPTIONS":
        raise MethodRefused(headers=(("allow", resource.allow),))
    wanted = call.raw_headers.get(b"access-control-request-method", b"").decode("latin-1")
    asked = resource.plan(wanted) if wanted else None
    cors = preflight_fields(asked.endpoint.cors, wanted) if asked is not None else []
    return 204, [(b"allow", resource.allow.encode("ascii")), *plan.document, *cors], b""


def _told(plan: Plan, call: Call, trouble: LimenError) -> Response:
    """Tell a refusal in the endpoint's words; what is our fault is logged."""
    if status_of(trouble) >= _SERVER_ERROR:
        kind = (trouble.code, trouble.operator)
        call.house.failures.say(kind, route=plan.endpoint.path, tenant=call.site.tenant, error=trouble.code, reason=trouble.operator)
    try:
        status, fields, body = respond(plan, call, _led_on(call, plan.translate(trouble)))
    except Exception:  # noqa: BLE001 - a translation or template is broken
        return _broken(plan, call)
    return status, _with_allow(fields, trouble), body


def _with_allow(fields: Fields, trouble: LimenError) -> Fields:
    """Return the fields with Allow, which RFC 9110, section 15.5.6 wants on a page too."""
    if not isinstance(trouble, MethodRefused) or any(name == b"allow" for name, _ in fields):
        return fields
    return [*fields, *((name.encode("ascii"), value.encode("ascii")) for name, value in trouble.headers)]


def _led_on(call: Call, answer: Answer) -> Answer:
    """Give the page for a place that is not there a way on: to the person's own pages, or to sign in for them."""
    if isinstance(answer, Page) and answer.status in _NOT_HERE and answer.values.get("home") == "":
        return replace(answer, values={**answer.values, "home": call.house.sign_in})
    return answer


def _broken(plan: Plan, call: Call) -> Response:
    """Log a defect under a reference, and answer with that alone. Called while the exception is handled."""
    reference = secrets.digits(10)
    _log.exception("request.broken", reference=reference, route=plan.endpoint.path, tenant=call.site.tenant)
    trouble = Unexpected(reference)
    try:
        return respond(plan, call, plan.translate(trouble))
    except Exception:  # noqa: BLE001 - even the error page is broken
        _log.exception("request.broken_twice", reference=reference)
        return 500, [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")], f"{trouble.public}\n".encode()
