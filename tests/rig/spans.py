"""Traces kept in memory: what was recorded, span by span."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from limen.platform.telemetry import TRACES
from limen.platform.telemetry.recording import Recorder


@dataclass(frozen=True)
class Seen:
    """A span that ended."""

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    """Empty for one that began a trace."""
    failed: bool
    attributes: dict[str, object] = field(hash=False)


@dataclass
class Recorded:
    """What was recorded so far."""

    exporter: InMemorySpanExporter

    def take(self, name: str = "") -> list[Seen]:
        """Return the spans whose name begins so, in the order of their end, and forget all."""
        found = [_seen(span) for span in self.exporter.get_finished_spans()]
        self.exporter.clear()
        return [span for span in found if span.name.startswith(name)]

    def raw(self) -> str:
        """Return everything spans hold, as text."""
        return "\n".join(span.to_json() for span in self.exporter.get_finished_spans())


def _seen(span: ReadableSpan) -> Seen:
    context = span.get_span_context()
    assert context is not None
    parent = f"{span.parent.span_id:016x}" if span.parent is not None else ""
    failed = span.status.status_code is StatusCode.ERROR
    return Seen(span.name, span.kind.name.lower(), f"{context.trace_id:032x}", f"{context.span_id:016x}", parent, failed, dict(span.attributes or {}))


@contextmanager
def recorded(*, ratio: float = 1.0, follows: bool = False) -> Iterator[Recorded]:
    """Trace while the block runs."""
    exporter = InMemorySpanExporter()
    TRACES.start(Recorder(SimpleSpanProcessor(exporter), "limen", "test"), ratio=ratio, follows=follows)
    try:
        yield Recorded(exporter)
    finally:
        TRACES.stop()
