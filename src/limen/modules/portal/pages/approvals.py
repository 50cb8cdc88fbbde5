"""`/account/approvals`: what apps ask a person while she is not at them, and her answer. Opening the page, or a link to it, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from limen.kernel.ids import AccountId, ApprovalId, SessionId
from limen.modules import approvals, clients, journey, sessions, signin
from limen.modules.approvals import Approval, Listed, Misfit, State
from limen.modules.portal import service
from limen.modules.portal.pages.start import DOOR
from limen.modules.portal.service import APPROVALS, Weak
from limen.platform.http import SESSION, Answer, Call, Endpoint, Form, NotSignedIn, SeeOther, hear, say
from limen.platform.pages import Card, Message, Page, _m, counted
from limen.platform.sql import Reader

_EARLIER: Final = 10


@dataclass(frozen=True, slots=True)
class Shown:
    """A question as its person sees it. `words` are English texts, and the tenant's own; `message` is what the app shows on its side too."""

    id: ApprovalId
    app: str
    words: tuple[str, ...]
    details: tuple[str, ...]
    message: str
    asked: datetime
    until: datetime
    answer: str


_ANSWERS: Final = {
    State.PENDING: "",
    State.APPROVED: _m("You said yes"),
    State.DENIED: _m("You said no"),
    State.EXPIRED: _m("Not answered in time"),
}


async def show(call: Call) -> Answer:
    """List what waits for her, and below it what was asked before."""
    account, _ = call.signed_in()
    heard = hear(call)
    async with call.read() as reader:
        found = [await _shown(reader, one) for one in await approvals.list_of(reader, account)]
        now = reader.now
    values = {
        **heard.values,
        "waiting": [one for one in found if not one.answer],
        "earlier": [one for one in found if one.answer][:_EARLIER],
        "now": now,
    }
    return Page(template="portal/approvals.html", title=_m("Requests for your approval"), values=values, cookies=heard.cookies)


async def _shown(reader: Reader, listed: Listed) -> Shown:
    approval, question = listed.approval, listed.question
    client = await clients.find(reader, approval.client)
    return Shown(
        id=approval.id,
        app=client.display if client else approval.client,
        words=await service.in_words(reader, question.scopes),
        details=question.details,
        message=question.message,
        asked=approval.asked,
        until=approval.until,
        answer=_ANSWERS[approval.standing(reader.now)],
    )


async def answer(call: Call) -> Answer:
    """Take her answer; where the app asks for a stronger sign-in than this one, lead her through that first, and back here."""
    _, here = call.signed_in()
    asked, action = ApprovalId(call.form.text("approval")), call.form.text("action")
    if action not in ("approve", "deny"):
        return SeeOther(APPROVALS)
    async with call.work() as work:
        session = await sessions.keep(work, here)
        if session is None:
            raise NotSignedIn("Sign in first.")
        outcome = await service.answer(work, session, asked, yes=action == "approve")
        app = await clients.find(work, outcome.client) if isinstance(outcome, Approval) else None
    match outcome:
        case Approval():
            said = _m("You said yes to {app}.") if action == "approve" else _m("You said no to {app}. Nothing happens there.")
            return say(call, APPROVALS, remark=Message(said, {"app": app.display if app else outcome.client}))
        case Weak.CAN_STEP_UP:
            return await _step_up(call, here, asked)
        case Weak.OUT_OF_REACH:
            return say(call, APPROVALS, errors={"": _m("This app asks for a stronger way to sign in than your account has. You can only say no.")})
        case Misfit():
            return say(call, APPROVALS, errors={"": _m("This request was answered already, or its time is over.")})


async def _step_up(call: Call, here: SessionId, asked: ApprovalId) -> Answer:
    async with call.work() as work:
        held = await approvals.find(work, asked)
        question = await approvals.question(work, held) if held else None
        ask = service.step_up(question) if question else journey.Ask()
        begun = await journey.begin(work, signin.SIGN_IN, ask, journey.Return(DOOR, APPROVALS), call.browser.digest(), here)
    return SeeOther(journey.entrance(signin.SIGN_IN, begun))


async def _glance(reader: Reader, account: AccountId) -> str | Message:
    count = await approvals.waiting(reader, account)
    return counted("{count} request waits for you", "{count} requests wait for you", count) if count else _m("Nothing waits for you")


CARDS: Final = (Card(APPROVALS, _m("Requests"), 15, _m("What apps ask you while you are not at them."), _glance),)

ENDPOINTS: Final = (
    Endpoint(method="GET", path=APPROVALS, who=SESSION, call=show, summary="What apps ask a customer"),
    Endpoint(method="POST", path=APPROVALS, who=SESSION, call=answer, takes=Form, summary="Say yes or no to an app"),
)
