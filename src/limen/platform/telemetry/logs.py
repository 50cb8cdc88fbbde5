"""Log set-up: structlog and the standard library's loggers in one stream, JSON in production, readable in dev mode, redacted always."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Final, TextIO

import msgspec
import structlog

from limen.platform.telemetry.redaction import redact
from limen.platform.telemetry.settings import Log
from limen.platform.telemetry.traces import TRACES

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from structlog.typing import Processor

_QUIET: Final = {
    "uvicorn.access": logging.ERROR,
    "uvicorn.error": logging.WARNING,  # that it started and ended is told by ourselves, with the address
    "asyncio": logging.WARNING,
    "httpcore2": logging.WARNING,
    "httpx2": logging.WARNING,
    "alembic": logging.WARNING,
    "opentelemetry": logging.ERROR,  # a collector that is away is told of once a batch
}
"""Libraries that tell more than anyone asked for; access lines are written by the edge, with the route instead of the address."""
_CHAIN: Final[list[Processor]] = []
"""What every line goes through: one list, since loggers keep the one they met first."""


def _json(event: object, *, default: Callable[[Any], Any]) -> str:
    return msgspec.json.encode(event, enc_hook=default).decode()


def _plainly(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # structlog's own signature
    """Drop what uvicorn adds for coloured terminals: the same sentence once more."""
    event.pop("color_message", None)
    return event


def _traced(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # structlog's own signature
    """Add the trace the line belongs to, if there is one."""
    if TRACES.on and (trace := TRACES.trace):
        event["trace_id"] = trace
    return event


def is_json(settings: Log, *, dev: bool) -> bool:
    """Whether lines are JSON."""
    return settings.format == "json" or (settings.format == "auto" and not dev)


def set_up(settings: Log, *, dev: bool, stream: TextIO | None = None) -> None:
    """Route every logger of the process to `stream` (standard error). Call it once, before anything else logs; again replaces it."""
    out = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _traced,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _plainly,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
    ]
    _CHAIN[:] = [
        structlog.stdlib.filter_by_level,
        *shared,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ]
    structlog.configure(
        processors=_CHAIN,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=stream is None,
    )
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.format_exc_info, redact]
    if is_json(settings, dev=dev):
        last.append(structlog.processors.JSONRenderer(serializer=_json))
    else:
        last.append(structlog.dev.ConsoleRenderer(colors=out.isatty(), timestamp_key="time", exception_formatter=structlog.dev.plain_traceback))
    handler = logging.StreamHandler(out)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=last, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate, logger.disabled = True, False
        logger.setLevel(logging.NOTSET)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)
