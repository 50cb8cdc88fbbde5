"""What signing in comes to. That somebody did sign in, `sessions` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.facts import Fact
from limen.kernel.ids import ClientId, JourneyId


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRefused(Fact):
    """Somebody proved who she is and was not let in: `account_suspended`, `account_closed`, `account_gone`, `proof_of_another`, `another_account_expected`."""

    name: ClassVar[str] = "signin.sign_in_refused"
    journey: JourneyId
    reason: str
    client: ClientId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordExposed(Fact):
    """Somebody gave the right password, and it is one that attackers know: she is asked for another before she is in."""

    name: ClassVar[str] = "signin.password_exposed"
    journey: JourneyId


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordReplaced(Fact):
    """Somebody signed in with a password that attackers know and chose another; her other sessions and all grants end."""

    name: ClassVar[str] = "signin.password_replaced"
    journey: JourneyId


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordRecovered(Fact):
    """Somebody who forgot her password proved the mailbox and chose another; her other sessions and all grants end."""

    name: ClassVar[str] = "signin.password_recovered"
    journey: JourneyId
