"""What somebody chooses for her account: a password, and her name where the tenant asks for it; then the account is made, in one piece."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from limen.modules import factors, profiles, signin
from limen.modules.accounts import Taken
from limen.modules.factors import Prepared, Unfit
from limen.modules.journey import Advance, Nothing, Outcome, State, Stay, Step, View
from limen.modules.signup import service
from limen.modules.signup.model import CHOSEN, FAMILY, GIVEN, MADE, NAME_DONE, PASSWORD_DONE, SECRET, Wish
from limen.platform.pages import Message, Page, _m
from limen.platform.sql import Database, Reader, Work

_LONGEST_NAME: Final = 400


class Names(msgspec.Struct, frozen=True):
    """Given and family name as typed."""

    given_name: str = ""
    family_name: str = ""
    action: str = "continue"


def _is_new(state: State) -> bool:
    """True if an address was proved and nobody has it yet, as far as this journey knows."""
    return state.account is None and bool(state.proofs)


async def _wants_password(reader: Reader, state: State) -> bool:
    return _is_new(state) and not state.mark(PASSWORD_DONE) and (await service.wishes(reader)).password is not Wish.NONE


async def _ask_password(reader: Reader, state: State) -> Page:
    return Page(
        template="signup/password.html",
        title=_m("Choose a password"),
        values={
            "identifier": state.identifier[1] if state.identifier else "",
            "choose": factors.factor(signin.PASSWORD).choose,
            "advice": signin.advice(state),
            "optional": (await service.wishes(reader)).password is Wish.OPTIONAL,
            "stages": await service.stages(reader),
        },
    )


async def _check_password(db: Database, view: View, answer: signin.NewPassword) -> Prepared | Unfit | None:
    return None if answer.action == "skip" else await signin.prepare_password(db, view, answer.new_password)


async def _take_password(work: Work, view: View, answer: signin.NewPassword, checked: Prepared | Unfit | None) -> Outcome:
    state = view.state
    if answer.action == "skip" and (await service.wishes(work)).password is Wish.OPTIONAL:
        return Advance(state.marked(PASSWORD_DONE))
    if checked is None:
        return Stay(state)
    if isinstance(checked, Unfit):
        return signin.unfit(state, checked)
    return Advance(state.marked(PASSWORD_DONE).keeping(SECRET, checked.secret.reveal()))


async def _wants_name(reader: Reader, state: State) -> bool:
    return _is_new(state) and not state.mark(NAME_DONE) and (await service.wishes(reader)).name is not Wish.NONE


async def _ask_name(reader: Reader, state: State) -> Page:
    return Page(
        template="signup/name.html",
        title=_m("What is your name?"),
        values={
            "given_name": state.mark(GIVEN),
            "family_name": state.mark(FAMILY),
            "optional": (await service.wishes(reader)).name is Wish.OPTIONAL,
            "stages": await service.stages(reader),
        },
    )


async def _take_name(work: Work, view: View, answer: Names, checked: None) -> Outcome:
    del checked
    state = view.state
    optional = (await service.wishes(work)).name is Wish.OPTIONAL
    if optional and answer.action == "skip":
        return Advance(state.marked(NAME_DONE).unmarked(GIVEN, FAMILY))
    changes = service.named(answer.given_name, answer.family_name)
    errors: dict[str, str | Message] = {**profiles.faults(changes, work.now.date())}
    if not answer.given_name.strip() and not optional:
        errors["given_name"] = _m("Enter your first name.")
    typed = state.marked(GIVEN, answer.given_name[:_LONGEST_NAME]).marked(FAMILY, answer.family_name[:_LONGEST_NAME])
    return Stay(typed, errors) if errors else Advance(typed.marked(NAME_DONE))


async def _may_make(reader: Reader, state: State) -> bool:
    del reader
    return _is_new(state)


async def _make(work: Work, view: View, answer: Nothing, checked: None) -> Outcome:
    """Make the account; somebody may have made it this instant, and then what was chosen for it here is none of its."""
    del answer, checked
    state = view.state
    match await service.make(work, state):
        case Taken(account):
            return Advance(replace(state.without(*CHOSEN), account=account))
        case (account, proofs):
            return Advance(replace(state.without(*CHOSEN).marked(MADE), account=account, proofs=(*state.proofs, *proofs)))


PASSWORD: Final = Step[signin.NewPassword, Prepared | Unfit](
    name="signup.password", path="/signup", applies=_wants_password, page=_ask_password, check=_check_password, settle=_take_password, fields=signin.NewPassword
)
NAME: Final = Step[Names, None](name="signup.name", path="/signup", applies=_wants_name, page=_ask_name, settle=_take_name, fields=Names)
CREATE: Final = Step[Nothing, None](name="signup.create", path="/signup", applies=_may_make, settle=_make, fields=Nothing)
