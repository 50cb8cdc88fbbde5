"""Adding and removing a factor: the end of journeys whose first steps see to it that the person has signed in just now."""

from __future__ import annotations

from typing import Final

import msgspec

from limen.kernel.ids import FactorId
from limen.kernel.secrets import Secret
from limen.modules import accounts, notices
from limen.modules.factors import service
from limen.modules.factors.model import Enrolled, Prepared
from limen.modules.factors.port import Answer, Factor
from limen.modules.journey import Advance, Denied, Nothing, Outcome, State, Stay, Step, View
from limen.platform.pages import Page, _m
from limen.platform.sql import Database, Reader, Work

ADD: Final = "add_factor"
REMOVE: Final = "remove_factor"
PATH: Final = "/enrol"
SECURITY: Final = "/account/security"

_KIND: Final = "factors.kind"
_MADE: Final = "factors.made"
_DONE: Final = "factors.done"
_CANCELLED: Final = "access_denied"


def makers() -> tuple[Factor, ...]:
    """Return the factors that a person can add by herself, those first that she uses each time."""
    found = [way for way in map(service.factor, service.kinds()) if way.making is not None]
    return tuple(sorted(found, key=lambda way: way.making is not None and not way.making.asks))


async def tell(work: Work, view: View, template: str) -> None:
    """Tell the account's owner, at every address it has, what was changed."""
    own = await accounts.identifiers(work, view.state.account) if view.state.account is not None else ()
    for one in (one for one in own if one.kind == accounts.EMAIL):
        to = notices.Recipient(address=one.value, account=view.state.account)
        await notices.send(work, to, template, {"link": f"{view.visitor.issuer}{SECURITY}"}, language=view.visitor.language)


async def _to_be_picked(reader: Reader, state: State) -> bool:
    del reader
    return state.account is not None and not state.mark(_KIND) and not state.mark(_DONE)


async def _choices(reader: Reader, state: State) -> Page:
    has = {one.kind for one in await service.list_of(reader, state.account)} if state.account else set()
    offers = [(way.name, way.words, way.making.why, way.name in has) for way in makers() if way.making]
    return Page(template="factors/pick.html", title=_m("Add a way to sign in"), values={"offers": offers})


async def _picked(work: Work, view: View, answer: Nothing, checked: None) -> Outcome:
    del work, checked
    state = view.state
    if answer.action == "cancel":
        return Denied(state, _CANCELLED)
    if answer.action not in {way.name for way in makers()}:
        return Stay(state)
    return Advance(state.marked(_KIND, answer.action).keeping(_MADE, service.making(answer.action).make()))


async def _to_be_shown(reader: Reader, state: State) -> bool:
    del reader
    return state.account is not None and bool(state.mark(_KIND)) and not state.mark(_DONE)


async def _fields(reader: Reader, state: State) -> type[Answer]:
    del reader
    return service.factor(state.mark(_KIND)).fields


async def _secret(reader: Reader, state: State) -> Page:
    way = service.factor(state.mark(_KIND))
    how = service.making(way.name)
    shown = await service.present(reader, state.account, way.name, state.kept[_MADE]) if state.account else {}
    return Page(template="factors/add.html", title=way.words, values={**shown, "show": how.show, "asks": how.asks})


async def _check(db: Database, view: View, answer: Answer) -> Prepared | None:
    state, visitor = view.state, view.visitor
    if answer.action != "continue":
        return None
    made = Prepared(state.mark(_KIND), Secret(state.kept[_MADE]))
    return await service.shown(db, visitor.tenant, visitor.actor, made, answer.said())


async def _settle(work: Work, view: View, answer: Answer, checked: Prepared | None) -> Outcome:
    state = view.state
    if answer.action == "cancel":
        return Denied(state.without(_MADE), _CANCELLED)
    if state.account is None or checked is None:
        way = service.factor(state.mark(_KIND))
        return Stay(state, {way.field: way.wrong})
    await service.enrol(work, state.account, checked)
    await tell(work, view, "factor_added")
    return Advance(state.without(_MADE).marked(_DONE))


class Removing(msgspec.Struct, frozen=True):
    """The buttons of the page that asks whether a factor is to go."""

    action: str = "cancel"


async def _meant(reader: Reader, state: State) -> Enrolled | None:
    """Return the factor that the journey was begun for, if the account has it."""
    if state.account is None:
        return None
    own = await service.list_of(reader, state.account)
    return next((one for one in own if one.id == state.ret.record and one.kind in {way.name for way in makers()}), None)


async def _to_be_removed(reader: Reader, state: State) -> bool:
    return not state.mark(_DONE) and await _meant(reader, state) is not None


async def _ask(reader: Reader, state: State) -> Page:
    found = await _meant(reader, state)
    words = service.factor(found.kind).words if found else ""
    return Page(template="factors/remove.html", title=_m("Remove this way to sign in?"), values={"words": words})


async def _removed(work: Work, view: View, answer: Removing, checked: None) -> Outcome:
    del checked
    state = view.state
    if answer.action != "remove" or state.account is None:
        return Denied(state, _CANCELLED)
    if await service.remove(work, state.account, FactorId(state.ret.record)):
        await tell(work, view, "factor_removed")
    return Advance(state.marked(_DONE))


STEPS: Final = (
    Step[Nothing, None](name="factors.pick", path=PATH, applies=_to_be_picked, page=_choices, settle=_picked, fields=Nothing),
    Step[Answer, Prepared](name="factors.add", path=PATH, applies=_to_be_shown, page=_secret, check=_check, settle=_settle, fields=Answer, fields_for=_fields),
    Step[Removing, None](name="factors.remove", path=PATH, applies=_to_be_removed, page=_ask, settle=_removed, fields=Removing),
)
