"""Searching the log page by page, and following it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from limen.kernel.facts import ActorKind
from limen.kernel.ids import SERVER, TenantId
from limen.modules.audit import store
from limen.modules.audit.errors import BadSearch
from limen.modules.audit.model import MOST, Key, Page, Position, Search
from limen.platform.sql import Database, Reader, StoredFact, facts_after, facts_lag, last_position

_AT_ONCE: Final = 250
_SCANNED: Final = 5_000
"""Keys looked at for one page at most, where an index cannot answer all of the question: a page then comes short, and leads on."""
_OPERATOR: Final = f"{ActorKind.OPERATOR.value}:"
_LOOK_SECONDS: Final = 0.5
_PATIENCE: Final = 25
_STEP_BACK: Final = 500
_LOOKED_BACK: Final = 20_000

Fetch = Callable[[Position, int], Awaitable[list[Key]]]
"""Returns up to so many keys behind a position, newest first."""


async def search(reader: Reader, wanted: Search, after: Position | None = None, limit: int = 50) -> Page:
    """Return a page of the tenant's facts, newest first. BadSearch where `limit` is not from 1 to `MOST`.

    By subject, by kind and by what an operator did it is one walk along an index; what is asked beyond that is filtered on the way.
    """
    if not 1 <= limit <= MOST:
        raise BadSearch(f"limit: from 1 to {MOST}.")
    start = Position(wanted.until, 0)  # `until` is excluded and no fact has number 0: all that is behind is older
    found, end = await _gathered(await _source(reader, wanted), wanted, min(after, start) if after else start, limit)
    return Page(tuple(await store.entries(reader, found)), end)


async def _source(reader: Reader, wanted: Search) -> Fetch:
    if wanted.subject is not None:
        subject = wanted.subject
        return lambda after, limit: store.by_subject(reader, subject, after, wanted.since, limit)
    if wanted.actor.startswith(_OPERATOR):
        return lambda after, limit: store.by_operator(reader, wanted.actor, after, wanted.since, limit)
    if not wanted.kind:
        return lambda after, limit: store.by_time(reader, after, wanted.since, limit)
    names = await store.names(reader, wanted.kind)

    async def merged(after: Position, limit: int) -> list[Key]:
        keys = [key for name in names for key in await store.by_kind(reader, name, after, wanted.since, limit)]
        return sorted(keys, key=lambda key: key.position, reverse=True)[:limit]

    return merged


async def _gathered(fetch: Fetch, wanted: Search, start: Position, limit: int) -> tuple[list[Key], Position | None]:
    """Return up to `limit` keys that are wanted, and where the next page begins."""
    found: list[Key] = []
    scanned, size = 0, limit + 1
    while scanned < _SCANNED:
        keys = await fetch(start, size)
        for key in keys:
            if not key.name.startswith(wanted.kind) or wanted.actor not in ("", key.actor):
                continue
            if len(found) == limit:
                return found, found[-1].position
            found.append(key)
        if len(keys) < size:
            return found, None
        scanned += len(keys)
        start, size = keys[-1].position, _AT_ONCE
    return found, start


async def settled(db: Database) -> None:
    """Return when every fact committed before now has its place in the order, or after a while without that.

    On PostgreSQL that takes a moment; where no server runs, this process sees to it itself.
    """
    begun = db.clock.now()
    for _ in range(_PATIENCE):
        async with db.read(SERVER) as read:
            if await facts_lag(read) <= (read.now - begun).total_seconds():
                return
        await asyncio.sleep(_LOOK_SECONDS / 5)


async def tail(db: Database, *, tenant: TenantId | None = None, kind: str = "", last: int = 20, follow: bool = False) -> AsyncIterator[StoredFact]:
    """Yield the last facts in the order of the log, and with `follow` every further one, once each, until the consumer ends.

    `tenant` None is all of them; `kind` is the begin of the wire name. For facts that are rare the look back ends after a while.
    """

    def fits(fact: StoredFact) -> bool:
        return tenant in (None, fact.tenant) and fact.name.startswith(kind)

    async with db.read(SERVER) as read:
        position = await last_position(read)
        for fact in await _before(read, position, fits, last):
            yield fact
    while follow:
        async with db.read(SERVER) as read:
            facts = await facts_after(read, position)
        for fact in filter(fits, facts):
            yield fact
        position = facts[-1].pos if facts else position
        if not facts:
            await asyncio.sleep(_LOOK_SECONDS)


async def _before(reader: Reader, position: int, fits: Callable[[StoredFact], bool], wanted: int) -> list[StoredFact]:
    found: list[StoredFact] = []
    end = max(0, position - _LOOKED_BACK)
    while position > end and len(found) < wanted:
        start = max(end, position - _STEP_BACK)
        found[:0] = [fact for fact in await facts_after(reader, start, position - start) if fits(fact)]
        position = start
    return found[max(0, len(found) - wanted) :]
