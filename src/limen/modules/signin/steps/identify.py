"""Asking for the identifier alone. Nothing is looked up here, so a known and an unknown one cannot differ."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from limen.modules import accounts, clients
from limen.modules.journey import Advance, Outcome, State, Stay, Step, Switch, View
from limen.modules.signin.model import RECOVER, SIGN_IN, SIGN_UP
from limen.platform.pages import Page, _m
from limen.platform.sql import Database, Reader, Work

OFFERED: Final = "signin.offered_sign_up"
"""Mark: she was led to sign up once, so `prompt=create` does not lead her there again."""
TYPED: Final = "signin.typed"
EMAIL: Final = "email"
_LONGEST: Final = 320


class Identify(msgspec.Struct, frozen=True):
    """An address, and where to go with it."""

    identifier: str = ""
    action: str = "continue"


_ELSEWHERE: Final = {"create": SIGN_UP, "recover": RECOVER, "signin": SIGN_IN}
"""Buttons that lead to another journey, with what stands in the field."""


async def app_of(reader: Reader, state: State) -> str:
    """Return the name of the app that asks, or the empty string."""
    client = await clients.find(reader, state.ask.client) if state.ask.client else None
    return client.display if client else ""


async def nobody_named(reader: Reader, state: State) -> bool:
    """True if nobody has said yet who she is."""
    del reader
    return state.account is None and state.identifier is None


def prefill(state: State) -> str:
    """Return what stands in the field at first: what was typed before, else the app's hint."""
    return state.mark(TYPED) or state.ask.login_hint[:_LONGEST]


async def _recover_page(reader: Reader, state: State) -> Page:
    del reader
    return Page(template="signin/recover.html", title=_m("Forgot your password?"), values={"identifier": prefill(state)})


def typed(state: State, identifier: str) -> State:
    """Return the state with what stood in the field, to stand in the next one."""
    return state.marked(TYPED, identifier[:_LONGEST])


async def check(db: Database, view: View, answer: Identify) -> str | None:
    """Return the address in the form that is compared, or None if it is none: judged before the row is held, since the first time takes long."""
    del db, view
    try:
        return accounts.normalise(EMAIL, answer.identifier)
    except accounts.InvalidIdentifier:
        return None


def named(state: State, address: str) -> State:
    """Return the state of somebody who has said who she is."""
    return replace(state.unmarked(TYPED), identifier=(EMAIL, address))


def identified(state: State, answer: Identify, address: str | None) -> Outcome:
    """Go on with an address, or say what is wrong with its form."""
    if address is not None:
        return Advance(named(state, address))
    empty = not answer.identifier.strip()
    text = _m("Enter your e-mail address.") if empty else _m("This does not look like an e-mail address. Please check it.")
    return Stay(typed(state, answer.identifier), {"identifier": text})


def elsewhere(state: State, answer: Identify) -> Switch | None:
    """Return the way to another journey, if a button that leads there was pressed."""
    kind = _ELSEWHERE.get(answer.action)
    return Switch(kind, typed(state.marked(OFFERED), answer.identifier)) if kind else None


async def _settle(work: Work, view: View, answer: Identify, checked: str | None) -> Outcome:
    del work
    return elsewhere(view.state, answer) or identified(view.state, answer, checked)


RECOVER_IDENTIFY: Final = Step[Identify, str](
    name="signin.recover_identify", path="/recover", applies=nobody_named, page=_recover_page, check=check, settle=_settle, fields=Identify
)
