"""What the two executors' transactions share: facts, reactions, announcements, and what happens once all is durable."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from limen.kernel.facts import Actor, Fact
from limen.kernel.ids import TenantId
from limen.platform.sql.errors import Outrun
from limen.platform.sql.statements import Statement
from limen.platform.sql.work import Change, Reader, Work, react

if TYPE_CHECKING:
    from limen.platform.sql.database import Database
    from limen.platform.sql.watchdog import Watch

R = TypeVar("R")


class Put(NamedTuple):
    """A changing statement with its words, that waits for the end of the Work; one that `claims` must find what it changes."""

    statement: Statement[Any]
    values: Mapping[str, object]
    claims: bool


class Scope(ABC):
    """One Work's transaction, and the block around it. Made by `Database.work`, used once."""

    db: Database
    now: datetime
    changes: Sequence[Change] = ()
    after: Sequence[Callable[[], None]] = ()
    puts: Sequence[Put] = ()
    reacted: int = 0
    failure: BaseException | None = None
    """Why this Work cannot be committed any more."""
    watch: Watch | None = None
    _task: asyncio.Task[object] | None

    def __init__(self, tenant: TenantId, actor: Actor) -> None:
        self.tenant = tenant
        self.actor = actor
        self.facts: list[Fact] = []

    @property
    @abstractmethod
    def begun(self) -> bool: ...

    @abstractmethod
    def all(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object]) -> Awaitable[list[R]]: ...

    @abstractmethod
    def one(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object]) -> Awaitable[R | None]: ...

    @abstractmethod
    def run(self, statement: Statement[Any], tenant: TenantId, values: Mapping[str, object]) -> Awaitable[int]: ...

    @abstractmethod
    def commit(self) -> Awaitable[None]:
        """Write facts and changes; what is returned ends once they are durable."""

    @abstractmethod
    async def undo(self) -> None:
        """Roll back."""

    def look(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object]) -> Awaitable[R | None]:
        return (self if self.begun or self.puts else self.db.reading).one(statement, tenant, values)

    def put(self, statement: Statement[Any], values: Mapping[str, object], *, claims: bool = False) -> None:
        self.puts = (*self.puts, Put(statement, values, claims))

    async def run_puts(self) -> None:
        """Run what waits for the end: a statement that may look at it comes before."""
        puts, self.puts = self.puts, ()
        for statement, values, claims in puts:
            if await self.run(statement, self.tenant, values) == 0 and claims:
                self.failure = Outrun()
                raise self.failure

    def after_commit(self, then: Callable[[], None]) -> None:
        self.after = (*self.after, then)

    def note_change(self, cache: str, tenant: TenantId, key: str) -> None:
        self.changes = (*self.changes, (cache, tenant, key))

    @asynccontextmanager
    async def beside(self, reader: Reader) -> AsyncIterator[Reader]:
        if self.watch is not None:
            self.watch.pause()
        try:
            async with self.db.read_beside(reader.tenant, reader.now) as read:
                yield read
        finally:
            if self.watch is not None:
                self.watch.resume()

    def committed(self) -> None:
        """Do what waits for the commit. Called in the event loop, before the Work's block continues."""
        if self.changes:
            self.db.caches.drop(self.changes)
        for then in self.after:
            then()

    def work(self) -> Work:
        return Work(self, self.now, self.tenant, self.actor, self.facts)

    async def react(self, work: Work) -> None:
        """Run the reactions to the facts that have had none yet."""
        self.reacted = await react(work, self.reacted, self.db.reactions)

    async def __aenter__(self) -> Work:
        db = self.db
        self._task = db.enter()
        self.now = db.clock.now()
        return Work(self, self.now, self.tenant, self.actor, self.facts)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        db = self.db
        try:
            if error is not None:
                await self.undo()
                return
            if db.reactions and self.reacted < len(self.facts):
                try:
                    await self.react(self.work())
                except BaseException:
                    await self.undo()
                    raise
            await self.commit()
        finally:
            db.inside.discard(self._task)
