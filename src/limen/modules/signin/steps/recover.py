"""Another password, because it was forgotten or attackers know it: whoever proved herself chooses it, and all that was open with the old one ends."""

from __future__ import annotations

from typing import Final

import msgspec

from limen.modules import accounts, factors, notices, sessions, tenants
from limen.modules.factors import Context, Prepared, Unfit
from limen.modules.journey import Advance, Nothing, Outcome, State, Stay, Step, View
from limen.modules.signin import service
from limen.modules.signin.facts import PasswordRecovered, PasswordReplaced
from limen.modules.signin.model import RECOVER
from limen.modules.signin.steps.enter import bar_to, turned_away
from limen.modules.signin.steps.prove import ENTERED, KNOWN
from limen.platform.pages import Page, _m
from limen.platform.sql import Database, Reader, Work

PASSWORD: Final = "password"  # noqa: S105 - the name of a factor
CHANGED: Final = "signin.password_changed"
ADVICE: Final = "signin.advice"
ADMITTED: Final = "signin.admitted"


class NewPassword(msgspec.Struct, frozen=True):
    """The password chosen."""

    new_password: str = ""
    action: str = "continue"


async def _to_be_admitted(reader: Reader, state: State) -> bool:
    del reader
    wanted = state.kind == RECOVER or bool(state.mark(KNOWN))
    return wanted and state.account is not None and bool(state.proofs) and not state.mark(ADMITTED) and not state.mark(ENTERED)


async def _admit(work: Work, view: View, answer: Nothing, checked: None) -> Outcome:
    """Nobody changes anything about an account that may not be used."""
    del answer, checked
    account = view.state.account
    if account is not None and (reason := await bar_to(work, account)):
        return turned_away(work, view, account, reason)
    return Advance(view.state.marked(ADMITTED))


async def _applies(reader: Reader, state: State) -> bool:
    if state.account is None or state.mark(CHANGED) or state.mark(ENTERED):
        return False
    return PASSWORD in await service.methods(reader)


async def _is_known(reader: Reader, state: State) -> bool:
    del reader
    return state.account is not None and bool(state.mark(KNOWN)) and not state.mark(ENTERED)


async def _page(reader: Reader, state: State) -> Page:
    del reader
    return Page(
        template="signin/new_password.html",
        title=_m("Choose a new password"),
        values={
            "identifier": state.identifier[1] if state.identifier else "",
            "choose": factors.factor(PASSWORD).choose,
            "advice": advice(state),
            "known": bool(state.mark(KNOWN)),
        },
    )


async def prepare_password(db: Database, view: View, password: str) -> Prepared | Unfit:
    """Judge and hash a password that was chosen: it must not be made of what everybody knows about its owner."""
    visitor, state = view.visitor, view.state
    async with db.read(visitor.tenant) as reader:
        words = [(await tenants.find(reader)).display, *((state.identifier[1],) if state.identifier else ())]
        if state.account is not None:
            words += [value for _, value in await service.identifiers(reader, state.account)]
    return await factors.prepare(db, visitor.tenant, visitor.actor, PASSWORD, password, Context(words=tuple(words)))


async def _check(db: Database, view: View, answer: NewPassword) -> Prepared | Unfit:
    return await prepare_password(db, view, answer.new_password)


async def _settle(work: Work, view: View, answer: NewPassword, checked: Prepared | Unfit | None) -> Outcome:
    del answer
    state = view.state
    if state.account is None or checked is None:
        return Advance(state)
    if isinstance(checked, Unfit):
        return unfit(state, checked)
    await factors.enrol(work, state.account, checked)
    await sessions.end_all(work, state.account, sessions.EndReason.CREDENTIAL_CHANGED)
    happened = PasswordReplaced if state.mark(KNOWN) else PasswordRecovered
    work.record(happened(subject=state.account, journey=view.visitor.journey))
    link = {"link": f"{view.visitor.issuer}/recover"}
    for one in [one for one in await accounts.identifiers(work, state.account) if one.kind == accounts.EMAIL]:
        to = notices.Recipient(address=one.value, account=state.account)
        await notices.send(work, to, "password_changed", link, language=view.visitor.language)
    return Advance(state.marked(CHANGED).unmarked(ADVICE, KNOWN))


def unfit(state: State, found: Unfit) -> Stay:
    """Say why a password will not do, and what would make it better."""
    return Stay(state.marked(ADVICE, "\n".join(found.advice)), {"new_password": found.reason})


def advice(state: State) -> list[str]:
    """Return what would make the password better that was refused just now, for the page that asks for another."""
    return state.mark(ADVICE).splitlines()


ADMIT: Final = Step[Nothing, None](name="signin.admit", path="/recover", applies=_to_be_admitted, settle=_admit, fields=Nothing)
REPLACE_PASSWORD: Final = Step[NewPassword, Prepared | Unfit](
    name="signin.replace_password", path="/signin", applies=_is_known, page=_page, check=_check, settle=_settle, fields=NewPassword
)
NEW_PASSWORD: Final = Step[NewPassword, Prepared | Unfit](
    name="signin.new_password", path="/recover", applies=_applies, page=_page, check=_check, settle=_settle, fields=NewPassword
)
