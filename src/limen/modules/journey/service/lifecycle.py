"""How a journey begins and how its door takes what came of it."""

from __future__ import annotations

from urllib.parse import urlencode

from limen.kernel.ids import JourneyId, SessionId
from limen.modules.journey import jobs, store
from limen.modules.journey.model import Ask, Ended, Return, State
from limen.modules.journey.service.tables import tables
from limen.platform.sql import Work


async def begin(work: Work, kind: str, ask: Ask, ret: Return, browser: bytes, session: SessionId | None = None) -> JourneyId:
    """Begin a journey for the browser with this digest and, where it has one, its living session. Send the browser to `entrance(...)`."""
    walked_by = tables()
    walked_by.steps(kind)
    walked_by.resume(ret.door)
    await jobs.order_sweep(work)
    return await store.add(work, State(kind=kind, ask=ask, ret=ret, session=session), browser)


def entrance(kind: str, journey: JourneyId, locales: tuple[str, ...] = ()) -> str:
    """Return the path of a journey's first page, below the issuer; the page leads on to the step in hand, and speaks one of `locales` if it can."""
    query = {"journey": journey, "ui_locales": " ".join(locales)} if locales else {"journey": journey}
    return f"{tables().steps(kind)[0].path}?{urlencode(query)}"


async def finished(work: Work, journey: JourneyId, browser: bytes) -> Ended | None:
    """Return what came of a journey that ended in this browser, once; None if it has not ended, is another browser's, or was taken before."""
    return await store.consume(work, journey, browser)
