"""`POST /dev/clock`: turns the time of a dev server, so that what takes days can be watched in a moment. In production it does not exist."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Final

import msgspec

from limen.kernel.errors import Kind, LimenError
from limen.platform.http.answers import Json
from limen.platform.http.call import Call
from limen.platform.http.endpoint import DEV, JSON_MEDIA, Endpoint
from limen.platform.http.refusing import as_problem
from limen.platform.sql import turn_clock

_YEARS: Final = range(2000, 2200)


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either of the two: seconds forward (or, negative, back), or an instant (RFC 3339)."""

    advance: float | None = None
    now: datetime | None = None


class Turned(msgspec.Struct, frozen=True):
    """What the clock says."""

    now: datetime


class CannotTurn(LimenError):
    """The clock cannot be turned so."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "cannot_turn"


async def _turn(call: Call) -> Json:
    asked = call.taken(Turn)
    if (asked.advance is None) == (asked.now is None):
        raise CannotTurn("Say either advance or now.")
    if asked.now is not None and asked.now.tzinfo is None:
        raise CannotTurn("now needs a zone, such as Z.")
    try:
        to = asked.now
        by = timedelta(seconds=asked.advance or 0)
        meant = to or call.db.clock.now() + by
    except OverflowError:
        raise CannotTurn("That is no date.") from None
    if meant.year not in _YEARS:
        raise CannotTurn(f"The year has to lie between {_YEARS[0]} and {_YEARS[-1]}.")
    return Json(Turned(await turn_clock(call.db, by=by, to=to)))


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/dev/clock",
        who=DEV,
        call=_turn,
        summary="Turn the clock of this dev server, for every process of it.",
        takes=Turn,
        gives=Turned,
        media=(JSON_MEDIA,),
        csrf=False,
        refusals=(CannotTurn,),
        refuse=as_problem,
    ),
)
