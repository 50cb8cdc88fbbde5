"""What a question to a person is, and when another one may be put to her. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from limen.kernel.ids import AccountId, ApprovalId, ClientId, SessionId

PREFIX: Final = "apv"
HOUR: Final = timedelta(hours=1)
"""Over which questions are counted."""
LATE: Final = timedelta(minutes=1)
"""So much later than a question's time what was allowed within it may still be done: whoever does it may have had to wait."""
REMEMBERED: Final = timedelta(days=30)
"""So long a person finds what she was asked and what she answered."""


class State(enum.Enum):
    """How a question stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is asked, as its person reads it. Stored sealed under her key."""

    scopes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    """Sentences beyond scopes."""
    message: str = ""
    """What the app shows on its side too, so that she sees that both belong together."""
    acr_values: tuple[str, ...] = ()
    """Whoever answers yes is signed in as strongly as one of these; empty: any sign-in will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Who answers, and how strongly she was signed in."""

    account: AccountId
    yes: bool
    acr: str
    amr: tuple[str, ...]
    auth_time: datetime
    session: SessionId | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """A question to a person, and what she answered. `acr`, `amr`, `auth_time` and `session` are those of the answer."""

    id: ApprovalId
    account: AccountId
    client: ClientId
    state: State
    asked: datetime
    until: datetime
    answered: datetime | None
    session: SessionId | None
    acr: str
    amr: tuple[str, ...]
    auth_time: datetime | None
    used: datetime | None
    """When what she allowed was done; it is done once."""

    def standing(self, now: datetime) -> State:
        """Return how it stands at an instant: what was not answered in time has expired, whether or not its row says so yet."""
        return State.EXPIRED if self.state is State.PENDING and now >= self.until else self.state


@dataclass(frozen=True, slots=True)
class Pace:
    """What was asked of a person before."""

    open: int
    """Questions that wait for her."""
    of_client: int
    """Those that this app asked within an hour."""
    of_all: int
    """Those that any app asked within an hour."""
    denied: datetime | None
    """When she last said no to this app."""


class Unasked(enum.Enum):
    """Why she is not asked: whoever asks often enough is told yes one day, by mistake or for peace."""

    TOO_MANY_OPEN = "too_many_open"
    TOO_OFTEN = "too_often"
    DENIED_LATELY = "denied_lately"


class Misfit(enum.Enum):
    """Why an answer counts for nothing."""

    UNKNOWN = "unknown"
    """There is no such question, or it is another person's."""
    SETTLED = "settled"
    """It was answered before."""
    EXPIRED = "expired"
