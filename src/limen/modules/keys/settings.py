"""How often signing keys rotate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

from limen.platform.wire.jose import Alg

_SHORTEST_LIFE: Final = timedelta(hours=1)
_LONGEST_LEAD: Final = timedelta(days=7)
_OFFERED: Final = frozenset({Alg.ES256, Alg.RS256, Alg.ED25519})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.keys]`: how often signing keys rotate, and what they sign with."""

    section: ClassVar[str] = "keys"
    rotation: timedelta = timedelta(days=90)
    """How long a signing key signs."""
    successor_lead: timedelta = timedelta(hours=1)
    """How long a new key is shown before it signs; longer than anybody keeps the JWKS (its `max-age`)."""
    retired_shown: timedelta = timedelta(days=1)
    """How long a retired key stays in the JWKS; at least the longest life of a token."""
    retired_known: timedelta = timedelta(days=180)
    """How long its public part is kept to recognise an `id_token_hint`."""
    algorithms: tuple[Alg, ...] = (Alg.ES256, Alg.RS256, Alg.ED25519)
    """The algorithms offered; the first one signs."""

    def __post_init__(self) -> None:
        if self.rotation < _SHORTEST_LIFE:
            raise ValueError("rotation: must be at least 1h")
        if not timedelta() <= self.successor_lead <= min(_LONGEST_LEAD, self.rotation):
            raise ValueError("successor_lead: must lie between 0s and 7d, and not exceed rotation")
        if not timedelta() <= self.retired_shown <= self.retired_known:
            raise ValueError("retired_shown: must not exceed retired_known")
        if not self.algorithms or not _OFFERED.issuperset(self.algorithms):
            raise ValueError("algorithms: must name some of ES256, RS256, Ed25519")
