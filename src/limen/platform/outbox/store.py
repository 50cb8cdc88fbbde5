"""The outbox table and its statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from limen.kernel.ids import SERVER, JobId, TenantId
from limen.platform.outbox.model import JobState, Listed
from limen.platform.sql import Choice, Id, Instant, Reader, Statement, Work, bind, insert_of, one_of, statement, table

OUTBOX: Final = table(
    "outbox",
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", Id, nullable=False),
    sa.Column("key", Id, nullable=False),  # idempotency; the id itself where none was given
    sa.Column("payload", sa.LargeBinary),  # sealed under the epoch key; null once done
    sa.Column("state", Choice(JobState), nullable=False),
    sa.Column("created", Instant, nullable=False),
    sa.Column("due", Instant, nullable=False),  # waiting: when it may be taken, or while held, when the lease ends; done, dead: when it is forgotten
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("holder", Id, nullable=False),
    sa.Column("last_error", sa.Text, nullable=False),
    sa.Column("first_tried", Instant),  # since it was ordered, or sent on its way again; null before
    sa.Column("last_tried", Instant),
    sa.Index("outbox_by_key", "tenant", "kind", "key", unique=True),
    sa.Index("outbox_by_due", "state", "kind", "due"),
    rowid=True,
)

_C = OUTBOX.c
_HERE = (_C.tenant == bind("tenant"), _C.id == bind("id"))
_MINE = (*_HERE, _C.state == JobState.WAITING, _C.holder == bind("runner"), _C.attempts == bind("attempt"))  # else the lease was lost to somebody
_EVERYBODY: Final = "one runner serves all tenants of its process"
_OPERATOR: Final = "an operator looks at the jobs of all tenants"
_SWEPT_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Leased:
    """A job that this process may run until its lease ends."""

    tenant: TenantId
    id: JobId
    kind: str
    key: str
    payload: bytes | None
    attempts: int

    @property
    def keyed(self) -> bool:
        """An idempotency key was given, and is to be remembered for a while."""
        return self.key != self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A row to be."""

    id: JobId
    kind: str
    key: str
    payload: bytes
    due: datetime


def _adding(dialect: str) -> sa.Executable:
    fresh = {"payload", "id", "kind", "key", "created", "due", "tenant"}
    row = {name: bind(name, OUTBOX.c[name].type) for name in fresh} | {"state": JobState.WAITING, "attempts": 0, "holder": "", "last_error": ""}
    return insert_of(dialect)(OUTBOX).values(row).on_conflict_do_nothing(index_elements=["tenant", "kind", "key"]).returning(_C.id)


def _leasing(dialect: str) -> sa.Executable:
    due = (
        sa.select(_C.tenant, _C.id)
        .where(_C.state == JobState.WAITING, _C.kind == bind("kind"), _C.due <= bind("now"), sa.not_(one_of(_C.id, "running")))
        .order_by(_C.due)
        .limit(bind("places", sa.Integer))
    )
    if dialect == "postgresql":
        due = due.with_for_update(skip_locked=True)  # several processes take different jobs without waiting for each other
    return (
        sa.update(OUTBOX)
        .where(sa.tuple_(_C.tenant, _C.id).in_(due))
        .values(
            holder=bind("runner"),
            attempts=_C.attempts + 1,
            due=bind("until"),
            first_tried=sa.func.coalesce(_C.first_tried, bind("now")),
            last_tried=bind("now"),
        )
        .returning(_C.tenant, _C.id, _C.kind, _C.key, _C.payload, _C.attempts)
    )


def _sweeping(dialect: str) -> sa.Executable:
    old = sa.select(_C.tenant, _C.id).where(_C.state == bind("state"), _C.kind == bind("kind"), _C.due <= bind("now")).limit(_SWEPT_AT_ONCE)
    if dialect == "postgresql":
        old = old.with_for_update(skip_locked=True)
    return sa.delete(OUTBOX).where(sa.tuple_(_C.tenant, _C.id).in_(old))


