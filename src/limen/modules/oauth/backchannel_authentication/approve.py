"""`POST /dev/approve`: answers a back-channel request in dev mode, in the name of the person it asks. In production it does not exist.

As JSON, or in the query with no body: the OpenID Foundation's plan calls an address with the request and `allow` or `deny` in it.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import msgspec

from limen.kernel.errors import Kind, LimenError
from limen.kernel.facts import Actor, ActorKind
from limen.modules import accounts, approvals
from limen.modules.approvals import AlreadySettled, Misfit
from limen.modules.oauth import ciba, store
from limen.platform.http import DEV, Answer, Call, Endpoint, Json, as_problem
from limen.platform.wire import bodies

_USUAL: Final = "aal1"
_AMR: Final = ("pwd",)


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which request, who answers, and what."""

    auth_req_id: str
    account: str
    """An identifier of hers, such as an e-mail address."""
    decision: Literal["approve", "allow", "deny"]
    """`allow` is `approve` in the plan's words."""


class Settled(msgspec.Struct, frozen=True):
    """How the question stands now."""

    state: approvals.State


class NothingAsked(LimenError):
    """No such request waits for this person."""

    kind: ClassVar[Kind] = Kind.NOT_FOUND
    code: ClassVar[str] = "nothing_asked"


async def _approve(call: Call) -> Answer:
    wish = call.query.into(Wish) if call.query_string else bodies.read(call.raw, Wish)
    async with call.read() as reader:
        account = await accounts.by_identifier(reader, accounts.EMAIL, wish.account)
    if account is None:
        raise NothingAsked("There is no account with this identifier.")
    async with call.db.work(call.tenant, Actor(ActorKind.CUSTOMER, account.id, call.origin)) as work:
        kept = await store.backchannel.find(work, ciba.digest_of(wish.auth_req_id))
        if kept is None or kept.approval is None:
            raise NothingAsked("No such request waits for anybody.")
        asked = await approvals.find(work, kept.approval)
        question = await approvals.question(work, asked) if asked else None
        acr = question.acr_values[0] if question and question.acr_values else _USUAL
        given = approvals.Answer(account=account.id, yes=wish.decision != "deny", acr=acr, amr=_AMR, auth_time=work.now)
        outcome = await approvals.answer(work, kept.approval, given)
    match outcome:
        case Misfit.UNKNOWN:
            raise NothingAsked("The request asks another person.")
        case Misfit():
            raise AlreadySettled("The request was answered, or its time is over.")
        case approvals.Approval():
            return Json(Settled(outcome.state))


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/dev/approve",
        who=DEV,
        call=_approve,
        summary="Answer a back-channel request in the name of the person it asks.",
        takes=bytes,
        gives=Settled,
        csrf=False,
        refusals=(NothingAsked, AlreadySettled, accounts.InvalidIdentifier, bodies.BadJson),
        refuse=as_problem,
    ),
)
