"""The beginning of a sign-in: who this browser already is, and which of her accounts she means."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from limen.kernel.ids import AccountId
from limen.modules import accounts, sessions, tenants
from limen.modules.journey import Advance, Ask, Nothing, Outcome, State, Step, Switch, View
from limen.modules.signin import service
from limen.modules.signin.model import SIGN_UP
from limen.modules.signin.settings import Tenant
from limen.modules.signin.steps.identify import OFFERED, app_of, typed
from limen.modules.signin.steps.prove import ENTERED
from limen.platform.pages import Message, Page, _m
from limen.platform.sql import Reader, Work

RESUMED: Final = "signin.resumed"
SELECTED: Final = "signin.selected"
KNOWN: Final = "signin.known"
"""Mark: the accounts this browser signed in before, ids with spaces between, last one first."""
_SELECT: Final = "select_account"


class Choice(msgspec.Struct, frozen=True):
    """Which account: the one signed in (`continue`), one used before (`use`), or one to be asked for (`another`); `forget` takes one off the list."""

    account: AccountId = AccountId("")
    action: str = "continue"


async def _wants_account(reader: Reader, state: State) -> bool:
    del reader
    return "create" in state.ask.prompt and not state.mark(OFFERED)


def past_create(state: State) -> State:
    """Return the state of somebody who was led to sign up already, so that `prompt=create` does not lead her there again."""
    return state.marked(OFFERED)


async def _to_sign_up(work: Work, view: View, answer: Nothing, checked: None) -> Outcome:
    del work, answer, checked
    return Switch(SIGN_UP, past_create(view.state))


async def _is_somebody(reader: Reader, state: State) -> bool:
    """True if somebody is signed in here, or was before and is to choose, or the app says who it has to be."""
    del reader
    here = state.session is not None or state.ask.account is not None or _SELECT in state.ask.prompt
    return here and state.account is None and not state.mark(RESUMED)


async def _resume(work: Work, view: View, answer: Nothing, checked: None) -> Outcome:
    """Take the session's account, unless the app means somebody else: then say whom."""
    del answer, checked
    state = view.state.marked(RESUMED)
    session = await sessions.find(work, state.session) if state.session else None
    state = replace(state, session=session.id if session else None)
    if _SELECT in state.ask.prompt and state.ask.account is None:
        state = state.marked(KNOWN, await _used_here(work, view))
    own = await service.identifiers(work, session.account) if session else ()
    if session is not None and own and _is_meant(state.ask, session.account, own):
        return Advance(replace(state, account=session.account, identifier=own[0]))
    return Advance(await _expecting(work, view, state) if state.ask.account or own else state)


async def _used_here(reader: Reader, view: View) -> str:
    """Return the accounts that this browser signed in, as the mark has them; none where the tenant wants them listed to nobody."""
    device = await service.device_of(reader, view.visitor.device)
    listed = (await tenants.settings(reader, Tenant.section, Tenant)).lists_accounts
    return " ".join(reversed(device.accounts)) if listed else ""


def _is_meant(ask: Ask, account: AccountId, own: tuple[tuple[str, str], ...]) -> bool:
    """True unless an app hints at another account than this one, which has these identifiers."""
    if ask.account is not None:
        return ask.account == account
    hinted = _address(ask.login_hint)
    return not hinted or (accounts.EMAIL, hinted) in own


def _address(hint: str) -> str:
    """Return the address that a login_hint is, in the form that is compared; empty if it is none."""
    try:
        return accounts.normalise(accounts.EMAIL, hint)
    except accounts.InvalidIdentifier:
        return ""


async def _expecting(work: Work, view: View, state: State) -> State:
    """Return the state whose next page says which account the app expects.

    Its address is said where the app gave it, or where this browser signed it in before: an ID token need not hold it, and whoever has
    one must not learn it here.
    """
    ask, address = state.ask, _address(state.ask.login_hint)
    if ask.account is not None:
        known = ask.account in (await service.device_of(work, view.visitor.device)).accounts
        address = next((value for _, value in await service.identifiers(work, ask.account)), "") if known else ""
        state = typed(state, address) if address else state
    named = _m("{app} expects the account {account}. Sign in with it to go on.")
    used = _m("{app} expects the account that you used there before. Sign in with it to go on.")
    remarks = [Message(named if address else used, {"app": await app_of(work, state), "account": address}, kind="info")]
    if state.session is not None:
        remarks.append(Message(_m("Another account is signed in here. It is signed out when you sign in with this one."), kind="info"))
    return state.saying(*remarks)


async def _may_choose(reader: Reader, state: State) -> bool:
    """True until she has chosen: on this page, by saying who she is, or by proving it."""
    del reader
    if _SELECT not in state.ask.prompt or not state.mark(RESUMED):
        return False
    if state.mark(SELECTED) or state.mark(ENTERED) or state.proofs:
        return False
    return state.account is not None or (state.identifier is None and bool(state.mark(KNOWN)))


async def _choices(reader: Reader, state: State) -> Page:
    """Show who is signed in, and who was before in this very browser: nothing of anybody else."""
    before = [(one, await service.identifiers(reader, one)) for one in _known(state) if one != state.account]
    return Page(
        template="signin/select_account.html",
        title=_m("Choose an account"),
        values={
            "identifier": state.identifier[1] if state.identifier else "",
            "before": tuple((account, own[0][1]) for account, own in before if own),
        },
    )


def _known(state: State) -> tuple[AccountId, ...]:
    return tuple(AccountId(one) for one in state.mark(KNOWN).split())


async def _chosen(work: Work, view: View, answer: Choice, checked: None) -> Outcome:
    del checked
    state = view.state.marked(SELECTED)
    known = answer.account in _known(state)
    match answer.action:
        case "use" if known and answer.account != state.account:
            own = await service.identifiers(work, answer.account)
            return Advance(replace(state, account=None, identifier=own[0] if own else None))
        case "forget" if known:
            return await _forgotten(work, view, answer.account)
        case "continue" if state.account is not None:
            return Advance(state)
        case _:
            return Advance(replace(state, account=None, identifier=None))


async def _forgotten(work: Work, view: View, account: AccountId) -> Outcome:
    """Take an account off this browser's list, and show what is left of it."""
    state = view.state.marked(KNOWN, " ".join(one for one in _known(view.state) if one != account))
    cookie = await service.forgetting_cookie(work, await service.device_of(work, view.visitor.device), account)
    return Advance(state.saying(_m("This browser does not remember the account any more. The account itself is as it was.")), cookies=(cookie,))


CREATE: Final = Step[Nothing, None](name="signin.create", path="/signin", applies=_wants_account, settle=_to_sign_up, fields=Nothing)
"""`prompt=create` (Initiating User Registration via OpenID Connect 1.0)."""
RESUME: Final = Step[Nothing, None](name="signin.resume", path="/signin", applies=_is_somebody, settle=_resume, fields=Nothing)
SELECT_ACCOUNT: Final = Step[Choice, None](name="signin.select_account", path="/signin", applies=_may_choose, page=_choices, settle=_chosen, fields=Choice)
