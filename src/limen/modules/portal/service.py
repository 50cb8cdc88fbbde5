"""What takes several subjects: telling a person that a question waits for her, and taking her answer from the session she is in."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Final

from limen.kernel.ids import AccountId, ApprovalId
from limen.modules import accounts, approvals, clients, consents, journey, notices, profiles, signin, tenants
from limen.modules.approvals import Answer, Approval, Misfit, Question
from limen.modules.sessions import Session
from limen.platform.pages import Languages
from limen.platform.sql import Reader, Work

APPROVALS: Final = "/account/approvals"
_MINUTE: Final = 60


class Weak(enum.Enum):
    """Why a yes is not taken from this session: the app asks for a stronger sign-in."""

    CAN_STEP_UP = "can_step_up"
    """She has what it takes."""
    OUT_OF_REACH = "out_of_reach"
    """She has not."""


async def tell(work: Work, approval: Approval, question: Question, issuer: str) -> None:
    """Tell a person by message that an app asks her something. The link leads to the page; nothing is decided by opening it."""
    own = await accounts.identifiers(work, approval.account)
    address = next((one.value for one in own if one.kind == accounts.EMAIL), "")
    if not address:
        return
    client = await clients.find(work, approval.client)
    values = {
        "app": client.display if client else approval.client,
        "message": question.message,
        "minutes": str(-(-int((approval.until - approval.asked).total_seconds()) // _MINUTE)),
        "link": f"{issuer}{APPROVALS}",
    }
    to = notices.Recipient(address=address, account=approval.account)
    await notices.send(work, to, "approval_asked", values, language=await _language(work, approval.account))


async def _language(reader: Reader, account: AccountId) -> str:
    """Return the language she reads: her profile's, if the tenant speaks it."""
    spoken = Languages((await tenants.find(reader)).languages)
    return spoken.choose(ui_locales=(await profiles.read(reader, account)).locale or "")


async def answer(work: Work, session: Session, approval: ApprovalId, *, yes: bool) -> Approval | Misfit | Weak:
    """Take an answer from a session. A no is taken from any; a yes from one that is as strong as the app asks."""
    held = await approvals.find(work, approval)
    if held is None or held.account != session.account:
        return Misfit.UNKNOWN
    question = await approvals.question(work, held)
    if yes and question is not None and (weak := await _weak(work, session, question)) is not None:
        return weak
    given = Answer(account=session.account, yes=yes, acr=session.acr, amr=session.amr, auth_time=session.auth_time, session=session.id)
    return await approvals.answer(work, approval, given)


async def _weak(reader: Reader, session: Session, question: Question) -> Weak | None:
    ask = step_up(question)
    if not signin.falls_short(session.acr, ask):
        return None
    return Weak.OUT_OF_REACH if await signin.still_holds(reader, session, ask) else Weak.CAN_STEP_UP


def step_up(question: Question) -> journey.Ask:
    """Return what a sign-in has to come to before she may say yes."""
    return journey.Ask(acr_values=question.acr_values)


async def in_words(reader: Reader, scopes: Iterable[str]) -> tuple[str, ...]:
    """Return what scopes mean: English texts of ours, in their order, and the tenant's own."""
    asked = tuple(scopes)
    own = {scope: text for resource in (await tenants.find(reader)).resources for scope, text in resource.scopes.items()}
    ours = (text for scope, text in consents.STANDARD.items() if scope in asked)
    return (*ours, *(own.get(one, one) for one in asked if one not in consents.STANDARD))
