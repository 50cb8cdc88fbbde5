"""What a factor is to the host: who claims what, what a check came to, and how long the next try waits. No I/O."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from limen.kernel.ids import AccountId, FactorId, JourneyId
from limen.kernel.secrets import Secret
from limen.modules import keys
from limen.modules.journey import Verdict

PREFIX: Final = "fct"

NOBODY: Final = AccountId("")
"""Looked up in place of an account there is not, because looking takes time."""
MOST_FAILURES: Final = 100
"""Consecutive failures after which a factor is closed until its owner proves herself another way (SP 800-63B-4, 3.2.2); codes are longer then."""
FREE_FAILURES: Final = 5
"""So many cost no waiting."""
LONGEST_WAIT: Final = timedelta(minutes=15)


def wait_after(failures: int) -> timedelta:
    """Return how long the next try waits after so many failures in a row: nothing for the first few, then 1 s, doubled each time."""
    beyond = failures - FREE_FAILURES
    if beyond < 0:
        return timedelta()
    return min(timedelta(seconds=1 << min(beyond, 20)), LONGEST_WAIT)


UNKNOWN_KEPT: Final = timedelta(days=90)
"""So long an identifier nobody has is counted like one that somebody has."""
UNKNOWN: Final = keys.Indexed(
    name="factors.unknown",
    fades=UNKNOWN_KEPT,
    why="failures of identifiers nobody has, of which only the index is known; they move to the new one when counted on",
)


class Purpose(enum.Enum):
    """What a code is for, which its mail says."""

    SIGN_IN = "sign_in"
    SIGN_UP = "sign_up"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who says to be whom, with which factor. `account` is known only once a session or a proof has said it."""

    kind: str
    journey: JourneyId
    identifier: tuple[str, str]
    """Kind and normalised value, as typed."""
    account: AccountId | None = None
    browser: str = ""
    """Names the browser, where it proved that it signed somebody in before."""
    known_to: frozenset[AccountId] = frozenset()
    """Whom it signed in: for these accounts it has a counter of its own, for all others it is a stranger's."""

    def counter(self, account: AccountId | None) -> str:
        """Return whose counter this browser's failures go to: its own, or (empty) the one of all strangers."""
        return self.browser if account in self.known_to else ""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a counter of failures belongs to: an account, or an identifier nobody has, by its blind index."""

    account: AccountId | None
    blind: str
    older: tuple[str, ...] = ()
    """While the key of the blind index rotates: the index under the previous one."""

    @property
    def key(self) -> str:
        """The counter's key."""
        return self.account or self.blind


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched(Verdict):
    """The answer was right. `confirm` makes a proof of it if what was checked is still what is stored."""

    claim: Claim
    subject: Subject
    factor: FactorId | None
    """The secret that was checked; None for a code, which belongs to the journey."""
    version: int
    challenge: str = ""
    """The code that was checked, by its id."""
    renewed: Secret[bytes] | None = None
    """The secret to be stored in place of the one that was checked: made with today's parameters."""


@dataclass(frozen=True, slots=True)
class Wrong(Verdict):
    """The answer was wrong, and the attempt is counted. `left` is how many tries the code in hand still has, where it has a number."""

    left: int | None = None


@dataclass(frozen=True, slots=True)
class Over(Verdict):
    """There is no code to compare with: none was sent, it is too old, or its tries are used up."""


@dataclass(frozen=True, slots=True)
class Wait(Verdict):
    """Too many failures: nothing was checked. `until` is None if this factor is closed until its owner proves herself another way."""

    until: datetime | None


Checked = Matched | Wrong | Over | Wait


@dataclass(frozen=True, slots=True)
class Order:
    """What to send, besides the code: why, in which language, and where somebody without an account is led."""

    purpose: Purpose
    language: str
    link: str


@dataclass(frozen=True, slots=True)
class Sent(Verdict):
    """The code is on its way; whether anybody lives at the address is not said."""


@dataclass(frozen=True, slots=True)
class NotSent(Verdict):
    """The address had its share for the hour; `until` is when the next may go, where that is known."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A secret an extension made of what a person chose, ready to be stored."""

    kind: str
    secret: Secret[bytes]


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A factor of an account, without its secret."""

    id: FactorId
    kind: str
    created: datetime
    last_used: datetime | None


@dataclass(frozen=True, slots=True)
class Context:
    """What an extension may look at when something is chosen: words that must not be in it, and whether it signs in alone."""

    words: tuple[str, ...] = ()
    """Identifiers, names, and the service's own."""
    alone: bool = True
    rules: object = None
    """The tenant's settings for this factor: an instance of the extension's `settings`."""
