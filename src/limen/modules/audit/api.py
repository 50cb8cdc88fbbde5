"""`GET /api/v1/audit/facts`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from limen.kernel.ids import AccountId
from limen.modules.audit import service
from limen.modules.audit.errors import BadPosition, BadSearch
from limen.modules.audit.model import BEGINNING_OF_TIME, END_OF_TIME, Entry, Position, Search
from limen.platform.http import Call, Endpoint, Json, scope


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to look for. `kind` is the begin of a fact's name, `since` and `until` (excluded) are RFC 3339, `after` is from the page before."""

    subject: str = ""
    kind: str = ""
    actor: str = ""
    since: datetime | None = None
    until: datetime | None = None
    after: str = ""
    limit: int = 50


class Fact(msgspec.Struct, frozen=True):
    """One thing that happened. `sealed`: there is more, of a personal kind, that only who holds the person's key can read."""

    id: int
    at: datetime
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


def _instant(name: str, given: datetime | None, default: datetime) -> datetime:
    if given is None:
        return default
    if given.tzinfo is None:
        raise BadSearch(f"{name}: needs a zone, such as Z.")
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
