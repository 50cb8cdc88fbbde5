"""`[http]` of limen.toml."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

from limen.platform.duties.settings import BadSetting

_SHORTEST: Final = timedelta(milliseconds=100)
_LONGEST: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`[http]`: how patient the edge is with a client that dawdles, and with a source that is refused again and again."""

    section: ClassVar[str] = "http"

    head_time: timedelta = timedelta(seconds=10)
    """From a request's first octet, or the connection's begin, to the end of its head."""
    body_time: timedelta = timedelta(seconds=15)
    """Likewise for the body, and for taking an answer."""
    refusal_burst: int = 300
    """Refusals one address may collect before protocol endpoints make it wait."""
    refusal_rate: int = 10
    """Refusals a second it may go on collecting."""

    def __post_init__(self) -> None:
        for name in ("refusal_burst", "refusal_rate"):
            if getattr(self, name) < 1:
                raise BadSetting(f"http.{name}", "must be at least 1", "Write a whole number")
        for name in ("head_time", "body_time"):
            if not _SHORTEST <= getattr(self, name) <= _LONGEST:
                raise BadSetting(f"http.{name}", "must lie between 100ms and 5m", 'Write for example "10s"')
