"""The one place where proofs become a session: every journey that ends signed in ends with this step."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from limen.kernel.ids import AccountId
from limen.modules import accounts
from limen.modules.accounts import AccountState
from limen.modules.journey import Denied, Entered, Nothing, Outcome, Passed, Refused, State, Step, Switch, View
from limen.modules.signin import service
from limen.modules.signin.facts import SignInRefused
from limen.modules.signin.model import SIGN_IN, judge
from limen.modules.signin.steps.arrive import past_create
from limen.modules.signin.steps.prove import ENTERED, nobody
from limen.platform.pages import _m
from limen.platform.sql import Reader, Work

_CLOSED_DOOR: Final = _m("This account cannot be used at the moment. If you think that is wrong, ask our support.")


async def _applies(reader: Reader, state: State) -> bool:
    del reader
    return state.account is not None and bool(state.proofs) and not state.mark(ENTERED)


async def bar_to(work: Work, account: AccountId) -> str:
    """Return why an account may not be used, as a code for the log; empty if it may."""
    found = await accounts.keep(work, account)
    if found is None:
        return "account_gone"
    return "" if found.state is AccountState.REGISTERED else f"account_{found.state.value}"


def turned_away(work: Work, view: View, account: AccountId | None, reason: str) -> Outcome:
    """Refuse somebody who has proved who she is, and let her begin as somebody else."""
    work.record(SignInRefused(subject=account, journey=view.visitor.journey, reason=reason, client=view.state.ask.client))
    state = replace(nobody(replace(view.state, identifier=None)), session=None, marks={})
    return Switch(SIGN_IN, past_create(state), {"": _CLOSED_DOOR})


async def _settle(work: Work, view: View, answer: Nothing, checked: None) -> Outcome:
    del answer, checked
    state = view.state
    if state.account is None:
        raise ValueError("nobody to let in")
    if reason := await bar_to(work, state.account):
        return turned_away(work, view, state.account, reason)
    if await service.owes_second(work, state.account, state.proofs):
        return Switch(SIGN_IN, past_create(state))
    before_account = any(proof.account is None for proof in state.proofs)
    verdict = judge(state.account, state.proofs, await service.identifiers(work, state.account) if before_account else ())
    match verdict:
        case Refused(reason):
            return turned_away(work, view, state.account, reason)
        case Passed() if state.ask.account not in (None, state.account):
            work.record(SignInRefused(subject=state.account, journey=view.visitor.journey, reason="another_account_expected", client=state.ask.client))
            return Denied(state, "login_required")
        case Passed():
            opened, cookies = await service.open_session(work, view, verdict)
            return Entered(replace(state.marked(ENTERED), session=opened.session.id, proofs=()), cookies)


ENTER: Final = Step[Nothing, None](name="signin.enter", path="/signin", applies=_applies, settle=_settle, fields=Nothing)
