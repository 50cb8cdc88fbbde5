"""limen outbox: Look at jobs that wait or were given up; send them again or throw them away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar, Final

from limen.kernel.errors import Kind, LimenError
from limen.kernel.ids import SERVER, JobId
from limen.platform.commands import BadOption, Command, Ground, Reach
from limen.platform.outbox import queue
from limen.platform.outbox.model import JobState, Listed

_PAGE: Final = 200


class NoSuchJob(LimenError):
    """No job of that id is in a state where this can be done."""

    kind: ClassVar[Kind] = Kind.NOT_FOUND
    code: ClassVar[str] = "no_such_job"


async def show(ground: Ground, *, state: JobState | None = None, kind: str = "") -> None:
    """List jobs; those that are done are shown only if asked for.

    Parameters
    ----------
    state
        Only these: waiting, dead or done.
    kind
        Only kinds whose name begins so, such as `notices.`.
    """
    states = (JobState.WAITING, JobState.DEAD) if state is None else (state,)
    rows = [_row(job) async for job in _every(ground, states, kind)]
    ground.table(("Tenant", "Job", "Kind", "State", "Due", "Attempts", "Last error"), rows)


async def replay(ground: Ground, *jobs: str, every: bool = False, kind: str = "") -> None:
    """Send dead letters on their way again, with all their attempts.

    Parameters
    ----------
    jobs
        Their ids.
    every
        All there are, in place of ids.
    kind
        With --every: only kinds whose name begins so.
    """
    if every == bool(jobs) or (kind and not every):
        raise BadOption(operator="say which: the ids of dead letters as `limen outbox list --state dead` shows them, or --every, with --kind if not all kinds")
    chosen = [job.id async for job in _every(ground, (JobState.DEAD,), kind)] if every else [JobId(job) for job in jobs]
    for job in chosen:
        owner = await _owner(ground, job)
        async with ground.db.work(owner.tenant, ground.actor("outbox replay")) as work:
            if not await queue.replay(work, job):
                raise NoSuchJob(operator=f"{job} is no dead letter: it is {owner.state.value}")
    ground.say(f"{len(chosen)} sent on their way again")


async def drop(ground: Ground, *jobs: str) -> None:
    """Throw jobs away, dead or waiting, with what they carry.

    Parameters
    ----------
    jobs
        Their ids.
    """
    if not jobs:
        raise BadOption(operator="say which: ids as `limen outbox list` shows them")
    for job in map(JobId, jobs):
        owner = await _owner(ground, job)
        async with ground.db.work(owner.tenant, ground.actor("outbox drop")) as work:
            if not await queue.drop(work, job):
                raise NoSuchJob(operator=f"{job} is being run or is done: there is nothing to drop")
    ground.say(f"{len(jobs)} dropped")


async def _owner(ground: Ground, job: JobId) -> Listed:
    found = await queue.find(ground.db, job)
    if found is None or ground.tenant not in (SERVER, found.tenant):
        raise NoSuchJob(operator=f"there is no job {job}; see `limen outbox list`")
    return found


async def _every(ground: Ground, states: tuple[JobState, ...], kind: str) -> AsyncIterator[Listed]:
    after = (ground.tenant, "")
    while page := await queue.list_jobs(ground.db, states=states, after=after, limit=_PAGE):
        for job in page:
            if ground.tenant not in (SERVER, job.tenant):
                return
            if job.kind.startswith(kind):
                yield job
        after = (page[-1].tenant, page[-1].id)


def _row(job: Listed) -> tuple[str, ...]:
    state = "running" if job.holder else job.state.value
    return job.tenant or "-", job.id, job.kind, state, f"{job.due:%Y-%m-%d %H:%M:%S} UTC", str(job.attempts), job.last_error or "-"


COMMANDS: Final = tuple(Command(verb, run, Reach.ALL) for verb, run in (("list", show), ("replay", replay), ("drop", drop)))
