"""How a process on a SQLite file learns what others changed: cached values to drop, facts to follow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import apsw

if TYPE_CHECKING:
    from limen.kernel.ids import TenantId
    from limen.platform.sql.caches import Caches

KEEP: Final = timedelta(hours=1)
"""How long a notice is kept: a process that could not look for longer drops everything."""
KEEP_MICROSECONDS: Final = KEEP // timedelta(microseconds=1)
LOOK_SECONDS: Final = 1.0

INSERT_CHANGE_SQLITE: Final = "INSERT INTO changes (at, cache, tenant, key) VALUES (?, ?, ?, ?)"
FORGET_CHANGES_SQLITE: Final = "DELETE FROM changes WHERE seq IN (SELECT seq FROM (SELECT seq, at FROM changes ORDER BY seq LIMIT 100) WHERE at < ?)"
_READ_SQLITE: Final = "SELECT seq, cache, tenant, key FROM changes WHERE seq > ? ORDER BY seq"
_NEWEST_SQLITE: Final = "SELECT coalesce(max(seq), 0) FROM changes"


class SqliteNotices:
    """Asks SQLite once a second whether the file changed (2 us), and reads the new notices if it did."""

    def __init__(self, connection: apsw.Connection, caches: Caches, loop: asyncio.AbstractEventLoop, woken: Callable[[], None]) -> None:
        self._run = connection.cursor().execute
        self._caches = caches
        self._loop = loop
        self._woken = woken
        self._looked = loop.time()
        self._version = self._data_version()
        self._seen = self._newest()
        self._timer = loop.call_later(LOOK_SECONDS, self._tick)

    def stop(self) -> None:
        self._timer.cancel()

    def look(self) -> None:
        """Drop what other processes changed since the last look."""
        version, now = self._data_version(), self._loop.time()
        slept = (now - self._looked) * 1_000_000 > KEEP_MICROSECONDS / 2
        self._looked = now
        if slept:
            self._caches.clear()
        if version == self._version:
            return
        self._version = version
        changes: list[tuple[str, TenantId, str]] = []
        try:
            for seq, cache, tenant, key in self._run(_READ_SQLITE, (self._seen,)):
                self._seen = seq
                changes.append((cache, tenant, key))
        except apsw.SQLError:  # not upgraded yet: there is no table, and nothing cached
            return
        if changes:
            self._caches.drop(changes)
        self._woken()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(LOOK_SECONDS, self._tick)
        self.look()

    def _data_version(self) -> int:
        return int(self._run("PRAGMA data_version").get)

    def _newest(self) -> int:
        try:
            return int(self._run(_NEWEST_SQLITE).get)
        except apsw.SQLError:
            return 0
