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
    """`[tenant.sessions]`: durations. A session ends `idle` after it was last seen and `absolute` after it was opened, whichever is first."""

    section: ClassVar[str] = "sessions"
    idle: timedelta = timedelta(hours=24)
    absolute: timedelta = timedelta(days=30)

    def __post_init__(self) -> None:
        if not _SHORTEST <= self.idle <= _IDLE_CEILING:
            raise ValueError("idle: must lie between 1m and 90d")
        if not _SHORTEST <= self.absolute <= _ABSOLUTE_CEILING:
            raise ValueError("absolute: must lie between 1m and 400d")
