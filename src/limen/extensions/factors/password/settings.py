"""How long a password must be, and where the list of those that others know is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

SHORTEST: Final = 8
LONGEST: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`[password]`: what is known of passwords that were stolen from others."""

    section: ClassVar[str] = "password"
    leaked: Path | None = None
    """The filter that `limen password leaked` made of such a list; it is read when the server starts. Unset: only the built-in list counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.password]`: how many characters a password has at least, after normalisation (SP 800-63B-4, 3.1.1.2), and when it is judged."""

    section: ClassVar[str] = "password"
    minimum_alone: int = 15
    """Where the password alone signs in. Lowering it makes guessing a stolen hash cheaper."""
    minimum_beside: int = 8
    """Where it stands beside a second factor."""
    check_at_sign_in: bool = True
    """Whoever signs in with a password that attackers know by now chooses another before she is in."""

    def __post_init__(self) -> None:
        for name in ("minimum_alone", "minimum_beside"):
            if not SHORTEST <= getattr(self, name) <= LONGEST:
                raise ValueError(f"{name}: must lie between {SHORTEST} and {LONGEST}")
