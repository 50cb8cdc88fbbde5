"""`Work` and `Read`: transaction, instant, tenant and actor, travelling together as the first argument of every store and service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeAlias, TypeVar

from limen.kernel.facts import Actor, Fact
from limen.kernel.ids import TenantId
from limen.platform.sql.errors import WorkMisused
from limen.platform.sql.statements import Statement

if TYPE_CHECKING:
    from limen.platform.sql.database import Database

R = TypeVar("R")
Change: TypeAlias = tuple[str, TenantId, str]
"""Cache, tenant and key."""

_MOST_FACTS: Final = 10_000


class Transaction(Protocol):
    """What the statements of a Read run on. Modules know only `db`."""

    @property
    def db(self) -> Database: ...

    @property
    def begun(self) -> bool:
        """True where what is read may be uncommitted, or not the newest."""
        ...

    @property
    def changes(self) -> Sequence[Change]:
        """Return the cached values that this Work changes."""
        ...

    def all(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object], /) -> Awaitable[list[R]]: ...

    def one(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object], /) -> Awaitable[R | None]: ...

    def beside(self, reader: Reader, /) -> AbstractAsyncContextManager[Reader]:
        """Open a reader of committed rows for a cache, like `reader`. Only while not `begun`."""
        ...


class WorkTransaction(Transaction, Protocol):
    """What the statements of a Work run on. Modules know only `db` and `after_commit`."""

    def run(self, statement: Statement[Any], tenant: TenantId, values: Mapping[str, object], /) -> Awaitable[int]: ...

    def look(self, statement: Statement[R], tenant: TenantId, values: Mapping[str, object], /) -> Awaitable[R | None]:
        """See `Work.look`."""
        ...

    def put(self, statement: Statement[Any], values: Mapping[str, object], /, *, claims: bool = False) -> None:
        """See `Work.put`, and `Work.claim`."""
        ...

    def after_commit(self, then: Callable[[], None], /) -> None:
        """Call `then` in the event loop as soon as the Work is durable; never if it is rolled back. It must not raise."""
        ...

    def note_change(self, cache: str, tenant: TenantId, key: str, /) -> None:
        """Tell every process, this one included, that a cached value changed; see `Cached.changed`."""
        ...


class Reader(Protocol):
    """What both a Work and a Read can do."""

    @property
    def tx(self) -> Transaction: ...

    @property
    def now(self) -> datetime: ...

    @property
    def tenant(self) -> TenantId: ...

    def all(self, statement: Statement[R], /, **values: object) -> Awaitable[list[R]]: ...

    def one(self, statement: Statement[R], /, **values: object) -> Awaitable[R | None]: ...


class Read:
    """Sees what is committed, statement by statement (or as of its first one: `db.read(tenant, snapshot=True)`). It is its own block."""

    __slots__ = ("now", "tenant", "tx")

    def __init__(self, tx: Transaction, now: datetime, tenant: TenantId) -> None:
        self.tx = tx
        self.now = now
        self.tenant = tenant

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return

    def all(self, statement: Statement[R], /, **values: object) -> Awaitable[list[R]]:
        """Return the rows; `tenant` is bound by itself."""
        return self.tx.all(statement, self.tenant, values)

    def one(self, statement: Statement[R], /, **values: object) -> Awaitable[R | None]:
        """Return the first row, or None."""
        return self.tx.one(statement, self.tenant, values)


class Work:
    """One command: its statements and facts become durable together when the block ends, or not at all."""

    __slots__ = ("actor", "facts", "now", "tenant", "tx")

    def __init__(self, tx: WorkTransaction, now: datetime, tenant: TenantId, actor: Actor, facts: list[Fact]) -> None:
        self.tx = tx
        self.now = now
        self.tenant = tenant
        self.actor = actor
        self.facts = facts

    def all(self, statement: Statement[R], /, **values: object) -> Awaitable[list[R]]:
        """Return the rows; `tenant` is bound by itself."""
        return self.tx.all(statement, self.tenant, values)

    def one(self, statement: Statement[R], /, **values: object) -> Awaitable[R | None]:
        """Return the first row, or None; a changing statement with RETURNING answers likewise."""
        return self.tx.one(statement, self.tenant, values)

    def look(self, statement: Statement[R], /, **values: object) -> Awaitable[R | None]:
        """Return the first row as it is committed, or None, and hold nothing by it: it may change before the Work ends, unless that `claim`s it.

        A Work that only looks, puts and claims is over in one round trip on PostgreSQL, and takes no turn of the writer on SQLite.
        """
        return self.tx.look(statement, self.tenant, values)

    def run(self, statement: Statement[Any], /, **values: object) -> Awaitable[int]:
        """Run a changing statement; return how many rows it changed. Conflict where a unique key exists."""
        return self.tx.run(statement, self.tenant, values)

    def put(self, statement: Statement[Any], /, **values: object) -> None:
        """Run a changing statement when the Work ends, or before its next other statement; then PostgreSQL takes it with the facts in one round trip.

        What it would answer nobody hears. Conflict, where a unique key exists, comes from the end of the Work.
        """
        self.tx.put(statement, values)

    def claim(self, statement: Statement[Any], /, **values: object) -> None:
        """Like `put`, of a statement that must change something: Outrun from the end of the Work where it finds nothing, and then nothing is done.

        Let its condition name what the Work decided upon and `look`ed at.
        """
        self.tx.put(statement, values, claims=True)

    def record(self, fact: Fact) -> None:
        """Add a fact; it is written in the same transaction, after the reactions to it have run."""
        self.facts.append(fact)


Reaction: TypeAlias = Callable[[Work, Any], Awaitable[None]]  # each takes the one kind of fact it is registered for
Reactions: TypeAlias = Mapping[str, Sequence[Reaction]]
"""Wire name of a fact to what other modules do about it, inside the same Work."""


async def react(work: Work, done: int, reactions: Reactions) -> int:
    """Run the reactions to the facts from number `done` on, those that reactions record included; return how many facts were seen."""
    facts = work.facts
    while done < len(facts):
        fact = facts[done]
        done += 1
        for reaction in reactions.get(fact.name, ()):
            await reaction(work, fact)
        if done > _MOST_FACTS:
            raise WorkMisused(f"reactions go in circles: {fact.name} is fact number {done} of one Work")
    return done
