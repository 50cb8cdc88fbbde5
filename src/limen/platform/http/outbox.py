"""`/api/v1/outbox/dead`: a tenant's dead letters, for its operators' own tools. What a job carries is sealed, and nobody is shown it.

It stands here, as the clock's does: the outbox lies below the edge and knows no HTTP, and no module owns it. Jobs of the server itself belong
to no tenant: `limen outbox dead` shows them.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

import msgspec

from limen.kernel.errors import Kind, LimenError
from limen.kernel.ids import JobId
from limen.platform import outbox
from limen.platform.http.answers import Answer, Json, no_content
from limen.platform.http.call import Call
from limen.platform.http.endpoint import Endpoint, scope
from limen.platform.wire.bodies import Timestamp

_MOST: Final = 200
_READ: Final = scope("limen:outbox:read")
_WRITE: Final = scope("limen:outbox:write")
_JOB: Final = {"job": "The job's id, `job_...`."}


class NoSuchDeadLetter(LimenError):
    """The tenant has no dead letter of that id: it waits again, is done, was dropped, or never was."""

    kind: ClassVar[Kind] = Kind.NOT_FOUND
    code: ClassVar[str] = "no_such_dead_letter"


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which ones."""

    kind: Annotated[str, msgspec.Meta(description="The begin of the kinds' names, such as `notices.`.")] = ""
    after: Annotated[str, msgspec.Meta(description="`after` of the page before.")] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=_MOST, description="Dead letters on the page at most.")] = 50


class DeadLetter(msgspec.Struct, frozen=True):
    """A job that was given up. `error` is a code; `until` is when it is forgotten; `next_step` is for people."""

    id: JobId
    kind: str
    attempts: int
    ordered: Timestamp
    first_tried: Timestamp | None
    last_tried: Timestamp | None
    until: Timestamp
    error: str
    next_step: str


class DeadLetters(msgspec.Struct, frozen=True):
    """A page, the oldest order first. `after` begins the next page; it is null on the last."""

    items: list[DeadLetter]
    after: str | None = None


def _shown(job: outbox.Listed) -> DeadLetter:
    return DeadLetter(job.id, job.kind, job.attempts, job.created, job.first_tried, job.last_tried, job.due, job.last_error, job.next_step)


async def _list(call: Call) -> Answer:
    asked = call.asked(Asked)
    async with call.read() as read:
        found = await outbox.dead_letters(read, kind=asked.kind, after=asked.after, limit=asked.limit)
    return Json(DeadLetters([_shown(job) for job in found], found[-1].id if len(found) == asked.limit else None))


async def _retry(call: Call) -> Answer:
    async with call.work() as work:
        if not await outbox.replay(work, JobId(call.parts["job"])):
            raise NoSuchDeadLetter("there is no such dead letter")
    return no_content()


async def _drop(call: Call) -> Answer:
    async with call.work() as work:
        if not await outbox.drop(work, JobId(call.parts["job"]), dead=True):
            raise NoSuchDeadLetter("there is no such dead letter")
    return no_content()


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/v1/outbox/dead",
        who=_READ,
        call=_list,
        summary="List jobs that were given up, with their error and what to do.",
        query=Asked,
        gives=DeadLetters,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/outbox/dead/{job}/retry",
        who=_WRITE,
        call=_retry,
        summary="Send a dead letter on its way again, with all its attempts.",
        parts=_JOB,
        status=204,
        refusals=(NoSuchDeadLetter,),
    ),
    Endpoint(
        method="DELETE",
        path="/api/v1/outbox/dead/{job}",
        who=_WRITE,
        call=_drop,
        summary="Throw a dead letter away, with what it carries.",
        parts=_JOB,
        status=204,
        refusals=(NoSuchDeadLetter,),
    ),
)
