"""Walking a journey: what its page shows now, and what an answer changes.

The row's version says whether two answers met: whoever settles first goes on, the other is shown where the journey stands. What takes time
runs before the row is held, so an answer that comes too late has cost its attempt all the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from limen.kernel import secrets
from limen.modules.journey import store
from limen.modules.journey.errors import Stuck
from limen.modules.journey.model import Errors, State
from limen.modules.journey.port import Advance, AnyStep, Cookie, Denied, Entered, Outcome, Stay, Switch, View, Visitor
from limen.modules.journey.service.tables import tables
from limen.platform.pages import Page
from limen.platform.sql import Conflict, Contended, Database, Reader, Work

_MOST_AUTOMATIC: Final = 40


@dataclass(frozen=True, slots=True)
class Shows:
    """The page of the step in hand."""

    page: Page


@dataclass(frozen=True, slots=True)
class Goes:
    """On to another page, a path below the issuer."""

    path: str
    cookies: tuple[Cookie, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """There is no such journey in this browser, or its hour is over."""

    expired: bool


@dataclass(frozen=True, slots=True)
class _Stands:
    """A journey that may go on, as read."""

    row: store.Row
    state: State


@dataclass(frozen=True, slots=True)
class _Given:
    """An answer to a step, and what came of checking it."""

    step: AnyStep
    answer: msgspec.Struct
    checked: object


@dataclass(slots=True)
class _Walk:
    """One transaction's way through automatic steps."""

    work: Work
    visitor: Visitor
    state: State
    cookies: tuple[Cookie, ...] = ()
    denied: str = ""

    async def take(self, step: AnyStep, answer: msgspec.Struct, checked: object) -> None:
        """Settle one step and make its outcome the walk's state."""
        outcome: Outcome = await step.settle(self.work, View(self.state, self.visitor), answer, checked)
        match outcome:
            case Advance(state, errors, cookies):
                self._next(state, errors, cookies)
            case Switch(kind, state, errors):
                tables().steps(kind)
                self._next(replace(state, kind=kind), errors, ())
            case Entered(state, cookies):
                self._next(state, {}, cookies)
            case Denied(state, code):
                self._next(state, {}, ())
                self.denied = code
            case Stay(state, errors):
                if step.page is None:
                    raise Stuck(operator=f"the automatic step {step.name} stays")
                self._next(state, errors, ())
            case _:
                assert_never(outcome)

    def _next(self, state: State, errors: Errors, cookies: tuple[Cookie, ...]) -> None:
        self.state = replace(state, errors={**state.errors, **errors}) if errors else state
        self.cookies += cookies


async def _current(reader: Reader, state: State) -> AnyStep | None:
    for step in tables().steps(state.kind):
        if await step.applies(reader, state):
            return step
    return None


def _path(step: AnyStep, visitor: Visitor) -> str:
    return f"{step.path}?journey={visitor.journey}"


def _resume(row: store.Row) -> str:
    path = tables().resume(row.door)
    return f"{path}?request={row.record}&journey={row.id}" if row.record else path


def _standing(reader: Reader, row: store.Row | None, visitor: Visitor, seen: _Stands | None = None) -> _Stands | Goes | Lost:
    """Judge a row as read: whether this browser may go on with it. What was `seen` of the same version need not be opened again."""
    if row is None or not secrets.same(row.browser, visitor.browser):
        return Lost(expired=False)
    if row.expires <= reader.now:
        return Lost(expired=True)
    if row.ended_at is not None:
        return Goes(_resume(row))
    if seen is not None and seen.row.version == row.version:
        return seen
    return _Stands(row, store.opened(reader, row))


