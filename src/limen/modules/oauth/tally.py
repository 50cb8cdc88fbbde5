"""Facts that come in crowds, counted: one per kind and minute goes into the log, so that asking often buys no durable writes.

What is counted decides nothing: that a token was looked at, that a request was sent back. At most a minute of it is lost with the process;
while the database is away it is counted on.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, get_args
from weakref import WeakKeyDictionary

import structlog

from limen.kernel.errors import LimenError
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import TenantId
from limen.modules.clients import Client
from limen.modules.oauth.facts import AuthorizationRefused, DeviceAuthorizationRequested, Introspected, RequestPushed, UserCodeRefused, UserinfoRead
from limen.platform.sql import Database, Work
from limen.platform.telemetry import Repeats

WINDOW: Final = 60.0
"""Seconds over which like facts become one."""

_MOST: Final = 10_000
_log = structlog.stdlib.get_logger(__name__)

Begun = DeviceAuthorizationRequested | RequestPushed
Countable = AuthorizationRefused | Begun | Introspected | UserCodeRefused | UserinfoRead


def _likeness(kind: type[Countable]) -> Callable[[Countable], object]:
    """Return what reads off a fact all that its like have in common."""
    return attrgetter(*(one.name for one in dataclasses.fields(kind) if one.name not in {"count", "active"}))


_LIKENESS: Final = {kind: _likeness(kind) for kind in get_args(Countable)}


@dataclass(slots=True)
class _Group:
    """Like facts, counted: the first of them stands for all."""

    first: Countable
    count: int = 0
    active: int = 0

    def add(self, fact: Countable) -> None:
        self.count += fact.count
        if isinstance(fact, Introspected):
            self.active += fact.active

    def told(self) -> Countable:
        """Return the one fact that they become."""
        if isinstance(self.first, Introspected):
            return dataclasses.replace(self.first, count=self.count, active=self.active)
        return dataclasses.replace(self.first, count=self.count)


@dataclass(slots=True)
class _Tally:
    """What one database's process has counted since it last wrote."""

    groups: dict[tuple[TenantId, type[Countable], object], _Group] = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None
    writing: set[asyncio.Task[None]] = field(default_factory=set)
    failures: Repeats = field(default_factory=lambda: Repeats(_log.warning, "tally.not_written"))


_TALLIES: Final[WeakKeyDictionary[Database, _Tally]] = WeakKeyDictionary()


def count(db: Database, tenant: TenantId, fact: Countable) -> None:
    """Add a fact to its like. Costs a look into a dict; nothing is waited for."""
    tally = _TALLIES.get(db)
    if tally is None:
        tally = _TALLIES[db] = _Tally()
    kind = type(fact)
    key = (tenant, kind, _LIKENESS[kind](fact))
    group = tally.groups.get(key)
    if group is None:
        group = tally.groups[key] = _Group(fact)
        if tally.timer is None or len(tally.groups) == _MOST:
            _set(db, tally)
    group.add(fact)


def begun(work: Work, client: Client, fact: Begun) -> None:
    """Record what a client that proved itself began; of a public one, whose name is known to everybody, it is counted."""
    if client.public:
        count(work.tx.db, work.tenant, fact)
    else:
        work.record(fact)


def _set(db: Database, tally: _Tally) -> None:
    """Have it written within a minute; at once where it takes up much memory."""
    if tally.timer is not None:
        tally.timer.cancel()
    delay = WINDOW if len(tally.groups) < _MOST else 0.0
    tally.timer = asyncio.get_running_loop().call_later(delay, _due, db, tally)


def _due(db: Database, tally: _Tally) -> None:
    tally.timer = None
    task = asyncio.get_running_loop().create_task(flush(db))
    tally.writing.add(task)
    task.add_done_callback(tally.writing.discard)


async def flush(db: Database) -> None:
    """Write what was counted, now; also at shutdown."""
    tally = _TALLIES.get(db)
    if tally is None:
        return
    if tally.timer is not None:
        tally.timer.cancel()
        tally.timer = None
    groups, tally.groups = tally.groups, {}
    for tenant in {tenant for tenant, _, _ in groups}:
        facts = [group.told() for (owner, _, _), group in groups.items() if owner == tenant]
        try:
            async with db.work(tenant, SYSTEM) as work:
                for fact in facts:
                    work.record(fact)
        except LimenError as trouble:
            tally.failures.say((trouble.code, trouble.operator), tenant=tenant, facts=len(facts), reason=trouble.operator or trouble.code)
            if len(tally.groups) + len(facts) < _MOST:
                for fact in facts:
                    count(db, tenant, fact)  # with the next ones
