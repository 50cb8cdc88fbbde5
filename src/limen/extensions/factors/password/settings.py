"""How long a password must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

SHORTEST: Final = 8
LONGEST: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.password]`: how many characters a password has at least, after normalisation (SP 800-63B-4, 3.1.1.2)."""

    section: ClassVar[str] = "password"
    minimum_alone: int = 15
    """Where the password alone signs in. Lowering it makes guessing a stolen hash cheaper."""
    minimum_beside: int = 8
    """Where it stands beside a second factor."""

    def __post_init__(self) -> None:
        for name in ("minimum_alone", "minimum_beside"):
            if not SHORTEST <= getattr(self, name) <= LONGEST:
                raise ValueError(f"{name}: must lie between {SHORTEST} and {LONGEST}")
