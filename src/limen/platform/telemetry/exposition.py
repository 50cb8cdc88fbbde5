"""The figures in Prometheus' text format, and the listeners that hand them out."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Final, TypeAlias

import msgspec
import structlog

from limen.kernel.errors import Kind, LimenError
from limen.platform.telemetry.meter import BOUNDS, Meter, Snapshot, summed

_log = structlog.stdlib.get_logger(__name__)

_PATIENCE: Final = 5.0
_LONGEST: Final = 8_192

Source: TypeAlias = Callable[[], Awaitable[Snapshot]]
"""Where a snapshot comes from: this process, or a worker."""


class _Collector:
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[object]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily  # noqa: PLC0415 - only who scrapes pays

        requests = CounterMetricFamily("limen_http_requests", "Requests answered, by endpoint and status.", labels=("method", "route", "status"))
        duration = HistogramMetricFamily("limen_http_request_duration_seconds", "Time from the request's head to the answer's end.", labels=("method", "route"))
        for one in self._snapshot.traffic:
            for status, count in sorted(one.statuses.items()):
                requests.add_metric((one.method, one.route, str(status)), count)
            duration.add_metric((one.method, one.route), buckets=_cumulated(one.buckets), sum_value=one.seconds)
        yield requests
        yield duration
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for figure in self._snapshot.figures:
            kind = CounterMetricFamily if figure.grows else GaugeMetricFamily
            family = families.get(figure.name)
            if family is None:
                family = families[figure.name] = kind(f"limen_{figure.name}", figure.help, labels=("kind",) if figure.kind else ())
            family.add_metric((figure.kind,) if figure.kind else (), figure.value)
        yield from families.values()


def _cumulated(buckets: Iterable[int]) -> list[tuple[str, float]]:
    total, found = 0, []
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), buckets, strict=True):
        total += count
        found.append((bound, float(total)))
    return found


def exposition(snapshot: Snapshot) -> bytes:
    """Return the text Prometheus reads."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - only who scrapes pays

    registry = CollectorRegistry()
    registry.register(_Collector(snapshot))  # type: ignore[arg-type] # structurally a Collector
    return generate_latest(registry)


class NoPlaceForFigures(LimenError):
    """Another program listens at `[metrics] listen`."""

    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    code: ClassVar[str] = "metrics_address_taken"

    def __init__(self, error: OSError) -> None:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror  # a name that is not known has a number of its own
        super().__init__(operator=f"metrics.listen: cannot listen there: {reason}. Choose another address, or end what listens there")


@contextlib.asynccontextmanager
async def listener(address: tuple[str, int], sources: Sequence[Source]) -> AsyncIterator[int]:
    """Serve `/metrics` with the sum of all sources while the block runs, and give the port it listens on. NoPlaceForFigures."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        status, body = await _respond(reader, sources)
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        await _finish(writer, head.encode() + body)

    try:
        server = await asyncio.start_server(answer, *address, limit=_LONGEST)
    except OSError as error:
        raise NoPlaceForFigures(error) from None
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def _respond(reader: asyncio.StreamReader, sources: Sequence[Source]) -> tuple[str, bytes]:
    try:
        async with asyncio.timeout(_PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1] if head.startswith(b"GET ") else b""
            if path != b"/metrics":
                return "404 Not Found", b"Only /metrics is here.\n"
            found = await asyncio.gather(*(source() for source in sources), return_exceptions=True)
    except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, IndexError):
        return "400 Bad Request", b""
    for trouble in (one for one in found if isinstance(one, BaseException)):
        _log.warning("metrics.source_silent", reason=repr(trouble))
    return "200 OK", exposition(summed(one for one in found if isinstance(one, Snapshot)))


async def _finish(writer: asyncio.StreamWriter, content: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        writer.write(content)
        await writer.drain()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


@contextlib.asynccontextmanager
async def shared(meter: Meter, path: Path) -> AsyncIterator[None]:
    """Let the parent process read this worker's figures through a Unix socket, while the block runs."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _finish(writer, msgspec.msgpack.encode(await meter.snapshot()))

    server = await asyncio.start_unix_server(answer, path)
    async with server:
        yield


def worker(path: Path) -> Source:
    """Return the source that asks a worker behind `shared`."""

    async def ask() -> Snapshot:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                return msgspec.msgpack.decode(await reader.read(-1), type=Snapshot)
            finally:
                writer.close()

    return ask
