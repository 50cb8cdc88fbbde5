"""What makes spans and sends them: OpenTelemetry's SDK, which the extra `otel` brings. Imported by who is told to trace, and nobody else."""

from __future__ import annotations

from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags, set_span_in_context

from limen.platform.telemetry.traces import Attributes, Caller, Kind, Trail

_KINDS: Final = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "internal": SpanKind.INTERNAL, "consumer": SpanKind.CONSUMER}
_MOST_ATTRIBUTES: Final = 32
_PATIENCE: Final = 5.0


class Recorder:
    """A provider of its own, not the process's global one: libraries that trace by themselves would put addresses and statements into spans."""

    def __init__(self, processor: SpanProcessor, service: str, version: str) -> None:
        resource = Resource.create({"service.name": service, "service.version": version})
        self._provider = TracerProvider(
            sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False, span_limits=SpanLimits(max_span_attributes=_MOST_ATTRIBUTES)
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("limen", version)

    def begin(self, name: str, kind: Kind, parent: Trail | Caller | None, attributes: Attributes, *, since: int | None = None) -> Trail:
        """Begin a span."""
        above = _above(parent)
        context = set_span_in_context(above) if above is not None else _NOWHERE
        span = self._tracer.start_span(name, context, _KINDS[kind], attributes, start_time=since)
        return Trail(f"{span.get_span_context().trace_id:032x}", span)

    def fail(self, span: Span, kind: str) -> None:
        """Say that what a span is of failed."""
        span.set_attribute("error.type", kind)
        span.set_status(StatusCode.ERROR)

    def close(self) -> None:
        """Send what waits, and end."""
        self._provider.shutdown()


_NOWHERE: Final = set_span_in_context(NonRecordingSpan(SpanContext(0, 0, is_remote=False)))
"""Above a span that begins a trace."""


def _above(parent: Trail | Caller | None) -> Span | None:
    if isinstance(parent, Caller):
        flags = TraceFlags(TraceFlags.SAMPLED)
        return NonRecordingSpan(SpanContext(int(parent.trace, 16), int(parent.span, 16), is_remote=True, trace_flags=flags))
    return parent.span if parent is not None else None


def sender(address: str) -> SpanProcessor:
    """Return what posts spans to a collector (OTLP over HTTP) every few seconds, from a thread; what it does not take in time is lost, and nothing waits."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - the tests of spans need no client of HTTP

    return BatchSpanProcessor(OTLPSpanExporter(endpoint=address, timeout=_PATIENCE))
