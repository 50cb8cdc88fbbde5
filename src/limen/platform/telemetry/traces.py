"""Spans of requests, Works, jobs, fetches and password hashes, for who collects them with OpenTelemetry. Off unless a collector is named.

While it is off, whoever could be traced looks at `TRACES.on`, and no more. A span holds names that stand in the code (routes, kinds, functions), a
tenant, a host and numbers: never an address, a query, a parameter, a token, or the id of a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Protocol, TypeAlias

from limen.kernel import errors, secrets

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from limen.platform.telemetry.recording import Recorder
    from limen.platform.telemetry.settings import Traced

Kind: TypeAlias = Literal["server", "client", "internal", "consumer"]
"""What a span is of: OpenTelemetry's SpanKind, in lower case."""
Attributes: TypeAlias = Mapping[str, str | int | float]
"""What a span says; no personal data."""

_TRACEPARENT: Final = re.compile(rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_SAMPLED: Final = 1
_DRAWN_OCTETS: Final = 4
_ALL: Final = 1 << (8 * _DRAWN_OCTETS)
_FIRST_ERROR: Final = 500


class Caller:
    """What a request's `traceparent` says (W3C Trace Context, section 3.2): trace and span of who calls, and whether they are recorded there."""

    __slots__ = ("_found",)

    def __init__(self, found: re.Match[bytes]) -> None:
        self._found = found

    @property
    def trace(self) -> str:
        """The id of the trace, in hexadecimal."""
        return self._found[2].decode()

    @property
    def span(self) -> str:
        """The id of the span that calls, likewise."""
        return self._found[3].decode()

    @property
    def sampled(self) -> bool:
        """Whether the caller records."""
        return bool(int(self._found[4], 16) & _SAMPLED)


class Trail:
    """Where a task stands in a trace. Once what it was made for is over it is empty: tasks that outlive a request are no part of it."""

    __slots__ = ("span", "trace")

    def __init__(self, trace: str, span: Span | None) -> None:
        self.trace = trace
        """The trace's id in hexadecimal, for the log; the caller's, where nothing is recorded here."""
        self.span = span

    def end(self) -> None:
        """Close the span."""
        if self.span is not None:
            self.span.end()
        self.trace, self.span = "", None


class Trusts(Protocol):
    """Tells whether a request came by a proxy of ours; asked only where its word would count."""

    def __call__(self) -> bool: ...


_HERE: Final[ContextVar[Trail | None]] = ContextVar("limen_trail", default=None)


class Traces:
    """The traces of this process."""

    __slots__ = ("_follows", "_limit", "_recorder", "on")

    def __init__(self) -> None:
        self.on = False
        """Whether anything is recorded at all."""
        self._recorder: Recorder | None = None
        self._limit = 0
        self._follows = False

    def start(self, recorder: Recorder, *, ratio: float, follows: bool) -> None:
        """Record this share of what comes in; `follows`: and what trusted proxies say is recorded, no more and no less."""
        self._recorder, self._limit, self._follows = recorder, round(ratio * _ALL), follows
        self.on = True

    def stop(self) -> None:
        """Send what is recorded, and record no more. It waits for the network: call it in a thread."""
        recorder, self._recorder, self.on = self._recorder, None, False
        if recorder is not None:
            recorder.close()

    # ------------------------------------------------------------------ what comes in

    def arrive(self, headers: Sequence[tuple[bytes, bytes]], trusted: Trusts) -> Token[Trail | None] | None:
        """Begin a request; `leave` takes what comes back. None where it is not recorded and belongs to nobody's trace.

        The trace's id is taken from anybody: it costs nothing, and joins our log to the app's. Whether to record is our word, drawn anew for
        each request, since that costs: else a stranger could have all of them recorded by a flag, or by ids that a share of ids lets in.
        """
        recorder = self._recorder
        if recorder is None:
            return None
        caller = called(headers)
        said = caller if caller is not None and self._follows and trusted() else None
        if said.sampled if said is not None else self._drawn():
            return _HERE.set(recorder.begin("request", "server", caller, {}))
        return _HERE.set(Trail(caller.trace, None)) if caller is not None else None

    def leave(self, token: Token[Trail | None]) -> None:
        """End a request."""
        trail = _HERE.get()
        _HERE.reset(token)
        if trail is not None:
            trail.end()

    def answered(self, method: str, route: str, status: int, tenant: str) -> None:
        """Say of the request under way what it was; `route` is a template, never an address."""
        span = self._here()
        if span is None:
            return
        span.update_name(f"{method} {route}")
        span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
        if tenant:
            span.set_attribute("limen.tenant", tenant)
        if status >= _FIRST_ERROR:
            self._fail(span, str(status))

    def root(self, name: str, kind: Kind, attributes: Attributes) -> AbstractContextManager[None]:
        """Record what begins by itself, such as a job, if its turn comes."""
        recorder = self._recorder
        return self.during(None if recorder is None or not self._drawn() else recorder.begin(name, kind, None, attributes))

    # ------------------------------------------------------------------ what happens inside

    @property
    def recording(self) -> bool:
        """Whether what the running task does is recorded."""
        return self._here() is not None

    @property
    def trace(self) -> str:
        """The id of the trace the running task belongs to, for the log; empty where there is none."""
        trail = _HERE.get()
        return trail.trace if trail is not None else ""

    def begin(self, name: str, kind: Kind, attributes: Attributes, *, since: int | None = None) -> Trail | None:
        """Begin a part of what the running task does, or None where that is not recorded. `since` is in nanoseconds of Unix time."""
        recorder, parent = self._recorder, _HERE.get()
        if recorder is None or parent is None or parent.span is None:
            return None
        return recorder.begin(name, kind, parent, attributes, since=since)

    def span(self, name: str, kind: Kind, attributes: Attributes) -> AbstractContextManager[None]:
        """Record a part of what the running task does, if that is recorded; what happens in the block is part of it."""
        return self.during(self.begin(name, kind, attributes))

    @contextmanager
    def during(self, trail: Trail | None) -> Iterator[None]:
        """Let what happens in the block be part of a span that was begun, and end it; nothing where none was."""
        if trail is None:
            yield
            return
        token = _HERE.set(trail)
        try:
            yield
        except BaseException as error:
            self.failed(type(error).__name__)
            raise
        finally:
            _HERE.reset(token)
            trail.end()

    def hashed(self, queued: int, taken: int) -> None:
        """Record a password hash that is done; both are in nanoseconds of Unix time."""
        trail = self.begin("password hash", "internal", {"limen.hash.queued_ms": (taken - queued) / 1e6}, since=queued)
        if trail is not None:
            trail.end()

    def note(self, attribute: str, value: str | float) -> None:
        """Say something of the span the running task is in."""
        span = self._here()
        if span is not None:
            span.set_attribute(attribute, value)

    def failed(self, kind: str) -> None:
        """Say that it failed, and how, by a code or a type's name: an exception's words may hold what somebody entered."""
        span = self._here()
        if span is not None:
            self._fail(span, kind)

    # ------------------------------------------------------------------ within

    def _here(self) -> Span | None:
        trail = _HERE.get()
        return trail.span if trail is not None else None

    def _drawn(self) -> bool:
        return int.from_bytes(secrets.octets(_DRAWN_OCTETS)) < self._limit

    def _fail(self, span: Span, kind: str) -> None:
        if self._recorder is not None:
            self._recorder.fail(span, kind)


def called(headers: Sequence[tuple[bytes, bytes]]) -> Caller | None:
    """Return what the `traceparent` field says; None where there is none, it is malformed, or there are several. `tracestate` is not read."""
    said = [value for name, value in headers if name == b"traceparent"]
    if len(said) != 1:
        return None
    found = _TRACEPARENT.fullmatch(said[0])
    return Caller(found) if found is not None and (found[5] is None or found[1] != b"00") else None


TRACES: Final = Traces()


class SdkMissing(errors.LimenError):
    """Tracing is configured, and what makes spans is not installed."""

    kind: ClassVar[errors.Kind] = errors.Kind.UNAVAILABLE
    code: ClassVar[str] = "sdk_missing"


def start_traces(settings: Traced) -> None:
    """Trace as `[traces]` says, if it says so at all. SdkMissing."""
    if not settings.address:
        return
    try:
        from importlib.metadata import version  # noqa: PLC0415 - 20 ms

        from limen.platform.telemetry.recording import Recorder, sender  # noqa: PLC0415 - the SDK is an extra, and costs a tenth of a second

        processor = sender(settings.address)
    except ModuleNotFoundError as missing:
        if not (missing.name or "").startswith("opentelemetry"):
            raise
        raise SdkMissing(
            operator="traces.endpoint is set, but the OpenTelemetry SDK is not installed: install the extra with `pip install 'limen[otel]'`, "
            "or take the line away"
        ) from None
    TRACES.start(Recorder(processor, settings.service, version("limen")), ratio=settings.ratio, follows=settings.follow_proxy)
