"""Answering for a person over HTTP: an app of the operator's own, in which she is signed in, shows her the question and brings her answer."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from limen.kernel.ids import ApprovalId, SessionId
from limen.modules import approvals, sessions
from limen.modules.approvals import AlreadySettled, Misfit, NoSuchApproval
from limen.modules.portal import service
from limen.modules.portal.errors import TooWeak
from limen.modules.portal.service import Weak
from limen.platform.http import Answer, Call, Endpoint, no_content, scope


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Her answer, and the session she gives it from."""

    session: Annotated[SessionId, msgspec.Meta(description="The `sid` of the person's session, as ID tokens name it: how strongly she signed in counts.")]
    decision: Annotated[Literal["approve", "deny"], msgspec.Meta(description="What she said.")]


async def _answer(call: Call) -> Answer:
    said = call.taken(Decision)
    async with call.work() as work:
        session = await sessions.keep(work, said.session)
        if session is None:
            raise sessions.NoSuchSession("There is no such session, or it has ended.")
        outcome = await service.answer(work, session, ApprovalId(call.parts["approval"]), yes=said.decision == "approve")
    match outcome:
        case Misfit.UNKNOWN:
            raise NoSuchApproval("There is no such question to the person of this session.")
        case Misfit():
            raise AlreadySettled("The question was answered, or its time is over.")
        case Weak():
            raise TooWeak("The app asks for a stronger sign-in than this session's.")
        case approvals.Approval():
            return no_content()


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/api/v1/approvals/{approval}",
        who=scope("limen:approvals:write"),
        call=_answer,
        takes=Decision,
        summary="Answer an app's question for the person signed in",
        parts={"approval": "The question's id."},
        status=204,
        refusals=(NoSuchApproval, AlreadySettled, TooWeak, sessions.NoSuchSession),
    ),
)