async def show(db: Database, visitor: Visitor, path: str) -> Shows | Goes | Lost:
    """Return what a GET of `path` shows: the page of the step in hand, or the way to where it is."""
    async with db.read(visitor.tenant) as reader:
        stands = _standing(reader, await store.find(reader, visitor.journey), visitor)
        if not isinstance(stands, _Stands):
            return stands
        step = await _current(reader, stands.state)
        if step is not None and step.page is not None:
            if step.path != path:
                return Goes(_path(step, visitor))
            return Shows(_dressed(await step.page(reader, stands.state), step, visitor, stands.state))
    async with db.work(visitor.tenant, visitor.actor) as work:  # an automatic step stands first, or nothing is left to do
        held = _standing(work, await store.take(work, visitor.journey), visitor)
        if not isinstance(held, _Stands):
            return held
        return await _go_on(_Walk(work, visitor, held.state), held.row)


def _dressed(page: Page, step: AnyStep, visitor: Visitor, state: State) -> Page:
    """Add to a step's page what every page of a journey carries."""
    values = {**page.values, "step": step.name}
    if state.errors or state.remarks:
        values |= {"errors": state.errors, "remarks": state.remarks}
    targets = (*page.form_targets, state.ask.form_target) if state.ask.form_target else page.form_targets
    common = page.common and not (state.errors or state.remarks)
    return dataclasses.replace(page, values=values, stamps={"journey": visitor.journey}, common=common, form_targets=targets)


async def _go_on(walk: _Walk, row: store.Row) -> Goes:
    """Run automatic steps until a page is due or nothing is left, and store where the journey then stands."""
    for _ in range(_MOST_AUTOMATIC):
        step = None if walk.denied else await _current(walk.work, walk.state)
        if step is None:
            await store.end(walk.work, row, walk.state, walk.denied)
            return Goes(_resume(row), walk.cookies)
        if step.page is not None:
            await store.save(walk.work, row, walk.state)
            return Goes(_path(step, walk.visitor), walk.cookies)
        await walk.take(step, step.fields(), None)
    raise Stuck(operator=f"automatic steps of the journey {walk.state.kind} do not stop applying")


async def advance(db: Database, visitor: Visitor, said: Mapping[str, str]) -> Goes | Lost:
    """Take an answer: `said` is the form, whose `step` must name the step in hand, else nothing is changed and the way there returned."""
    async with db.read(visitor.tenant) as reader:
        stands = _standing(reader, await store.find(reader, visitor.journey), visitor)
        if not isinstance(stands, _Stands):
            return stands
        step = await _current(reader, stands.state)
        if step is None or step.page is None or step.name != said.get("step"):
            return Goes(_path(step or tables().steps(stands.state.kind)[0], visitor))
        answer = _answer(await step.fields_for(reader, stands.state) if step.fields_for else step.fields, said)
    if answer is None:
        return Goes(_path(step, visitor))
    checked = await step.check(db, View(_fresh(stands.state), visitor), answer) if step.check else None
    given = _Given(step, answer, checked)
    try:
        return await _settle(db, visitor, stands, given)
    except (Conflict, Contended):  # somebody was there in the same moment: it stands now, so looking again finds it
        return await _settle(db, visitor, stands, given)


def _fresh(state: State) -> State:
    """What was said about the last answer is said; the next answer begins without it."""
    return replace(state, errors={}, remarks=())


def _answer(fields: type[msgspec.Struct], said: Mapping[str, str]) -> msgspec.Struct | None:
    try:
        return msgspec.convert(dict(said), type=fields, strict=False)
    except msgspec.ValidationError:
        return None


async def _settle(db: Database, visitor: Visitor, seen: _Stands, given: _Given) -> Goes | Lost:
    async with db.work(visitor.tenant, visitor.actor) as work:
        held = _standing(work, await store.take(work, visitor.journey), visitor, seen)
        if not isinstance(held, _Stands):
            return held
        if held.row.version != seen.row.version:  # another answer was settled meanwhile: show where it led
            current = await _current(work, held.state)
            return Goes(_path(current or given.step, visitor))
        walk = _Walk(work, visitor, _fresh(held.state))
        await walk.take(given.step, given.answer, given.checked)
        return await _go_on(walk, held.row)