_ADD = statement(_adding)
_BY_KEY = statement(sa.select(_C.id).where(_C.tenant == bind("tenant"), _C.kind == bind("kind"), _C.key == bind("key")))
_LEASE = statement(_leasing, into=Leased, across_tenants=_EVERYBODY)
_SWEEP = statement(_sweeping, across_tenants=_EVERYBODY)
_RENEW = statement(
    sa.update(OUTBOX)
    .where(_C.tenant == bind("owner"), _C.id == bind("id"), _C.state == JobState.WAITING, _C.holder == bind("runner"), _C.attempts == bind("attempt"))
    .values(due=bind("until")),
    across_tenants=_EVERYBODY,
)
_DELETE = statement(sa.delete(OUTBOX).where(*_MINE))
_REMEMBER = statement(sa.update(OUTBOX).where(*_MINE).values(state=JobState.DONE, payload=None, holder="", due=bind("until")))
_BURY = statement(sa.update(OUTBOX).where(*_MINE).values(state=JobState.DEAD, holder="", due=bind("until"), last_error=bind("reason")))
_RETRY = statement(sa.update(OUTBOX).where(*_MINE).values(holder="", due=bind("again"), last_error=bind("reason")))
_RELEASE = statement(sa.update(OUTBOX).where(*_MINE).values(holder="", due=bind("now"), attempts=_C.attempts - 1))
_REPLAY = statement(
    sa.update(OUTBOX)
    .where(*_HERE, _C.state == JobState.DEAD)
    .values(state=JobState.WAITING, holder="", attempts=0, due=bind("now"), first_tried=None)
    .returning(_C.kind)
)
_DROP = statement(
    sa.delete(OUTBOX)
    .where(*_HERE, sa.or_(_C.state == JobState.DEAD, sa.and_(_C.state == JobState.WAITING, sa.or_(_C.holder == "", _C.due <= bind("now")))))
    .returning(_C.kind),
    into=str,
)
_DROP_DEAD = statement(sa.delete(OUTBOX).where(*_HERE, _C.state == JobState.DEAD).returning(_C.kind), into=str)
_LISTED = (_C.tenant, _C.id, _C.kind, _C.state, _C.created, _C.due, _C.attempts, _C.holder, _C.last_error, _C.first_tried, _C.last_tried)
_FIND = statement(sa.select(*_LISTED).where(_C.id == bind("id")), into=Listed, across_tenants=_OPERATOR)
_DEAD = statement(sa.select(sa.func.count()).where(_C.state == JobState.DEAD), into=int, across_tenants=_OPERATOR)
_DEAD_OF = statement(
    sa.select(*_LISTED)
    .where(
        _C.tenant == bind("tenant"),
        _C.state == JobState.DEAD,
        _C.id > bind("after"),
        sa.func.substr(_C.kind, 1, sa.func.length(bind("kind"))) == bind("kind"),
    )
    .order_by(_C.id)
    .limit(bind("limit", sa.Integer)),
    into=Listed,
)
_LIST = statement(
    sa.select(*_LISTED)
    .where(sa.tuple_(_C.tenant, _C.id) > sa.tuple_(bind("after_tenant", Id), bind("after_id", Id)), one_of(_C.state, "states"))
    .order_by(_C.tenant, _C.id)
    .limit(bind("limit", sa.Integer)),
    into=Listed,
    across_tenants=_OPERATOR,
)


def peek_of(kinds: Sequence[str]) -> Statement[tuple[str, datetime | None]]:
    """Make the statement that tells when the next job of each kind is due: one step into the index per kind, however long the queue."""

    def soonest(kind: str) -> sa.Select[tuple[str, datetime | None]]:
        first = sa.select(sa.func.min(_C.due, type_=Instant)).where(_C.state == JobState.WAITING, _C.kind == kind).scalar_subquery()
        return sa.select(sa.literal(kind, Id), first)

    return statement(sa.union_all(*map(soonest, kinds)), into=lambda kind, due: (kind, due), across_tenants=_EVERYBODY)


