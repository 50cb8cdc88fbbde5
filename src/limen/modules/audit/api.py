"""`GET /api/v1/audit/facts`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType

from limen.kernel.ids import AccountId
from limen.modules.audit import service
from limen.modules.audit.errors import BadPosition, BadSearch
from limen.modules.audit.model import BEGINNING_OF_TIME, END_OF_TIME, MOST, Entry, Position, Search
from limen.platform.http import Call, Endpoint, Json, scope
from limen.platform.wire.bodies import Timestamp


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to look for."""

    subject: Annotated[str, msgspec.Meta(description="The account it is about.")] = ""
    kind: Annotated[str, msgspec.Meta(description="The begin of the facts' names.")] = ""
    actor: Annotated[str, msgspec.Meta(description="Who did it, such as `client:svc`.")] = ""
    since: Annotated[Timestamp | UnsetType, msgspec.Meta(description="The earliest instant.")] = UNSET
    until: Annotated[Timestamp | UnsetType, msgspec.Meta(description="The first instant that is too late.")] = UNSET
    after: Annotated[str, msgspec.Meta(description="`after` of the page before.")] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST, description="Facts on the page at most.")] = 50


class Fact(msgspec.Struct, frozen=True):
    """One thing that happened. `sealed`: there is more, of a personal kind, that only who holds the person's key can read."""

    id: int
    at: Timestamp
    name: str
    subject: str | None
    actor: str
    data: Mapping[str, object]
    sealed: bool


class Facts(msgspec.Struct, frozen=True):
    """A page, newest first. `after` leads to the next; null on the last. A page may be short, even empty, and yet lead on."""

    facts: list[Fact]
    after: str | None


def _fact(entry: Entry) -> Fact:
    return Fact(entry.seq, entry.at, entry.name, entry.subject, entry.actor, entry.data, entry.private is not None)


def _instant(name: str, given: datetime | UnsetType, default: datetime) -> datetime:
    if given is UNSET:
        return default
    try:
        return min(max(given.astimezone(UTC), BEGINNING_OF_TIME), END_OF_TIME)
    except OverflowError:
        raise BadSearch(f"{name}: is out of the calendar.") from None


async def _find(call: Call) -> Json:
    asked = call.asked(Asked)
    wanted = Search(
        subject=AccountId(asked.subject) if asked.subject else None,
        kind=asked.kind,
        actor=asked.actor,
        since=_instant("since", asked.since, BEGINNING_OF_TIME),
        until=_instant("until", asked.until, END_OF_TIME),
    )
    after = Position.parse(asked.after) if asked.after else None
    async with call.read() as read:
        page = await service.search(read, wanted, after, asked.limit)
    return Json(Facts([_fact(entry) for entry in page.entries], str(page.after) if page.after else None))


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/v1/audit/facts",
        who=scope("limen:audit:read"),
        call=_find,
        summary="Search the log by subject, kind, actor and time, newest first.",
        query=Asked,
        gives=Facts,
        refusals=(BadSearch, BadPosition),
    ),
)
