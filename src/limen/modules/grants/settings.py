"""How long codes and tokens live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_CODE_CEILING: Final = timedelta(minutes=10)  # RFC 6749, section 4.1.2
_ACCESS_CEILING: Final = timedelta(hours=24)
_REFRESH_CEILING: Final = timedelta(days=730)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.grants]`: how long codes and tokens live."""

    section: ClassVar[str] = "grants"
    code: timedelta = timedelta(seconds=60)
    """An authorization code; it works once."""
    access_token: timedelta = timedelta(minutes=10)
    """An access token, of people and of services."""
    id_token: timedelta = timedelta(minutes=10)
    """An id_token."""
    refresh_idle: timedelta = timedelta(days=30)
    """A refresh token ends so long after its last use."""
    refresh_absolute: timedelta = timedelta(days=180)
    """And so long after the sign-in, however often it is used."""

    def __post_init__(self) -> None:
        if not _SECOND <= self.code <= _CODE_CEILING:
            raise ValueError("code: must lie between 1s and 10m")
        if not _SECOND <= self.access_token <= _ACCESS_CEILING:
            raise ValueError("access_token: must lie between 1s and 24h")
        if not _SECOND <= self.id_token <= _ACCESS_CEILING:
            raise ValueError("id_token: must lie between 1s and 24h")
        if not _MINUTE <= self.refresh_idle <= _REFRESH_CEILING:
            raise ValueError("refresh_idle: must lie between 1m and 730d")
        if not _MINUTE <= self.refresh_absolute <= _REFRESH_CEILING:
            raise ValueError("refresh_absolute: must lie between 1m and 730d")
