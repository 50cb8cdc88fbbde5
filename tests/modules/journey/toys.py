"""A small table of steps, to try the engine with: a colour, a secret that takes time to check, a yes or no."""

# ruff: noqa: ARG001, FBT001 - a step is called with all it may want, and toys want little

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from msgspec.structs import replace

from limen.kernel.facts import ANONYMOUS
from limen.kernel.ids import AccountId, JourneyId, SessionId, TenantId
from limen.kernel.secrets import Secret
from limen.modules import journey
from limen.modules.journey import Advance, Cookie, Denied, Entered, Journey, Nothing, Outcome, State, Stay, Step, Switch, Tables, View, Visitor, service
from limen.platform.pages import Page
from limen.platform.sql import Database, Reader, Work

ACCOUNT = AccountId("acc_1")
SESSION = SessionId("ses_1")
ACME = TenantId("acme")


class Colour(msgspec.Struct, frozen=True):
    colour: str = ""
    action: str = "continue"


class Word(msgspec.Struct, frozen=True):
    word: str = ""


CHECKS: list[str] = []
SETTLED: list[str] = []


def page(name: str) -> Page:
    return Page(template=f"toy/{name}.html", title=name)


async def no_colour(reader: Reader, state: State) -> bool:
    return not state.mark("toy.colour")


async def ask_colour(reader: Reader, state: State) -> Page:
    return page("colour")


async def take_colour(work: Work, view: View, answer: Colour, checked: None) -> Outcome:
    SETTLED.append(answer.colour)
    if answer.action == "leave":
        return Switch("short", view.state)
    if answer.action == "no":
        return Denied(view.state, "access_denied")
    if not answer.colour:
        return Stay(view.state.saying("Take your time."), {"colour": "Name a colour."})
    return Advance(view.state.marked("toy.colour", answer.colour))


async def not_counted(reader: Reader, state: State) -> bool:
    return not state.mark("toy.counted")


async def count(work: Work, view: View, answer: Nothing, checked: None) -> Outcome:
    return Advance(view.state.marked("toy.counted"), cookies=(Cookie("d", Secret("counted"), 60),))


async def no_word(reader: Reader, state: State) -> bool:
    return not state.mark("toy.word")


async def ask_word(reader: Reader, state: State) -> Page:
    return page("word")


async def check_word(db: Database, view: View, answer: Word) -> bool | None:
    CHECKS.append(answer.word)
    return answer.word == "open sesame"


async def take_word(work: Work, view: View, answer: Word, checked: bool | None) -> Outcome:
    return Advance(view.state.marked("toy.word")) if checked else Stay(view.state, {"word": "That is not the word."})


async def not_in(reader: Reader, state: State) -> bool:
    return state.session is None


async def let_in(work: Work, view: View, answer: Nothing, checked: None) -> Outcome:
    return Entered(replace(view.state, account=ACCOUNT, session=SESSION), (Cookie("s", Secret("secret"), 60),))


async def always(reader: Reader, state: State) -> bool:
    return True


async def nowhere(work: Work, view: View, answer: Nothing, checked: None) -> Outcome:
    return Advance(view.state)


COLOUR = Step[Colour, None](name="toy.colour", path="/signin", applies=no_colour, page=ask_colour, settle=take_colour, fields=Colour)
COUNT = Step[Nothing, None](name="toy.count", path="/signin", applies=not_counted, settle=count, fields=Nothing)
WORD = Step[Word, bool](name="toy.word", path="/signup", applies=no_word, page=ask_word, check=check_word, settle=take_word, fields=Word)
ENTER = Step[Nothing, None](name="toy.enter", path="/signin", applies=not_in, settle=let_in, fields=Nothing)
ENDLESS = Step[Nothing, None](name="toy.endless", path="/signin", applies=always, settle=nowhere, fields=Nothing)

STEPS = (COLOUR, COUNT, WORD, ENTER, ENDLESS)
JOURNEYS = (
    Journey(kind="long", opens="/signin", steps=("toy.colour", "toy.count", "toy.word", "toy.enter")),
    Journey(kind="short", steps=("toy.enter",)),
    Journey(kind="endless", steps=("toy.endless",)),
)
DOORS = {"toy": "/toy/resume", "portal": "/account"}


@contextmanager
def installed() -> Iterator[None]:
    """Walk by the toy tables, and afterwards by those that were there."""
    before = list(service.tables.__globals__["_INSTALLED"])
    journey.install(Tables(STEPS, JOURNEYS, DOORS))
    CHECKS.clear()
    SETTLED.clear()
    try:
        yield
    finally:
        service.tables.__globals__["_INSTALLED"][:] = before


def visitor(name: str, journey_id: JourneyId, tenant: TenantId = ACME) -> Visitor:
    """Return a visitor whose browser is called `name`."""
    return Visitor(journey=journey_id, tenant=tenant, actor=ANONYMOUS, browser=name.encode().ljust(32), language="en", issuer="http://localhost:8400")
