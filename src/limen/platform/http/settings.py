"""`[http]` of limen.toml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from limen.kernel.errors import Kind, LimenError


class BadPace(LimenError):
    """A pace nobody could keep."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "bad_setting"
    suggestion: ClassVar[str] = "Write a whole number of at least 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How patient the edge is with a source that is refused again and again."""

    section: ClassVar[str] = "http"

    refusal_burst: int = 300
    """Refusals one address may collect before protocol endpoints make it wait."""
    refusal_rate: int = 10
    """Refusals a second it may go on collecting."""

    def __post_init__(self) -> None:
        for name in ("refusal_burst", "refusal_rate"):
            if getattr(self, name) < 1:
                raise BadPace(f"{name}: must be at least 1")
