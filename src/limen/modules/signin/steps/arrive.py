"""The beginning of a sign-in: who this browser already is, and which of her accounts she means."""

from __future__ import annotations

import dataclasses
from typing import Final

from limen.modules import accounts, sessions
from limen.modules.journey import Advance, Nothing, Outcome, State, Step, Switch, View
from limen.modules.signin import service
from limen.modules.signin.model import SIGN_UP
from limen.modules.signin.steps.identify import OFFERED
from limen.platform.pages import Page, _m
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


async def _came_signed_in(reader: Reader, state: State) -> bool:
    del reader
    return state.session is not None and state.account is None and not state.mark(RESUMED)


async def _resume(work: Work, view: View, answer: Nothing, checked: None) -> Outcome:
    """Take the session's account, unless the app hints at somebody else."""
    del answer, checked
    state = view.state.marked(RESUMED)
    session = await sessions.find(work, state.session) if state.session else None
    if session is None:
        return Advance(dataclasses.replace(state, session=None))
    own = await service.identifiers(work, session.account)
    if not own or (state.ask.login_hint and not _is_one_of(state.ask.login_hint, own)):
        return Advance(state)
    return Advance(dataclasses.replace(state, account=session.account, identifier=own[0]))


def _is_one_of(hint: str, own: tuple[tuple[str, str], ...]) -> bool:
    """True if a hint is one of the identifiers, or cannot be one at all."""
    try:
        return ("email", accounts.normalise("email", hint)) in own
    except accounts.InvalidIdentifier:
        return True


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
        return Advance(dataclasses.replace(state, account=None, identifier=None))
    return Advance(state)


CREATE: Final = Step[Nothing, None](name="signin.create", path="/signin", applies=_wants_account, settle=_to_sign_up, fields=Nothing)
"""`prompt=create` (Initiating User Registration via OpenID Connect 1.0)."""
RESUME: Final = Step[Nothing, None](name="signin.resume", path="/signin", applies=_came_signed_in, settle=_resume, fields=Nothing)
SELECT_ACCOUNT: Final = Step[Nothing, None](name="signin.select_account", path="/signin", applies=_may_choose, page=_choices, settle=_chosen, fields=Nothing)
