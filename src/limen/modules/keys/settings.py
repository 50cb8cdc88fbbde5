"""How often signing keys rotate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

from limen.platform.wire.jose import Alg

NEVER: Final = timedelta()
LEAD: Final = timedelta(hours=1)
LEAD_IN_DEV: Final = timedelta(seconds=10)
_SHORTEST_LIFE: Final = timedelta(hours=1)
_LONGEST_LIFE: Final = timedelta(days=400)
_LONGEST_TOKEN: Final = timedelta(days=1)
_LONGEST_LEAD: Final = timedelta(days=7)
OFFERED: Final = (Alg.ES256, Alg.RS256, Alg.PS256, Alg.ED25519, Alg.EDDSA)
"""What a tenant may sign with. EdDSA is Ed25519 by its older name, with a key of its own; HS256 is not for keys that the world checks with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """`[tenant.keys]`: how often signing keys rotate, and what they sign with."""

    section: ClassVar[str] = "keys"
    rotation: timedelta = timedelta(days=90)
    """How long a signing key signs before another takes its place by itself; `0s`: only when a command says so."""
    successor_lead: timedelta | None = None
    """How long a new key is shown before it signs; longer than anybody keeps the JWKS (its `max-age`). An hour if left out, ten seconds in dev mode."""
    retired_shown: timedelta = _LONGEST_TOKEN
    """How long a retired key stays in the JWKS: at least a day, the longest life a token can be given."""
    retired_known: timedelta = timedelta(days=180)
    """How long its public part is kept to recognise an `id_token_hint`."""
    algorithms: tuple[Alg, ...] = (Alg.ES256, Alg.RS256, Alg.ED25519)
    """The algorithms offered; the first one signs. FAPI 2.0 takes ES256, PS256 and EdDSA, which is Ed25519 by its older name."""
    encryption: bool = False
    """Whether clients may encrypt their requests to this tenant (RFC 9101, section 6.1): it shows keys for that in its JWKS then."""

    def __post_init__(self) -> None:
        if self.rotation != NEVER and not _SHORTEST_LIFE <= self.rotation <= _LONGEST_LIFE:
            raise ValueError("rotation: must lie between 1h and 400d, or be 0s, which means never by itself")
        longest = min(_LONGEST_LEAD, self.rotation or _LONGEST_LEAD)
        if self.successor_lead is not None and not timedelta() <= self.successor_lead <= longest:
            raise ValueError("successor_lead: must lie between 0s and 7d, and not exceed rotation")
        if not _LONGEST_TOKEN <= self.retired_shown <= self.retired_known:
            raise ValueError("retired_shown: must be at least 1d, the longest life of a token, and not exceed retired_known")
        if not self.algorithms or not set(OFFERED).issuperset(self.algorithms):
            raise ValueError(f"algorithms: must name some of {', '.join(one.value for one in OFFERED)}")

    def lead(self, *, dev: bool) -> timedelta:
        """Return how long a new key is shown before it signs."""
        if self.successor_lead is not None:
            return self.successor_lead
        return LEAD_IN_DEV if dev else LEAD
