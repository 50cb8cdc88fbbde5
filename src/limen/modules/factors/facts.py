"""What happens to factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.facts import Fact
from limen.kernel.ids import FactorId, JourneyId


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorEnrolled(Fact):
    """An account has a new factor, or another secret for the one it had (`replaced`)."""

    name: ClassVar[str] = "factors.factor_enrolled"
    factor: FactorId
    kind: str
    replaced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorPassed(Fact):
    """A factor was shown. `subject` is empty where an identifier was proved that has no account."""

    name: ClassVar[str] = "factors.factor_passed"
    kind: str
    journey: JourneyId
    known_browser: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorFailed(Fact):
    """An answer was wrong. `unknown` is the blind index of an identifier that has no account."""

    name: ClassVar[str] = "factors.factor_failed"
    kind: str
    journey: JourneyId
    failures: int
    """In a row, this one included."""
    known_browser: bool
    unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorClosed(Fact):
    """A hundred failures in a row: this factor is closed until its owner proves herself another way. Codes are lengthened instead."""

    name: ClassVar[str] = "factors.factor_closed"
    kind: str
    known_browser: bool
    unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesLengthened(Fact):
    """A hundred wrong answers in a row to codes: those sent from now on are longer, until their owner proves herself."""

    name: ClassVar[str] = "factors.codes_lengthened"
    kind: str
    known_browser: bool
    unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorReopened(Fact):
    """Its owner proved herself, so closed factors of the account may be tried again, and its codes are of their usual length."""

    name: ClassVar[str] = "factors.factor_reopened"
    by: str
    """The factor that was shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorRemoved(Fact):
    """An account gave a factor up."""

    name: ClassVar[str] = "factors.factor_removed"
    factor: FactorId
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeSent(Fact):
    """A code was sent, or to an address without an account (`unknown`: its blind index) the word that there is none."""

    name: ClassVar[str] = "factors.challenge_sent"
    kind: str
    journey: JourneyId
    unknown: str = ""
