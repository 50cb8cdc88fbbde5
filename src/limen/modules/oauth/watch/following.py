"""Taking in the log, stretch by stretch. A stretch is settled before it is read, and each row says up to where it has taken the log in.

So a stretch that was left half done by a process that died is done again by the next, whichever it is, and nothing counts twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from weakref import WeakKeyDictionary

import structlog

from limen.kernel.errors import Kind, LimenError
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import SERVER, ClientId, TenantId
from limen.modules import clients, tenants
from limen.modules.oauth import store
from limen.modules.oauth.facts import AnomalySeen
from limen.modules.oauth.settings import Tenant as Rules
from limen.modules.oauth.store.watch import Standing, Stretch
from limen.modules.oauth.watch import persons, reading
from limen.modules.oauth.watch.model import ADVICE, DAY, HOUR, MEMORY, MINUTE, Anomaly, Finding, Profile
from limen.modules.oauth.watch.reading import Seen
from limen.platform.sql import Database, Reader, Work, facts_after

MOST_HOURLY: Final = 100
"""Anomalies told of a tenant within an hour; the log of the server says how many more there were."""

_STRETCH: Final = 200_000
_FACTS_AT_ONCE: Final = 200
_CLIENTS_AT_ONCE: Final = 50
_DROPPED_AT_ONCE: Final = 200
_COUNTS: Final[WeakKeyDictionary[Database, Counter[str]]] = WeakKeyDictionary()
_log = structlog.stdlib.get_logger(__name__)


def anomalies(db: Database) -> Counter[str]:
    """Return how many anomalies this process has told of, by kind."""
    counts = _COUNTS.get(db)
    if counts is None:
        counts = _COUNTS[db] = Counter({one.value: 0 for one in Anomaly})  # a figure that is 0 can be seen to grow
    return counts


async def keep_watch(db: Database) -> bool:
    """Take in the next stretch of the log; return whether there was one."""
    async with db.work(SERVER, SYSTEM) as work:
        stretch = await store.watch.begin(work, _STRETCH)
    if stretch.until == stretch.position:
        return False
    for tenant, seen in (await _read(db, stretch)).items():
        try:
            await _take_in(db, tenant, seen, stretch.until)
        except LimenError as trouble:
            if trouble.kind is Kind.UNAVAILABLE:
                raise
            _log.warning("watch.tenant_left_out", tenant=tenant, error=trouble.code, reason=trouble.operator)
    async with db.work(SERVER, SYSTEM) as work:
        await store.watch.end(work, stretch.until)
    return True


async def _read(db: Database, stretch: Stretch) -> reading.Stretch:
    seen: reading.Stretch = {}
    position = stretch.position
    while position < stretch.until:
        async with db.read(SERVER) as reader:
            facts = await facts_after(reader, position, min(_FACTS_AT_ONCE, stretch.until - position))
        if not facts:
            break
        reading.read(seen, [fact for fact in facts if fact.pos <= stretch.until])
        position = facts[-1].pos
        await asyncio.sleep(0)  # on SQLite a read gives the loop no turn
    return seen


async def _take_in(db: Database, tenant: TenantId, seen: Seen, until: int) -> None:
    async with db.read(tenant) as reader:
        rules = await tenants.settings(reader, Rules.section, Rules)
        if not rules.watch:
            return
        for name, one in seen.clients.items():
            if one.networks and await _is_public(reader, name):
                one.networks.clear()  # it is wherever people are
        personal = await persons.findings(reader, seen, rules)
    names = sorted(seen.clients)
    for start in range(0, len(names), _CLIENTS_AT_ONCE):
        await _learn(db, tenant, seen, names[start : start + _CLIENTS_AT_ONCE], (rules, until))
    await _conclude(db, tenant, seen, personal, until)


async def _is_public(reader: Reader, name: ClientId) -> bool:
    client = await clients.find(reader, name)
    return client is None or client.public


async def _learn(db: Database, tenant: TenantId, seen: Seen, names: Sequence[ClientId], how: tuple[Rules, int]) -> None:
    """Take in what some clients did."""
    rules, until = how
    async with db.work(tenant, SYSTEM) as work:
        standing = await store.watch.hold(work)
        known = await store.watch.known(work, names)
        found: list[Finding] = []
        for name in names:
            row, one = known.get(name), seen.clients[name]
            if row is not None and row.position >= until:
                continue
            first = min(one.minutes) * MINUTE
            profile = row.profile if row is not None else Profile(since=first, placed=first)
            found += profile.learn(name, one, rules, relearn=max(standing.relearn, seen.relearn))
            await store.watch.learnt(work, name, until, profile)
        standing, told = _recorded(work, standing, found)
        await store.watch.keep(work, standing)
    _tell(db, tenant, told, len(found))


async def _conclude(db: Database, tenant: TenantId, seen: Seen, found: list[Finding], until: int) -> None:
    """Record what concerns people, and forget clients that have been silent for a month."""
    async with db.work(tenant, SYSTEM) as work:
        standing = await store.watch.hold(work)
        if standing.position >= until:
            return
        await store.watch.drop_old(work, work.now - timedelta(seconds=MEMORY + DAY), _DROPPED_AT_ONCE)
        standing, told = _recorded(work, standing, found)
        await store.watch.keep(work, replace(standing, position=until, relearn=max(standing.relearn, seen.relearn)))
    _tell(db, tenant, told, len(found))


def _recorded(work: Work, standing: Standing, found: Sequence[Finding]) -> tuple[Standing, Sequence[Finding]]:
    """Record findings, so many an hour; return those recorded, and how the tenant stands after it."""
    hour = int(work.now.timestamp()) // HOUR
    before = standing.raised if standing.hour == hour else 0
    told = found[: max(0, MOST_HOURLY - before)]
    for one in told:
        work.record(
            AnomalySeen(
                subject=one.account,
                kind=one.kind.value,
                client=one.client,
                grant=one.grant,
                observed=one.observed,
                expected=one.expected,
                window=one.window,
                detail=one.detail,
            )
        )
    return replace(standing, hour=hour, raised=before + len(told)), told


def _tell(db: Database, tenant: TenantId, told: Sequence[Finding], found: int) -> None:
    """Write a line for each anomaly, with what to do, and of no person; they are durable."""
    for one in told:
        anomalies(db)[one.kind.value] += 1
        words = {"observed": one.observed, "expected": one.expected, "window": one.window, "detail": one.detail}
        _log.warning("watch.anomaly_seen", tenant=tenant, kind=one.kind.value, client=one.client, **words, advice=ADVICE[one.kind])
    if found > len(told):
        _log.warning("watch.anomalies_untold", tenant=tenant, count=found - len(told), hourly=MOST_HOURLY)
