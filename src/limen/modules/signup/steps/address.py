"""First the address is proved: one that nobody proved reserves nothing, and one that has an account leads to it."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from limen.modules import accounts, factors, signin
from limen.modules.factors import Answer, Checked
from limen.modules.journey import Advance, Nothing, Outcome, State, Step, Switch, View
from limen.modules.signup import service
from limen.modules.signup.model import CHOSEN, MADE
from limen.platform.pages import Page, _m
from limen.platform.sql import Reader, Work


async def _no_address(reader: Reader, state: State) -> bool:
    del reader
    return state.account is None and state.identifier is None


async def _ask_address(reader: Reader, state: State) -> Page:
    typed = signin.prefill(state)
    return Page(
        template="signup/identify.html",
        title=_m("Create your account"),
        values={"identifier": typed, "app": await signin.app_of(reader, state), "stages": await service.stages(reader)},
        common=not typed,
    )


async def _take_address(work: Work, view: View, answer: signin.Identify, checked: str | None) -> Outcome:
    del work
    if answer.action == "signin":
        return Switch(signin.SIGN_IN, signin.typed(view.state, answer.identifier))
    return signin.identified(view.state, answer, checked)


async def _ask_code(reader: Reader, state: State) -> Page:
    return Page(
        template="signup/prove.html",
        title=_m("Check your e-mail"),
        values={
            "identifier": state.identifier[1] if state.identifier else "",
            "again_in": await signin.resend_in(reader, state),
            "meant": await service.suggestion(reader, state) or "",
            "ask": factors.factor(signin.MAILBOX).ask,
            "stages": await service.stages(reader),
        },
    )


async def _take_code(work: Work, view: View, answer: Answer, checked: Checked | None) -> Outcome:
    match answer.action:
        case "resend":
            return Advance(signin.resend(view.state))
        case "another":
            return Advance(signin.nobody(view.state))
        case "meant":
            return signin.identified(signin.nobody(view.state), signin.Identify(), await service.suggestion(work, view.state))
        case _:
            return await signin.proved(work, view, checked)


async def _is_taken(reader: Reader, state: State) -> bool:
    """True if the address that was proved has an account which this journey did not make."""
    if not state.proofs or state.identifier is None or state.mark(MADE) or state.mark(signin.ENTERED):
        return False
    return state.account is not None or await accounts.by_normal(reader, *state.identifier) is not None


async def _say_taken(reader: Reader, state: State) -> Page:
    del reader
    return Page(
        template="signup/existing.html",
        title=_m("You already have an account"),
        values={"identifier": state.identifier[1] if state.identifier else ""},
    )


async def _go_on_signing_in(work: Work, view: View, answer: Nothing, checked: None) -> Outcome:
    """Lead her to the account there is. What she chose for one of her own is none of its."""
    del checked
    state = view.state.without(*CHOSEN)
    if answer.action == "another":
        return Advance(signin.nobody(state))
    found = await accounts.by_normal(work, *state.identifier) if state.identifier else None
    if found is None:
        return Advance(replace(state, account=None))
    return Switch(signin.SIGN_IN, signin.past_create(replace(state, account=found.id)))


IDENTIFY: Final = Step[signin.Identify, str](
    name="signup.identify", path="/signup", applies=_no_address, page=_ask_address, check=signin.check_address, settle=_take_address, fields=signin.Identify
)
PROVE: Final = Step[Answer, Checked](
    name="signup.prove",
    path="/signup",
    applies=signin.no_mailbox_yet,
    page=_ask_code,
    check=signin.check,
    settle=_take_code,
    fields=Answer,
    fields_for=signin.fields_of,
)
EXISTING: Final = Step[Nothing, None](name="signup.existing", path="/signup", applies=_is_taken, page=_say_taken, settle=_go_on_signing_in, fields=Nothing)
