"""Asking for a factor: the tenant's first method, with a button for each other. Nothing here depends on whether there is an account."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from limen.modules import factors, sessions
from limen.modules.factors import Answer, Checked
from limen.modules.journey import Advance, Nothing, Outcome, Proof, State, Stay, Step, Switch, View
from limen.modules.signin import service
from limen.modules.signin.facts import PasswordExposed
from limen.modules.signin.model import RECOVER, SIGN_UP, Exposed
from limen.modules.signin.service import AGAIN, SENT, Misfit
from limen.modules.signin.steps.identify import TYPED, app_of
from limen.platform.pages import Page, _m
from limen.platform.sql import Database, Reader, Work

METHOD: Final = "signin.method"
"""Mark: the factor the page asks for, where it is not the tenant's first."""
ENTERED: Final = "signin.entered"
"""Mark: a session was opened in this journey."""
KNOWN: Final = "signin.password_known"
"""Mark: attackers know the password that was shown, so another is chosen."""
MAILBOX: Final = "email_code"
"""The factor that proves an address."""
BY_MAILBOX: Final = frozenset({RECOVER, SIGN_UP})
"""The journeys that begin with it, whatever the tenant's methods."""


async def needs_proof(reader: Reader, state: State) -> bool:
    """True if what is known does not let anybody in yet."""
    if state.mark(ENTERED):
        return False
    if state.account is None:
        return True
    if state.proofs:
        return not await service.is_enough(reader, state)
    session = await sessions.find(reader, state.session) if state.session else None
    return session is None or session.account != state.account or not await service.still_holds(reader, session, state.ask)


async def method(reader: Reader, state: State) -> str:
    """Return the factor that is asked for now."""
    if state.kind in BY_MAILBOX and not await second_owed(reader, state):
        return MAILBOX
    left = await ways(reader, state)
    chosen = state.mark(METHOD)
    return chosen if chosen in left else left[0]


async def second_owed(reader: Reader, state: State) -> bool:
    """True if something was proved, and a second factor is asked of whoever that is before she may go on."""
    return state.account is not None and bool(state.proofs) and await service.owes_second(reader, state.account, state.proofs)


async def ways(reader: Reader, state: State) -> tuple[str, ...]:
    """Return the factors that may be asked for now: the tenant's before the first proof, whoever it is; then what she has added, alone while it is owed."""
    shown = {proof.factor for proof in state.proofs}
    added = await service.seconds(reader, state.account) if state.account is not None and shown else ()
    if await second_owed(reader, state):
        return added
    offered = await service.methods(reader)
    return tuple(kind for kind in (*added, *offered) if kind not in shown) or offered


async def fields_of(reader: Reader, state: State) -> type[Answer]:
    """Return the fields of the page in hand: those of the factor it asks for."""
    return factors.factor(await method(reader, state)).fields


async def _applies(reader: Reader, state: State) -> bool:
    return state.identifier is not None and await needs_proof(reader, state)


async def no_mailbox_yet(reader: Reader, state: State) -> bool:
    """True if an address was given and not proved."""
    del reader
    return state.identifier is not None and not state.mark(ENTERED) and all(proof.factor != MAILBOX for proof in state.proofs)


async def _owes_before_change(reader: Reader, state: State) -> bool:
    return not state.mark(ENTERED) and await second_owed(reader, state)


async def _must_send(reader: Reader, state: State) -> bool:
    """True if the page to come asks for a code that was not sent."""
    if state.identifier is None:
        return False
    wanted = await (no_mailbox_yet if state.kind in BY_MAILBOX else needs_proof)(reader, state)
    if not wanted:
        return False
    kind = await method(reader, state)
    return factors.factor(kind).challenge is not None and state.mark(SENT) != kind


async def _send(work: Work, view: View, answer: Nothing, checked: None) -> Outcome:
    del answer, checked
    state, errors = await service.send(work, view, await method(work, view.state))
    return Advance(state, errors)


