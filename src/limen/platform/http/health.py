"""`/health/live`: the process answers. `/health/ready`: what it needs answers too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from limen.platform.http.answers import Json
from limen.platform.http.endpoint import PUBLIC, Endpoint
from limen.platform.telemetry import Repeats

if TYPE_CHECKING:
    from limen.platform.http.call import Call

_PATIENCE: Final = 2.0
_log = structlog.stdlib.get_logger(__name__)

Check = Callable[[], Awaitable[None]]
"""Raises where something needed is not there."""


class Health(msgspec.Struct, frozen=True):
    """`ok`, or `unavailable` with the names of the checks that failed; the reasons are in the log."""

    status: str
    failing: tuple[str, ...] = ()


def health_endpoints(checks: Mapping[str, Check]) -> tuple[Endpoint, ...]:
    """Return both endpoints; they answer under every Host."""

    async def live(_call: Call) -> Json:
        return Json(Health("ok"))

    trouble = Repeats(_log.warning, "health.not_ready")

    async def ready(_call: Call) -> Json:
        failing = [name for name, check in checks.items() if not await _passes(name, check, trouble)]
        return Json(Health("unavailable", tuple(failing)), 503, (("retry-after", "1"),)) if failing else Json(Health("ok"))

    return (
        Endpoint(method="GET", path="/health/live", who=PUBLIC, call=live, gives=Health, summary="The process answers.", hot=True),
        Endpoint(method="GET", path="/health/ready", who=PUBLIC, call=ready, gives=Health, summary="Database and keyring answer.", hot=True),
    )


async def _passes(name: str, check: Check, told: Repeats) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE):
            await check()
    except Exception as trouble:  # noqa: BLE001 - whatever it is, it is not ready
        told.say((name, type(trouble).__name__), check=name, reason=getattr(trouble, "operator", "") or repr(trouble))
        return False
    return True
