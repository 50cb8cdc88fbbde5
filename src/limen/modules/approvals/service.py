"""Use cases of approvals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from limen.kernel import ids
from limen.kernel.ids import AccountId, ApprovalId, ClientId
from limen.modules import keys, tenants
from limen.modules.approvals import jobs, store
from limen.modules.approvals.facts import ApprovalAsked, ApprovalDenied, ApprovalGiven, AskingLimited
from limen.modules.approvals.model import HOUR, PREFIX, Answer, Approval, Misfit, Pace, Question, State, Unasked
from limen.modules.approvals.settings import Tenant
from limen.platform.sql import Reader, Work

LISTED: Final = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """A question with its text."""

    approval: Approval
    question: Question


async def ask(work: Work, account: AccountId, client: ClientId, question: Question, lives: timedelta) -> Approval | Unasked:
    """Put an app's question to a person; `Unasked` where it would be too much for her. Telling her is for whoever asks."""
    await store.hold_turn(work, account)
    limits = await tenants.settings(work, Tenant.section, Tenant)
    pace = await store.pace(work, account, client, work.now - max(2 * HOUR, limits.pause + HOUR))
    unasked = _paced(pace, limits, work.now)
    if unasked is not None:
        work.record(AskingLimited(subject=account, client=client, reason=unasked.value))
        return unasked
    made = Approval(
        id=ApprovalId(ids.new(PREFIX, work.now)),
        account=account,
        client=client,
        state=State.PENDING,
        asked=work.now,
        until=work.now + lives,
        answered=None,
        session=None,
        acr="",
        amr=(),
        auth_time=None,
        used=None,
    )
    await store.add(work, made, question, await keys.subject_box(work, account))
    await jobs.order(work, made.id, lives)
    work.record(ApprovalAsked(subject=account, approval=made.id, client=client, scopes=question.scopes))
    return made


def _paced(pace: Pace, limits: Tenant, now: datetime) -> Unasked | None:
    if pace.denied is not None and now < pace.denied + limits.pause:
        return Unasked.DENIED_LATELY
    if pace.open >= limits.open_at_once:
        return Unasked.TOO_MANY_OPEN
    if pace.of_client >= limits.per_hour or pace.of_all >= limits.per_hour_in_all:
        return Unasked.TOO_OFTEN
    return None


async def answer(work: Work, approval: ApprovalId, given: Answer) -> Approval | Misfit:
    """Take a person's answer to a question put to her. Whether she is signed in strongly enough is for whoever knows her session."""
    held = await store.take(work, approval)
    if held is None or held.account != given.account:
        return Misfit.UNKNOWN
    standing = held.standing(work.now)
    if standing is not State.PENDING:
        return Misfit.EXPIRED if standing is State.EXPIRED else Misfit.SETTLED
    await store.answer(work, approval, given)
    if given.yes:
        work.record(ApprovalGiven(subject=held.account, approval=approval, client=held.client, session=given.session, acr=given.acr))
    else:
        work.record(ApprovalDenied(subject=held.account, approval=approval, client=held.client, session=given.session))
    return await store.find(work, approval) or held


async def find(reader: Reader, approval: ApprovalId) -> Approval | None:
    """Return how a question stands."""
    return await store.find(reader, approval)


async def question(reader: Reader, approval: Approval) -> Question | None:
    """Return what is asked; None once its person is forgotten."""
    try:
        return await store.question(reader, approval.id, await keys.subject_box(reader, approval.account))
    except keys.Forgotten:
        return None


async def use(work: Work, approval: ApprovalId) -> Approval | None:
    """Use a person's yes: what she allowed is about to be done, once. None where there is none, or it was used or taken back."""
    return await store.use(work, approval)


async def waiting(reader: Reader, account: AccountId) -> int:
    """Return how many questions wait for an account."""
    return await store.waiting(reader, account)


async def list_of(reader: Reader, account: AccountId) -> tuple[Listed, ...]:
    """Return an account's questions of the last weeks, the latest first, fifty at most."""
    found = await store.list_of(reader, account, "", LISTED)
    if not found:
        return ()
    box = await keys.subject_box(reader, account)
    return tuple(Listed(approval, store.opened(reader, approval.id, sealed, box)) for approval, sealed in found)
