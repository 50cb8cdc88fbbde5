"""Values kept in memory until somebody says that they changed.

`Cached.changed` writes a row to `changes` in the same transaction; every process reads those rows by position and drops what they name,
its own process at once after the commit. Only what was read through a connection of its own, committed, is ever kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import sqlalchemy as sa

from limen.platform.sql.tables import ONLY, server_table
from limen.platform.sql.types import Id, Instant, TransactionId

if TYPE_CHECKING:
    from limen.kernel.ids import TenantId
    from limen.platform.sql.work import Reader, Work

K = TypeVar("K", bound=str)
V = TypeVar("V")

_POSTGRESQL: Final = {ONLY: "postgresql"}

CHANGES: Final = server_table(
    "changes",
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("cache", sa.Text, nullable=False),
    sa.Column("tenant", Id, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("xid", TransactionId, nullable=False, server_default=sa.text("pg_current_xact_id()"), info=_POSTGRESQL),
    sa.Index("changes_by_commit", "xid"),  # PostgreSQL only, as its column is
    rowid=True,
)
"""Notices for caches, kept an hour; a process that slept longer drops everything it has."""


class Cached(Generic[K, V]):
    """A cache of one sort of thing, per database and tenant. Make it once, at import; what it holds lives in `Database.caches`."""

    __slots__ = ("limit", "load", "name")

    def __init__(self, name: str, load: Callable[[Reader, K], Awaitable[V | None]], limit: int = 10_000) -> None:
        """`load` reads one value, None where there is none (which is not kept, so that a new one is found at once)."""
        self.name = name
        self.load = load
        self.limit = limit

    async def get(self, reader: Reader, key: K) -> V | None:
        """Return the value; a hit does not give the event loop a turn."""
        tx = reader.tx
        caches = tx.db.caches
        kept = caches.kept(self.name)
        place = (reader.tenant, key)
        found: V | None = kept.get(place)
        if found is not None and (not tx.changes or (self.name, reader.tenant, key) not in tx.changes):
            kept.move_to_end(place)
            return found
        if tx.begun:
            return await self.load(reader, key)  # it may see rows of its own that are not committed: never kept
        moment = caches.dropped
        async with tx.beside(reader) as beside:
            value = await self.load(beside, key)
        if value is not None and caches.dropped == moment:  # else a notice came meanwhile, perhaps about this one
            kept[place] = value
            if len(kept) > self.limit:
                kept.popitem(last=False)
        return value

    def changed(self, work: Work, key: K) -> None:
        """Say that the value of `key` changes with this Work; call it for a removal too."""
        work.tx.note_change(self.name, work.tenant, key)


class Caches:
    """What one database's process keeps in memory."""

    __slots__ = ("_kept", "dropped")

    def __init__(self) -> None:
        self._kept: dict[str, OrderedDict[tuple[TenantId, str], Any]] = {}
        self.dropped = 0
        """Grows with every notice, so that a value read before one is not kept after it."""

    def kept(self, name: str) -> OrderedDict[Any, Any]:
        """Return the values of one cache by (tenant, key)."""
        found = self._kept.get(name)
        if found is None:
            found = self._kept[name] = OrderedDict()
        return found

    def drop(self, changes: Iterable[tuple[str, TenantId, str]]) -> None:
        """Forget the values of (cache, tenant, key)."""
        self.dropped += 1
        for name, tenant, key in changes:
            if kept := self._kept.get(name):
                kept.pop((tenant, key), None)

    def clear(self) -> None:
        """Forget everything: notices may have been missed."""
        self.dropped += 1
        self._kept.clear()
