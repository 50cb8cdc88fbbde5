"""What of a stretch of the log concerns people: looked up in the log itself, so that nothing more is kept about them.

A lookup costs a read; so it is made only for who had many tokens within a minute, and for whose grant was shown from a network from which,
as far as this process remembers, it had not been shown a moment ago.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final

from limen.kernel.ids import AccountId, GrantId
from limen.modules.oauth import store
from limen.modules.oauth.facts import AnomalySeen, Introspected, TokenIssued, UserinfoRead
from limen.modules.oauth.settings import Tenant as Rules
from limen.modules.oauth.store.watch import Entry
from limen.modules.oauth.watch.model import HOUR, MEMORY, MINUTE, Anomaly, Finding
from limen.modules.oauth.watch.reading import Busy, Replay, Seen, Use
from limen.platform.sql import Reader

_CACHE: Final = "oauth.shown"
_REMEMBERED: Final = 50_000
_MOST_LOOKUPS: Final = 2_000
"""Of each sort in one stretch and tenant, those that look worst first."""
_MOST_FACTS: Final = 1_200
_BREATH: Final = 50
_PART: Final = 4
"""A minute that two stretches of the log share still has this part of its tokens in one."""
_ISSUED: Final = (TokenIssued.name, AnomalySeen.name)
_SHOWN: Final = (Introspected.name, UserinfoRead.name, AnomalySeen.name)


async def findings(reader: Reader, seen: Seen, rules: Rules) -> list[Finding]:
    """Return what is not as usual, each thing once: what the log has an anomaly of already is left out."""
    looked_up = [
        *[_burst(reader, account, minute, busy, rules) for (account, minute), busy in _many(seen, rules)],
        *[_many_networks(reader, grant, use, rules) for grant, use in _elsewhere(reader, seen, rules)],
        *[_reuse(reader, replay) for replay in seen.replays[:_MOST_LOOKUPS]],
    ]
    found: dict[tuple[Anomaly, AccountId | None, GrantId | None], Finding] = {}
    for number, look in enumerate(looked_up):
        if number % _BREATH == _BREATH - 1:
            await asyncio.sleep(0)
        one = await look
        if one is not None:
            found.setdefault((one.kind, one.account, one.grant), one)
    return list(found.values())


def _many(seen: Seen, rules: Rules) -> list[tuple[tuple[AccountId, int], Busy]]:
    """Return who had so many tokens within a minute that it may be too many for a minute or an hour."""
    floor = max(2, min(rules.watch_account_minute // _PART, rules.watch_account_hour * MINUTE // HOUR))
    many = [(key, busy) for key, busy in seen.accounts.items() if busy.count >= floor]
    return sorted(many, key=lambda item: item[1].count, reverse=True)[:_MOST_LOOKUPS]


async def _burst(reader: Reader, account: AccountId, minute: int, busy: Busy, rules: Rules) -> Finding | None:
    hour = minute * MINUTE // HOUR * HOUR
    entries = await store.watch.about(reader, account, _instant(hour), _ISSUED, _MOST_FACTS)
    if _told(entries, Anomaly.BURST):
        return None
    times = [int(one.at.timestamp()) for one in entries if one.name == TokenIssued.name]
    counts = (
        (sum(at // MINUTE == minute for at in times), rules.watch_account_minute, MINUTE),
        (sum(at < hour + HOUR for at in times), rules.watch_account_hour, HOUR),
    )
    for count, limit, window in counts:
        if count > limit:
            return Finding(kind=Anomaly.BURST, client=busy.client, account=account, observed=count, expected=limit, window=window)
    return None


def _elsewhere(reader: Reader, seen: Seen, rules: Rules) -> list[tuple[GrantId, Use]]:
    """Return the grants shown from a network that this process does not remember, those with the most networks first."""
    kept, within = reader.tx.db.caches.kept(_CACHE), rules.watch_networks_within.total_seconds()
    if len(kept) > _REMEMBERED:
        kept.clear()
    found = []
    for grant, use in seen.uses.items():
        places: dict[str, int] = kept.setdefault((reader.tenant, grant), {})
        new = any(use.at - places.get(label, 0) > within for label in use.networks)
        for label in [label for label, at in places.items() if use.at - at > within]:
            del places[label]
        places.update(dict.fromkeys(use.networks, use.at))
        if new:
            found.append((len(places), grant, use))
    found.sort(key=lambda item: item[0], reverse=True)
    return [(grant, use) for _, grant, use in found[:_MOST_LOOKUPS]]


async def _many_networks(reader: Reader, grant: GrantId, use: Use, rules: Rules) -> Finding | None:
    within = int(rules.watch_networks_within.total_seconds())
    entries = [one for one in await store.watch.about(reader, use.account, _instant(use.at - HOUR), _SHOWN, _MOST_FACTS) if one.data.get("grant") == grant]
    labels = {one.data.get("network") for one in entries if one.at.timestamp() >= use.at - within} - {None, ""}
    if len(labels) <= rules.watch_networks or _told(entries, Anomaly.MANY_NETWORKS):
        return None
    return Finding(
        kind=Anomaly.MANY_NETWORKS,
        client=use.client,
        account=use.account,
        grant=grant,
        observed=len(labels),
        expected=rules.watch_networks,
        window=within,
    )


async def _reuse(reader: Reader, replay: Replay) -> Finding | None:
    found = await store.watch.about(reader, replay.account, _instant(replay.at - MEMORY), _ISSUED, _MOST_FACTS)
    entries = [one for one in found if one.data.get("grant") == replay.grant]
    if _told(entries, Anomaly.REFRESH_REUSE):
        return None
    usual = {one.data.get("network") for one in entries if one.name == TokenIssued.name} - {None, ""}
    where = "unknown_network" if not usual or not replay.network else "same_network" if replay.network in usual else "other_network"
    return Finding(
        kind=Anomaly.REFRESH_REUSE,
        client=replay.client,
        account=replay.account,
        grant=replay.grant,
        observed=1,
        expected=0,
        window=MEMORY,
        detail=where,
    )


def _told(entries: list[Entry], kind: Anomaly) -> bool:
    return any(one.name == AnomalySeen.name and one.data.get("kind") == kind.value for one in entries)


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
