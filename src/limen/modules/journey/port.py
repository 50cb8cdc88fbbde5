"""What a module contributes to journeys: steps, tables of steps by name, and what a step may answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from limen.kernel.facts import Actor
from limen.kernel.ids import JourneyId, TenantId
from limen.kernel.secrets import Secret
from limen.modules.journey.model import Errors, State
from limen.platform.pages import Page
from limen.platform.sql import Database, Reader, Work

F = TypeVar("F", bound=msgspec.Struct)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who stands before the journey now: the browser that holds it, and what it brought along."""

    journey: JourneyId
    tenant: TenantId
    actor: Actor
    """Who acts, with the origin: steps that open Works of their own do so in this name."""
    browser: bytes
    """Digest of the browser's binding cookie."""
    language: str
    issuer: str
    device: str = ""
    """The cookie `d` as it came: unproved until its owner (`signin`) has opened it."""


@dataclass(frozen=True, slots=True)
class View:
    """What a step is given: the state as it stands, and the visitor."""

    state: State
    visitor: Visitor


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie a step wants kept; the http edge gives it its full name and flags. `max_age` in seconds, None: until the browser closes."""

    name: str
    value: Secret[str]
    max_age: int | None = None
    readable: bool = False


@dataclass(frozen=True, slots=True)
class Advance:
    """The step is done. Errors of the last answer are forgotten; `errors` are for the page that comes next."""

    state: State
    errors: Errors = field(default_factory=dict)
    cookies: tuple[Cookie, ...] = ()


@dataclass(frozen=True, slots=True)
class Stay:
    """The same page again, saying what was wrong (or, with `state.saying(...)`, what was done)."""

    state: State
    errors: Errors = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Switch:
    """Go on in another table of steps, with what is known so far."""

    kind: str
    state: State
    errors: Errors = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entered:
    """A session was opened (`state.session`, `state.account`); the browser gets its cookies."""

    state: State
    cookies: tuple[Cookie, ...]


@dataclass(frozen=True, slots=True)
class Denied:
    """The person said no: the journey ends here and the door is told `code` (`access_denied`)."""

    state: State
    code: str


Outcome = Advance | Stay | Switch | Entered | Denied


class Nothing(msgspec.Struct, frozen=True):
    """The fields of a step that asks nothing but to go on."""

    action: str = "continue"


@dataclass(frozen=True, kw_only=True)  # no slots: `Step[Fields, Checked](...)` notes its parameters on the value
class Step(Generic[F, T]):
    """One step. The next step of a journey is the first of its table that applies; steps never lead to one another.

    Without `page` it is automatic: it settles by itself, with the defaults of its fields, in the same transaction as the step before it.
    """

    name: str
    """`<module>.<what>`; tables name it."""
    path: str
    """The page's path below the issuer: `/signin`, `/signup`, `/recover`, `/consent`."""
    applies: Callable[[Reader, State], Awaitable[bool]]
    settle: Callable[[Work, View, F, T | None], Awaitable[Outcome]]
    """Runs in the engine's last `Work`, the journey's row held. Nothing slow."""
    fields: type[F]
    """The form's fields, each with a default; the JSON form of the step has the same."""
    page: Callable[[Reader, State], Awaitable[Page]] | None = None
    fields_for: Callable[[Reader, State], Awaitable[type[F]]] | None = None
    """Where the fields depend on the state: which factor is asked for."""
    check: Callable[[Database, View, F], Awaitable[T | None]] | None = None
    """What takes time (a password hash). Opens its own Works, one after another; counts the attempt first."""


AnyStep: TypeAlias = Step[Any, Any]
"""Steps differ in their fields; each is typed where it is written, and the engine hands each only what it asked for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """An ordered table of steps by name. `opens` is the path at which a visitor may begin it on her own (empty: only doors begin it)."""

    kind: str
    steps: tuple[str, ...]
    opens: str = ""
