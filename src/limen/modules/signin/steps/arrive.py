"""The beginning of a sign-in: who this browser already is, and which of her accounts she means."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from limen.kernel.ids import AccountId
from limen.modules import accounts, sessions
from limen.modules.journey import Advance, Ask, Nothing, Outcome, State, Step, Switch, View
from limen.modules.signin import service
from limen.modules.signin.model import SIGN_UP
from limen.modules.signin.steps.identify import OFFERED, app_of, typed
from limen.platform.pages import Message, Page, _m
from limen.platform.sql import Reader, Work

RESUMED: Final = "signin.resumed"
SELECTED: Final = "signin.selected"


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
    """True if somebody is signed in here, or the app says who it has to be."""
    del reader
    return (state.session is not None or state.ask.account is not None) and state.account is None and not state.mark(RESUMED)


async def _resume(work: Work, view: View, answer: Nothing, checked: None) -> Outcome:
    """Take the session's account, unless the app means somebody else: then say whom."""
    del answer, checked
    state = view.state.marked(RESUMED)
    session = await sessions.find(work, state.session) if state.session else None
    state = replace(state, session=session.id if session else None)
    own = await service.identifiers(work, session.account) if session else ()
    if session is not None and own and _is_meant(state.ask, session.account, own):
        return Advance(replace(state, account=session.account, identifier=own[0]))
    return Advance(await _expecting(work, view, state) if state.ask.account or own else state)


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
    del reader
    return state.account is not None and bool(state.mark(RESUMED)) and "select_account" in state.ask.prompt and not state.mark(SELECTED)


async def _choices(reader: Reader, state: State) -> Page:
    del reader
    return Page(
        template="signin/select_account.html",
        title=_m("Choose an account"),
        values={"identifier": state.identifier[1] if state.identifier else ""},
    )


async def _chosen(work: Work, view: View, answer: Nothing, checked: None) -> Outcome:
    del work, checked
    state = view.state.marked(SELECTED)
    if answer.action == "another":
        return Advance(replace(state, account=None, identifier=None))
    return Advance(state)


CREATE: Final = Step[Nothing, None](name="signin.create", path="/signin", applies=_wants_account, settle=_to_sign_up, fields=Nothing)
"""`prompt=create` (Initiating User Registration via OpenID Connect 1.0)."""
RESUME: Final = Step[Nothing, None](name="signin.resume", path="/signin", applies=_is_somebody, settle=_resume, fields=Nothing)
SELECT_ACCOUNT: Final = Step[Nothing, None](name="signin.select_account", path="/signin", applies=_may_choose, page=_choices, settle=_chosen, fields=Nothing)
