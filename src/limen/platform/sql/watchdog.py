"""Test mode: a Work that waits for anything but the database, uses the processor too long, or binds a wrong type fails, and says where.

On SQLite a Work holds the one writer from its first statement to its end, so a body that waits for the network blocks everybody.
In production nothing of this runs.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from limen.platform.sql.dialects import DIALECTS
from limen.platform.sql.errors import WorkMisused
from limen.platform.sql.statements import Statement
from limen.platform.sql.types import Choice, Id, Instant, Several
from limen.platform.sql.work import Read, Transaction, Work

if TYPE_CHECKING:
    from limen.kernel.ids import TenantId
    from limen.platform.sql.scope import Scope

R = TypeVar("R")

LONGEST_CPU: Final = 0.020
"""Seconds of processor a Work's own code may use; the collector's time is not counted."""


class _Collector:
    """Adds up the processor time spent in garbage collection: it strikes whom it strikes."""

    def __init__(self) -> None:
        self.spent = 0.0
        self._since = 0.0

    def __call__(self, phase: str, _: Mapping[str, int]) -> None:
        if phase == "start":
            self._since = time.thread_time()
        else:
            self.spent += time.thread_time() - self._since


_COLLECTOR: Final = _Collector()


def _own_time() -> float:
    return time.thread_time() - _COLLECTOR.spent


class Watch:
    """Looks at one Work: between `resume` and `pause` its body runs, and must not give the event loop a turn."""

    __slots__ = ("_handle", "_loop", "_since", "fault", "spent")

    def __init__(self) -> None:
        if _COLLECTOR not in gc.callbacks:
            gc.callbacks.append(_COLLECTOR)
        self._loop = asyncio.get_running_loop()
        self.spent = 0.0
        self.fault = ""
        self._since = 0.0
        self._handle: asyncio.Handle | None = None

    def resume(self) -> None:
        self._since = _own_time()
        self._handle = self._loop.call_soon(self._turned)

    def pause(self) -> None:
        """Stop looking; WorkMisused if the body did what it must not."""
        if self._handle is None:
            return
        self._handle.cancel()
        self._handle = None
        self.spent += _own_time() - self._since
        if not self.fault and self.spent > LONGEST_CPU:
            self.fault = f"a Work used {self.spent * 1000:.0f} ms of processor itself; {LONGEST_CPU * 1000:.0f} are allowed"
        if self.fault:
            raise WorkMisused(self.fault)

    def _turned(self) -> None:
        self.fault = "a Work awaited something other than the database"


def accepts(type_: TypeEngine[Any]) -> tuple[type, ...]:
    """Return the Python types a bind of this column type takes; empty: any."""
    if isinstance(type_, Choice):
        return (type_.kind,)
    if isinstance(type_, Instant):
        return (datetime,)
    for kind, taken in ((Id, str), (sa.String, str), (sa.Boolean, bool), (sa.Integer, int), (sa.LargeBinary, bytes), (sa.Float, float)):
        if isinstance(type_, kind):
            return (taken,)
    return ()


def _check_value(name: str, value: object, type_: TypeEngine[Any]) -> None:
    if isinstance(type_, Several):
        if not isinstance(value, (list, tuple, set, frozenset)):
            raise WorkMisused(f"`{name}` takes a list, not {type(value).__name__}")
        for item in value:
            _check_value(name, item, type_.item)
        return
    wanted = accepts(type_)
    if value is None or not wanted:
        return
    plain = not isinstance(value, bool) or bool in wanted
    if not isinstance(value, wanted) or not plain or (isinstance(value, Enum) and not isinstance(type_, Choice)):
        raise WorkMisused(f"`{name}` takes {wanted[0].__name__}, not {type(value).__name__}: SQLite would take it and find nothing")
    if isinstance(value, str) and "\0" in value:
        raise WorkMisused(f"`{name}` holds U+0000, which PostgreSQL refuses: the edge must")


def check_binds(statement: Statement[Any], dialect: str, values: Mapping[str, object]) -> None:
    """Refuse words that the statement does not have, lacks, or would read as another type."""
    compiled = getattr(statement, dialect)
    for other in DIALECTS:
        getattr(statement, other)  # what would not compile on the other database fails here too
    if unknown := values.keys() - compiled.names:
        raise WorkMisused(f"the statement has no {', '.join(sorted(unknown))}: {compiled.sql}")
    if missing := compiled.names - values.keys():
        raise WorkMisused(f"the statement lacks {', '.join(sorted(missing))}: {compiled.sql}")
    for name, value in values.items():
        _check_value(name, value, compiled.types[name])


class WatchedWork(Work):
    """A Work in test mode."""

    __slots__ = ("watch",)

    def __init__(self, scope: Scope, plain: Work) -> None:
        super().__init__(scope, plain.now, plain.tenant, plain.actor, plain.facts)
        self.watch = scope.watch = Watch()
        self.watch.resume()

    @contextmanager
    def _asking(self, statement: Statement[Any], values: Mapping[str, object]) -> Iterator[None]:
        self.watch.pause()
        try:
            check_binds(statement, self.tx.db.dialect, values)
            yield
        finally:
            self.watch.resume()

    async def all(self, statement: Statement[R], /, **values: object) -> list[R]:
        with self._asking(statement, values):
            return await self.tx.all(statement, self.tenant, values)

    async def one(self, statement: Statement[R], /, **values: object) -> R | None:
        with self._asking(statement, values):
            return await self.tx.one(statement, self.tenant, values)

    async def look(self, statement: Statement[R], /, **values: object) -> R | None:
        with self._asking(statement, values):
            return await self.tx.look(statement, self.tenant, values)

    def put(self, statement: Statement[Any], /, **values: object) -> None:
        check_binds(statement, self.tx.db.dialect, values)
        self.tx.put(statement, values)

    def claim(self, statement: Statement[Any], /, **values: object) -> None:
        check_binds(statement, self.tx.db.dialect, values)
        self.tx.put(statement, values, claims=True)

    async def run(self, statement: Statement[Any], /, **values: object) -> int:
        with self._asking(statement, values):
            return await self.tx.run(statement, self.tenant, values)


class WatchedRead(Read):
    """A Read in test mode: what it binds is checked; it may wait as long as it likes."""

    __slots__ = ()

    async def all(self, statement: Statement[R], /, **values: object) -> list[R]:
        check_binds(statement, self.tx.db.dialect, values)
        return await self.tx.all(statement, self.tenant, values)

    async def one(self, statement: Statement[R], /, **values: object) -> R | None:
        check_binds(statement, self.tx.db.dialect, values)
        return await self.tx.one(statement, self.tenant, values)


def read_of(tx: Transaction, now: datetime, tenant: TenantId, *, watched: bool) -> Read:
    """Return the Read to hand out."""
    return WatchedRead(tx, now, tenant) if watched else Read(tx, now, tenant)


class WatchedScope:
    """The block of a Work in test mode."""

    __slots__ = ("_scope", "_work")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def __aenter__(self) -> Work:
        plain = await self._scope.__aenter__()
        self._work = WatchedWork(self._scope, plain)
        return self._work

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        fault: BaseException | None = None
        try:
            if error is None:
                await self._scope.react(self._work)
            self._work.watch.pause()
        except BaseException as found:  # noqa: BLE001 -- handed on below, once the Work is rolled back
            fault = found
        if error is None and fault is not None:
            await self._scope.__aexit__(type(fault), fault, fault.__traceback__)
            raise fault
        await self._scope.__aexit__(kind, error, trace)