async def _page(reader: Reader, state: State) -> Page:
    kind = await method(reader, state)
    way = factors.factor(kind)
    others = [factors.factor(name) for name in await ways(reader, state) if name != kind]
    return Page(
        template="signin/prove.html",
        title=_m("One more step") if state.proofs else _m("Sign in"),
        values={
            "identifier": state.identifier[1] if state.identifier else "",
            "ask": way.ask,
            "together": False,
            "sends": way.challenge is not None,
            "others": [(one.name, one.offer) for one in others],
            "forgot": kind == "password",
            "again": state.account is not None and not state.proofs,
            "more": bool(state.proofs),
            "goes_on": state.kind in BY_MAILBOX,
            "again_in": await service.resend_in(reader, state),
            "app": await app_of(reader, state),
        },
    )


async def _recover_page(reader: Reader, state: State) -> Page:
    return Page(
        template="signin/recover_prove.html",
        title=_m("Check your e-mail"),
        values={
            "identifier": state.identifier[1] if state.identifier else "",
            "ask": factors.factor(MAILBOX).ask,
            "again_in": await service.resend_in(reader, state),
        },
    )


async def check(db: Database, view: View, answer: Answer) -> Checked | None:
    """Have the host check the answer to the factor asked for."""
    async with db.read(view.visitor.tenant) as reader:
        kind = await method(reader, view.state)
    return await service.check(db, view, kind, answer)


async def _settle(work: Work, view: View, answer: Answer, checked: Checked | None) -> Outcome:
    state = view.state
    if answer.action in await ways(work, state):
        return Advance(state.marked(METHOD, answer.action).unmarked(SENT))
    match answer.action:
        case "resend":
            return Advance(resend(state))
        case "another":
            return Advance(nobody(state))
        case "recover" if state.account is None:
            return Switch(RECOVER, state.unmarked(SENT, METHOD))
        case _:
            return await proved(work, view, checked)


async def proved(work: Work, view: View, checked: Checked | None) -> Outcome:
    """Go on with the proof the check came to, or say why there is none."""
    state = view.state
    found = await service.answered(work, await method(work, state), checked)
    if isinstance(found, Misfit):
        return Stay(state, found.errors)
    if state.account is not None and found.account != state.account:
        return Stay(state, {"": _m("This belongs to another account. Sign in with the account you began with.")})
    if not isinstance(checked, Exposed):
        return Advance(_with(state, found))
    work.record(PasswordExposed(subject=found.account, journey=view.visitor.journey))
    return Advance(_with(state, found).marked(KNOWN))


def _with(state: State, proof: Proof) -> State:
    return replace(state.unmarked(METHOD, SENT), proofs=(*state.proofs, proof), account=proof.account)


def resend(state: State) -> State:
    """Return the state in which a new code is sent next."""
    return state.marked(AGAIN).unmarked(SENT)


def nobody(state: State) -> State:
    """Return the state of somebody who has yet to say who she is; what was typed can be corrected."""
    typed = state.identifier[1] if state.identifier and state.account is None else ""
    return replace(state.unmarked(METHOD, SENT, AGAIN, KNOWN), account=None, identifier=None, proofs=()).marked(TYPED, typed)


SEND_CODE: Final = Step[Nothing, None](name="signin.send_code", path="/signin", applies=_must_send, settle=_send, fields=Nothing)
"""Automatic: whatever road asks for a code next, it is sent once, and again when asked for."""
PROVE: Final = Step[Answer, Checked](
    name="signin.prove", path="/signin", applies=_applies, page=_page, check=check, settle=_settle, fields=Answer, fields_for=fields_of
)
SECOND: Final = Step[Answer, Checked](
    name="signin.second", path="/recover", applies=_owes_before_change, page=_page, check=check, settle=_settle, fields=Answer, fields_for=fields_of
)
"""Who proved a mailbox alone changes nothing of an account that has more to show."""
RECOVER_PROVE: Final = Step[Answer, Checked](
    name="signin.recover_prove", path="/recover", applies=no_mailbox_yet, page=_recover_page, check=check, settle=_settle, fields=Answer, fields_for=fields_of
)
