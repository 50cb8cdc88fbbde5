"""The tenant's terms: asked for before somebody is let in, written down once she is, and asked for again when there is another version."""

from __future__ import annotations

from typing import Final

from limen.modules import tenants
from limen.modules.consents import service
from limen.modules.consents.steps.consent import Answer
from limen.modules.journey import Advance, Denied, Nothing, Outcome, State, Step, View
from limen.platform.pages import Page, _m
from limen.platform.sql import Reader, Work

AGREED: Final = "consents.agreed"
"""Mark: the version she said yes to."""
NOTED: Final = "consents.noted"


async def _applies(reader: Reader, state: State) -> bool:
    if state.account is None or state.mark(AGREED):
        return False
    return await service.terms_wanted(reader, state.account) is not None


async def _page(reader: Reader, state: State) -> Page:
    wanted = await service.terms_wanted(reader, state.account) if state.account else None
    return Page(
        template="consents/terms.html",
        title=_m("Our terms have changed") if wanted and wanted.before else _m("Our terms"),
        values={
            "tenant": (await tenants.find(reader)).display,
            "identifier": state.identifier[1] if state.identifier else "",
            "version": wanted.version if wanted else "",
            "address": wanted.address if wanted else "",
            "before": wanted.before if wanted else "",
        },
    )


async def _settle(work: Work, view: View, answer: Answer, checked: None) -> Outcome:
    del checked
    state = view.state
    wanted = await service.terms_wanted(work, state.account) if state.account else None
    if answer.action == "deny":
        return Denied(state, "access_denied")
    return Advance(state.marked(AGREED, wanted.version) if wanted else state)


async def _to_note(reader: Reader, state: State) -> bool:
    del reader
    return state.account is not None and bool(state.mark(AGREED)) and not state.mark(NOTED)


async def _note(work: Work, view: View, answer: Nothing, checked: None) -> Outcome:
    del answer, checked
    state = view.state
    if state.account is not None:
        await service.accept_terms(work, state.account, state.mark(AGREED), state.ask.client)
    return Advance(state.marked(NOTED))


TERMS: Final = Step[Answer, None](name="consents.terms", path="/consent", applies=_applies, page=_page, settle=_settle, fields=Answer)
NOTE_TERMS: Final = Step[Nothing, None](name="consents.note_terms", path="/consent", applies=_to_note, settle=_note, fields=Nothing)
"""Behind `signin.enter`: what somebody agreed to who then was not let in is nobody's word."""
