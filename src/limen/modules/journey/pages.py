"""The pages of journeys: one GET and one POST for each path; which step they show and take, the engine decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlencode

from limen.kernel.ids import JourneyId
from limen.modules.journey.model import Ask, Return
from limen.modules.journey.port import Visitor
from limen.modules.journey.service import Goes, Lost, Shows, advance, begin, show, tables
from limen.platform.http import PUBLIC, Answer, Call, Endpoint, SeeOther
from limen.platform.pages import Action, Page, _m, message_page
from limen.platform.wire.forms import Form

PATHS: Final = ("/signin", "/signup", "/recover", "/consent", "/enrol")
"""Where steps may show themselves."""
PORTAL: Final = Return("portal", "")
"""Where a journey ends that a visitor began on her own."""
DEVICE: Final = "d"
"""The cookie by which a browser is known to have signed somebody in before."""

_LONGEST_ID: Final = 64


def _visitor(call: Call, journey: str) -> Visitor:
    device = call.cookies.get(DEVICE)
    return Visitor(
        journey=JourneyId(journey[:_LONGEST_ID]),
        tenant=call.tenant,
        actor=call.actor,
        browser=call.browser.digest(),
        language=call.language,
        issuer=call.site.issuer,
        device=device.reveal() if device else "",
    )


async def _begin(call: Call, path: str) -> Answer:
    """Begin the journey of a visitor who came on her own, and lead her to its first page."""
    kind = tables().opened_at(path)
    if kind is None:
        return lost(expired=False)
    signed_in = await call.session_now()
    async with call.work() as work:
        journey = await begin(work, kind, Ask(), PORTAL, call.browser.digest(), signed_in[1] if signed_in else None)
    return SeeOther(_speaking(call, f"{path}?journey={journey}"))


def _speaking(call: Call, to: str) -> str:
    """Carry a language asked for in the query on to the page that will remember it."""
    wanted = call.query.text("ui_locales")
    return f"{to}&{urlencode({'ui_locales': wanted})}" if wanted and to.startswith(PATHS) and "?" in to else to


def _get(path: str) -> Callable[[Call], Awaitable[Answer]]:
    async def get(call: Call) -> Answer:
        journey = call.query.text("journey")
        if not journey:
            return await _begin(call, path)
        match await show(call.db, _visitor(call, journey), path):
            case Shows(page):
                return page
            case Goes(to, cookies):
                return SeeOther(_speaking(call, to), cookies)
            case Lost(expired):
                return lost(expired=expired)

    return get


async def _post(call: Call) -> Answer:
    journey = call.form.text("journey") or call.query.text("journey")
    said = {name: value for name, value in call.form.items() if name != "journey"}
    match await advance(call.db, _visitor(call, journey), said):
        case Goes(to, cookies):
            return SeeOther(to, cookies)
        case Lost(expired):
            return lost(expired=expired)


def lost(*, expired: bool) -> Page:
    """Return the page for a journey that cannot go on here: it is too old, another browser's, or there is none."""
    again = Action(_m("Start again"), "/signin")
    if expired:
        return message_page(
            _m("This took too long"),
            _m("For your safety this page works for one hour. Nothing was changed. Go back to the app you came from and start again, or start here."),
            again,
            kind="warning",
            status=410,
        )
    return message_page(
        _m("This page cannot go on here"),
        _m(
            "It was opened in another browser, it is finished, or your browser keeps no cookies. "
            "Nothing was changed. Go back to the app you came from and start again, or start here."
        ),
        again,
        kind="warning",
        status=404,
    )


ENDPOINTS: Final = tuple(
    endpoint
    for path in PATHS
    for endpoint in (
        Endpoint(method="GET", path=path, who=PUBLIC, call=_get(path), summary="Show where a journey stands, or begin one"),
        Endpoint(method="POST", path=path, who=PUBLIC, call=_post, takes=Form, summary="Answer the page of a journey"),
    )
)
