"""What happens to accounts. Identifiers are told by kind and id, never by value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.facts import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCreated(Fact):
    """Somebody has an account now."""

    name: ClassVar[str] = "accounts.account_created"
    kind: str
    """Of the identifier that was proved first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSuspended(Fact):
    """The account may not be used until it is resumed."""

    name: ClassVar[str] = "accounts.account_suspended"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountResumed(Fact):
    """A suspended account may be used again."""

    name: ClassVar[str] = "accounts.account_resumed"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountClosed(Fact):
    """The account is over."""

    name: ClassVar[str] = "accounts.account_closed"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierAdded(Fact):
    """One more proved identifier leads to the account."""

    name: ClassVar[str] = "accounts.identifier_added"
    kind: str
    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierDropped(Fact):
    """An identifier leads to the account no longer, and is free for others."""

    name: ClassVar[str] = "accounts.identifier_dropped"
    kind: str
    identifier: str
