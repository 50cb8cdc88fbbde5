"""What an account is: somebody, known by identifiers that were proved. No name, no password, no session."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn

from limen.kernel.ids import AccountId
from limen.modules import keys

EMAIL: Final = "email"
PHONE: Final = "phone"
USERNAME: Final = "username"
KINDS: Final = (EMAIL, PHONE, USERNAME)
"""Kinds of identifiers there are."""
IDENTIFIERS: Final = keys.Indexed(name="accounts.identifiers")


class AccountState(enum.Enum):
    """Registered: in use. Suspended: kept out until resumed. Closed: for good; its identifiers stay taken until it is forgotten."""

    REGISTERED = "registered"
    SUSPENDED = "suspended"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody. `version` grows with every change of state."""

    id: AccountId
    state: AccountState
    created: datetime
    version: int = 1

    @property
    def alive(self) -> bool:
        """Whether it may be used to sign in."""
        return self.state is AccountState.REGISTERED


@dataclass(frozen=True, slots=True)
class Identifier:
    """How somebody is found and reached, as it was written when it was proved."""

    id: str
    kind: str
    value: str
    verified_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """The identifier belongs to an account already; nothing was written. A verdict: ask with `match`, not with `if`."""

    account: AccountId

    def __bool__(self) -> NoReturn:
        message = "a verdict is matched, not asked for its truth"
        raise TypeError(message)


MOVES: Final[Mapping[AccountState, frozenset[AccountState]]] = {
    AccountState.SUSPENDED: frozenset({AccountState.REGISTERED}),
    AccountState.REGISTERED: frozenset({AccountState.SUSPENDED}),
    AccountState.CLOSED: frozenset({AccountState.REGISTERED, AccountState.SUSPENDED}),
}
"""Which states each state can be reached from."""
