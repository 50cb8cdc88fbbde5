"""limen outbox: Look at jobs that wait or were given up; send them again or throw them away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
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


async def dead(ground: Ground, *, kind: str = "") -> None:
    """List dead letters: what was given up, when it was tried, why it failed, and what to do about it. What they carry is sealed, and not shown.

    Parameters
    ----------
    kind
        Only kinds whose name begins so, such as `notices.`.
    """
    rows = [_dead_row(job) async for job in _every(ground, (JobState.DEAD,), kind)]
    ground.table(("Tenant", "Job", "Kind", "Attempts", "First try", "Last try", "Kept until", "Last error", "Next step"), rows)


async def retry(ground: Ground, *jobs: str, every: bool = False, kind: str = "") -> None:
    """Send dead letters on their way again, with all their attempts.

    Parameters
    ----------
    jobs
        Their ids.
    every
        All there are, in place of ids.
    kind
        All whose kind's name begins so, in place of ids.
    """
    if (every or bool(kind)) == bool(jobs):
        raise BadOption(operator="say which: the ids of dead letters as `limen outbox dead` shows them, or --kind, or --every")
    chosen = [JobId(job) for job in jobs] or [job.id async for job in _every(ground, (JobState.DEAD,), kind)]
    for job in chosen:
        owner = await _owner(ground, job)
        async with ground.db.work(owner.tenant, ground.actor("outbox retry")) as work:
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
    return job.tenant or "-", job.id, job.kind, state, _at(job.due), str(job.attempts), job.last_error or "-"


def _dead_row(job: Listed) -> tuple[str, ...]:
    when = (_at(job.first_tried), _at(job.last_tried), _at(job.due))
    return job.tenant or "-", job.id, job.kind, str(job.attempts), *when, job.last_error, job.next_step


def _at(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC" if instant else "-"


COMMANDS: Final = tuple(Command(verb, run, Reach.ALL) for verb, run in (("list", show), ("dead", dead), ("retry", retry), ("replay", retry), ("drop", drop)))
"""`replay` is what `retry` was called before."""
