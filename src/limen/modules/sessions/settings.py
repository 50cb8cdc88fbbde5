"""How long sessions live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

_SHORTEST: Final = timedelta(minutes=1)
_IDLE_CEILING: Final = timedelta(days=90)
_ABSOLUTE_CEILING: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.sessions]`: how long somebody stays signed in; whichever ends first."""

    section: ClassVar[str] = "sessions"
    idle: timedelta = timedelta(hours=24)
    """A session ends so long after it was last seen."""
    absolute: timedelta = timedelta(days=30)
    """And so long after it was opened, however often it is seen."""

    def __post_init__(self) -> None:
        if not _SHORTEST <= self.idle <= _IDLE_CEILING:
            raise ValueError("idle: must lie between 1m and 90d")
        if not _SHORTEST <= self.absolute <= _ABSOLUTE_CEILING:
            raise ValueError("absolute: must lie between 1m and 400d")
