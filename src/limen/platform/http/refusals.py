"""Refusals before anybody is identified, counted: one fact per source, reason and ten seconds, so that rubbish buys no durable writes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

import structlog

from limen.kernel.errors import LimenError
from limen.kernel.facts import SYSTEM, Fact
from limen.kernel.ids import TenantId
from limen.platform.http.pace import Pace
from limen.platform.telemetry import Repeats

if TYPE_CHECKING:
    from limen.platform.http.call import Call
    from limen.platform.sql import Database, Reader

WINDOW: Final = 10.0
"""Seconds over which like refusals become one fact."""

_MOST_GROUPS: Final = 2_000
_OTHERS: Final = ""

_log = structlog.stdlib.get_logger(__name__)

SourceLabel: TypeAlias = "Callable[[Reader, str], Awaitable[bytes]]"
"""Makes the keyed hash under which an address stands in the log, as everywhere else (`keys.blind`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalsCounted(Fact):
    """So many requests of one source were refused for one reason within ten seconds; `source` is empty for the sum of very many."""

    name: ClassVar[str] = "http.refusals_counted"
    source: str
    reason: str
    path: str
    count: int


@dataclass(slots=True)
class _Group:
    path: str
    count: int = 0


class Refusals:
    """Collects refusals and writes their counts."""

    __slots__ = ("_db", "_failures", "_groups", "_label", "_pace", "_task")

    def __init__(self, db: Database, pace: Pace, label: SourceLabel) -> None:
        self._db = db
        self._pace = pace
        self._label = label
        self._groups: dict[tuple[TenantId, str, str], _Group] = {}
        self._task: asyncio.Task[None] | None = None
        self._failures = Repeats(_log.warning, "refusals.not_written")

    async def note(self, call: Call, reason: str) -> None:
        """Count one refusal and take a token of its source. `reason` is a code such as `invalid_client`. Nothing is waited for."""
        tenant, address = call.site.tenant, call.origin.address
        self._pace.spend((tenant, address))
        key = (tenant, address, reason)
        if key not in self._groups and len(self._groups) >= _MOST_GROUPS:
            key = (tenant, _OTHERS, reason)
        self._groups.setdefault(key, _Group(call.endpoint.path)).count += 1
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._later())

    async def _later(self) -> None:
        while self._groups:
            await asyncio.sleep(WINDOW)
            await self.flush()

    async def flush(self) -> None:
        """Write what was counted; what cannot be written now is counted on."""
        groups, self._groups = self._groups, {}
        for tenant in {tenant for tenant, _, _ in groups}:
            mine = {(address, reason): group for (owner, address, reason), group in groups.items() if owner == tenant}
            try:
                await self._write(tenant, mine)
            except LimenError as trouble:
                self._failures.say((trouble.code, trouble.operator), tenant=tenant, reason=trouble.operator or trouble.code)
                for (address, reason), group in mine.items():
                    self._groups.setdefault((tenant, address, reason), _Group(group.path)).count += group.count

    async def _write(self, tenant: TenantId, groups: dict[tuple[str, str], _Group]) -> None:
        async with self._db.read(tenant) as reader:
            labels = {address: (await self._label(reader, address)).hex() if address else "" for address, _ in groups}
        async with self._db.work(tenant, SYSTEM) as work:
            for (address, reason), group in groups.items():
                work.record(RefusalsCounted(source=labels[address], reason=reason, path=group.path, count=group.count))

    async def close(self) -> None:
        """Stop waiting and write what is left; at shutdown."""
        if self._task is not None:
            self._task.cancel()
        await self.flush()
