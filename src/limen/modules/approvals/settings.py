"""How often people may be asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

_MOST_OPEN: Final = 20
_MOST_AN_HOUR: Final = 1_000
_LONGEST_PAUSE: Final = timedelta(days=1)
_NONE: Final = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.approvals]`: questions to people who are not at the app that asks."""

    section: ClassVar[str] = "approvals"
    open_at_once: int = 3
    """Questions that may wait for one person, at most."""
    per_hour: int = 10
    """Questions of one app to one person in an hour, at most."""
    per_hour_in_all: int = 20
    """Questions of all apps to one person in an hour, at most."""
    pause: timedelta = timedelta(minutes=5)
    """How long an app may not ask a person again who has just said no to it."""

    def __post_init__(self) -> None:
        if not 1 <= self.open_at_once <= _MOST_OPEN:
            raise ValueError(f"open_at_once: must lie between 1 and {_MOST_OPEN}")
        if not 1 <= self.per_hour <= self.per_hour_in_all <= _MOST_AN_HOUR:
            raise ValueError(f"per_hour, per_hour_in_all: must lie between 1 and {_MOST_AN_HOUR}, the first not above the second")
        if not _NONE <= self.pause <= _LONGEST_PAUSE:
            raise ValueError("pause: must lie between 0s and 24h")
