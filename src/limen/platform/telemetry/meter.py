"""Figures of this process: plain integers on the hot path, put into Prometheus' form when somebody looks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

import msgspec
import structlog

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the duration buckets, in seconds."""

_log = structlog.stdlib.get_logger(__name__)

Probe = Callable[[], float | Awaitable[float]]
"""Reads a gauge when somebody looks."""
Kinds = Callable[[], Mapping[str, int]]
"""Reads how many there have been of each kind, likewise."""


class Traffic:
    """The requests of one endpoint."""

    __slots__ = ("buckets", "method", "route", "seconds", "statuses")

    def __init__(self, method: str, route: str) -> None:
        self.method = method
        self.route = route
        self.statuses: dict[int, int] = {}
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def seen(self, status: int, seconds: float) -> None:
        """Count one answered request."""
        statuses = self.statuses
        statuses[status] = statuses.get(status, 0) + 1
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


class Count:
    """A number that only grows."""

    __slots__ = ("help", "name", "value")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.help = text
        self.value = 0

    def add(self, by: int = 1) -> None:
        """Count."""
        self.value += by


class Figure(msgspec.Struct, frozen=True):
    """One number. `sums` says whether those of several processes are added; else the largest counts (a lag). `kind` is which of several of this name."""

    name: str
    help: str
    value: float
    grows: bool
    sums: bool = True
    kind: str = ""


class TrafficFigures(msgspec.Struct, frozen=True):
    """The requests of one endpoint so far."""

    method: str
    route: str
    statuses: dict[int, int]
    buckets: list[int]
    seconds: float


class Snapshot(msgspec.Struct, frozen=True):
    """All figures of one process at one moment; it travels between processes."""

    traffic: list[TrafficFigures]
    figures: list[Figure]


class Meter:
    """Collects what the parts of one process count."""

    def __init__(self) -> None:
        self._traffic: dict[tuple[str, str], Traffic] = {}
        self._counts: dict[str, Count] = {}
        self._gauges: dict[str, tuple[str, Probe, bool]] = {}
        self._kinds: dict[str, tuple[str, Kinds]] = {}

    def traffic(self, method: str, route: str) -> Traffic:
        """Return where the requests of an endpoint are counted; `route` is a template, never an address."""
        return self._traffic.setdefault((method, route), Traffic(method, route))

    def count(self, name: str, text: str) -> Count:
        """Return a counter; `name` without the prefix `limen_` and the suffix `_total`."""
        return self._counts.setdefault(name, Count(name, text))

    def gauge(self, name: str, text: str, probe: Probe, *, sums: bool = True) -> None:
        """Have a figure read by `probe` when somebody looks: facts lag in positions, outbox depth, hashes waiting."""
        self._gauges[name] = (text, probe, sums)

    def kinds(self, name: str, text: str, read: Kinds) -> None:
        """Have counters of one name, by the label `kind`, read when somebody looks; `name` as in `count`."""
        self._kinds[name] = (text, read)

    async def snapshot(self) -> Snapshot:
        """Return all figures now. A gauge that cannot be read is left out, and the log says so."""
        figures = [Figure(one.name, one.help, one.value, grows=True) for one in self._counts.values()]
        for name, (text, read) in self._kinds.items():
            figures += [Figure(name, text, value, grows=True, kind=kind) for kind, value in read().items()]
        for name, (text, probe, sums) in self._gauges.items():
            try:
                value = probe()
                figures.append(Figure(name, text, float(value if isinstance(value, (int, float)) else await value), grows=False, sums=sums))
            except Exception as trouble:  # noqa: BLE001 - the other figures are wanted most when something is broken
                _log.warning("metrics.gauge_unreadable", gauge=name, reason=repr(trouble))
        traffic = [TrafficFigures(one.method, one.route, dict(one.statuses), list(one.buckets), one.seconds) for one in self._traffic.values() if one.statuses]
        return Snapshot(traffic, figures)


def summed(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Return the figures of several processes as those of one."""
    traffic: dict[tuple[str, str], TrafficFigures] = {}
    figures: dict[tuple[str, str], Figure] = {}
    for snapshot in snapshots:
        for one in snapshot.traffic:
            known = traffic.get((one.method, one.route))
            traffic[one.method, one.route] = one if known is None else _both(known, one)
        for figure in snapshot.figures:
            other = figures.get((figure.name, figure.kind))
            if other is not None:
                value = other.value + figure.value if figure.sums else max(other.value, figure.value)
                figure = msgspec.structs.replace(figure, value=value)  # noqa: PLW2901 - the same figure of both
            figures[figure.name, figure.kind] = figure
    return Snapshot(list(traffic.values()), list(figures.values()))


def _both(one: TrafficFigures, other: TrafficFigures) -> TrafficFigures:
    statuses = {status: one.statuses.get(status, 0) + other.statuses.get(status, 0) for status in one.statuses.keys() | other.statuses.keys()}
    buckets = [left + right for left, right in zip(one.buckets, other.buckets, strict=True)]
    return TrafficFigures(one.method, one.route, statuses, buckets, one.seconds + other.seconds)
