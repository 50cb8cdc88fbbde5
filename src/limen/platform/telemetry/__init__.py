"""Logs, figures and traces of a process. Owns what may be written down: no secret, no personal data, no raw address. Knows no subject of the domain."""

from __future__ import annotations

from limen.platform.telemetry.exposition import NoPlaceForFigures, Source, exposition, listener, shared, worker
from limen.platform.telemetry.logs import set_up
from limen.platform.telemetry.meter import Count, Figure, Meter, Snapshot, Traffic, summed
from limen.platform.telemetry.redaction import HIDDEN, clean, redact
from limen.platform.telemetry.repeats import Repeats
from limen.platform.telemetry.requests import RequestLog
from limen.platform.telemetry.settings import Log, Server, Traced
from limen.platform.telemetry.traces import TRACES, Attributes, SdkMissing, Trail, start_traces

__all__ = [
    "HIDDEN",
    "TRACES",
    "Attributes",
    "Count",
    "Figure",
    "Log",
    "Meter",
    "NoPlaceForFigures",
    "Repeats",
    "RequestLog",
    "SdkMissing",
    "Server",
    "Snapshot",
    "Source",
    "Traced",
    "Traffic",
    "Trail",
    "clean",
    "exposition",
    "listener",
    "redact",
    "set_up",
    "shared",
    "start_traces",
    "summed",
    "worker",
]
