"""The first page of a sign-in: the address and, where the tenant's first method asks for what a person knows, that beside it.

One page less for her, and her password manager fills both at once. What it shows depends on the tenant alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, cast

import msgspec

from limen.modules import factors
from limen.modules.factors import Answer, Checked, Factor
from limen.modules.journey import Advance, Outcome, State, Step, View
from limen.modules.signin import service
from limen.modules.signin.steps.identify import Identify, app_of, elsewhere, identified, named, nobody_named, prefill
from limen.modules.signin.steps.identify import check as check_address
from limen.modules.signin.steps.prove import METHOD, proved
from limen.platform.pages import Page, _m
from limen.platform.sql import Database, Reader, Work


@dataclass(frozen=True, slots=True)
class Checks:
    """What came of an answer: the address in the form that is compared, and what the factor's host found."""

    address: str | None
    checked: Checked | None = None


async def _beside(reader: Reader) -> Factor | None:
    """Return the factor asked for beside the address: the tenant's first, unless it has to send something there before."""
    way = factors.factor((await service.methods(reader))[0])
    return way if way.challenge is None else None


@cache
def _both(fields: type[Answer]) -> type[Identify]:
    """Return the fields of a page that asks for the address and a factor's answer: an `Answer` that reads like an `Identify` too."""
    made = msgspec.defstruct(f"Identify{fields.__name__}", [("identifier", str, "")], bases=(fields,), frozen=True)
    return cast("type[Identify]", made)  # structs cannot have two bases with fields


async def _fields(reader: Reader, state: State) -> type[Identify]:
    del state
    way = await _beside(reader)
    return _both(way.fields) if way else Identify


async def _page(reader: Reader, state: State) -> Page:
    way = await _beside(reader)
    others = [factors.factor(name) for name in (await service.methods(reader))[1:]] if way else []
    typed = prefill(state)
    return Page(
        template="signin/identify.html",
        title=_m("Sign in"),
        values={
            "identifier": typed,
            "app": await app_of(reader, state),
            "ask": way.ask if way else "",
            "together": True,
            "others": tuple((one.name, one.offer) for one in others),
            "forgot": way is not None and way.name == "password",
        },
        common=not typed,
    )


async def _check(db: Database, view: View, answer: Identify) -> Checks:
    address = await check_address(db, view, answer)
    if address is None or not isinstance(answer, Answer) or not answer.said():
        return Checks(address)
    async with db.read(view.visitor.tenant) as reader:
        way = await _beside(reader)
    return Checks(address, await service.check(db, View(named(view.state, address), view.visitor), way.name, answer) if way else None)


async def _settle(work: Work, view: View, answer: Identify, found: Checks | None) -> Outcome:
    if away := elsewhere(view.state, answer):
        return away
    if found is None or found.address is None:
        return identified(view.state, answer, None)
    state = named(view.state, found.address)
    if answer.action in await service.methods(work):
        return Advance(state.marked(METHOD, answer.action))
    if found.checked is None:
        return Advance(state)
    return await proved(work, View(state, view.visitor), found.checked)


IDENTIFY: Final = Step[Identify, Checks](
    name="signin.identify",
    path="/signin",
    applies=nobody_named,
    page=_page,
    check=_check,
    settle=_settle,
    fields=Identify,
    fields_for=_fields,
)