async def add(work: Work, job: NewJob) -> JobId:
    """Insert the job, or return the id of the one that has its key."""
    added = await work.one(_ADD, id=job.id, kind=job.kind, key=job.key, payload=job.payload, created=work.now, due=job.due)
    if added is None:
        added = await work.one(_BY_KEY, kind=job.kind, key=job.key)
    return JobId(added[0]) if added else job.id


async def lease(work: Work, runner: str, kind: str, *, until: datetime, places: int, running: Sequence[JobId]) -> list[Leased]:
    """Take up to `places` jobs of a kind that are due and that this process is not running already."""
    return await work.all(_LEASE, runner=runner, kind=kind, now=work.now, until=until, places=places, running=running)


async def renew(work: Work, job: Leased, runner: str, until: datetime) -> None:
    """Keep a job a while longer, unless the lease was lost."""
    await work.run(_RENEW, owner=job.tenant, id=job.id, runner=runner, attempt=job.attempts, until=until)


async def finish(work: Work, job: Leased, runner: str, until: datetime) -> bool:
    """Delete a job that is done, or where it was given a key, keep that until `until`. False if the lease was lost."""
    mine = {"id": job.id, "runner": runner, "attempt": job.attempts}
    return await (work.run(_REMEMBER, until=until, **mine) if job.keyed else work.run(_DELETE, **mine)) > 0


async def retry(work: Work, job: Leased, runner: str, again: datetime, reason: str) -> bool:
    """Let a failed job rest until `again`. False if the lease was lost."""
    return await work.run(_RETRY, id=job.id, runner=runner, attempt=job.attempts, again=again, reason=reason) > 0


async def bury(work: Work, job: Leased, runner: str, until: datetime, reason: str) -> bool:
    """Make a job a dead letter, kept until `until`. False if the lease was lost."""
    return await work.run(_BURY, id=job.id, runner=runner, attempt=job.attempts, until=until, reason=reason) > 0


async def release(work: Work, job: Leased, runner: str) -> bool:
    """Give a job back as if it had not been taken."""
    return await work.run(_RELEASE, id=job.id, runner=runner, attempt=job.attempts, now=work.now) > 0


async def sweep(work: Work, kind: str) -> int:
    """Forget a bounded number of done and dead jobs of a kind whose time has come; return how many."""
    return sum([await work.run(_SWEEP, state=state, kind=kind, now=work.now) for state in (JobState.DONE, JobState.DEAD)])


async def replay(work: Work, job: JobId) -> str | None:
    """Make a dead letter wait again with all its attempts; return its kind, None if there is no such dead letter."""
    row = await work.one(_REPLAY, id=job, now=work.now)
    return str(row[0]) if row else None


async def drop(work: Work, job: JobId, *, dead: bool) -> str | None:
    """Delete a job nobody is running, with `dead` only one that is; return its kind, None if there is no such job."""
    if dead:
        return await work.one(_DROP_DEAD, id=job)
    return await work.one(_DROP, id=job, now=work.now)


async def found(reader: Reader, job: JobId) -> Listed | None:
    """Return a job of any tenant."""
    return await reader.one(_FIND, id=job)


async def dead(reader: Reader) -> int:
    """Return how many dead letters there are."""
    return await reader.one(_DEAD) or 0


async def dead_of(reader: Reader, kind: str, after: str, limit: int) -> list[Listed]:
    """Return a page of the tenant's dead letters of kinds that begin so, ordered by id."""
    return await reader.all(_DEAD_OF, kind=kind, after=after, limit=limit)


async def listed(reader: Reader, states: Sequence[JobState], after: tuple[TenantId, str], limit: int) -> list[Listed]:
    """Return a page of jobs of all tenants, ordered by tenant and id."""
    return await reader.all(_LIST, states=states, after_tenant=after[0], after_id=after[1], limit=limit)


BEGINNING: Final = (SERVER, "")
