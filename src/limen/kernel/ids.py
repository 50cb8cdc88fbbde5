"""Names of things. An id is `prefix_` and 26 characters of lower-case Crockford base32, ordered by time. It is no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NewType

from limen.kernel import secrets

if TYPE_CHECKING:
    from datetime import datetime

TenantId = NewType("TenantId", str)
"""The tenant's name, `[a-z][a-z0-9-]{0,39}`; it never changes."""
ClientId = NewType("ClientId", str)
"""OAuth `client_id`, chosen by the operator or made by registration."""
AccountId = NewType("AccountId", str)
SessionId = NewType("SessionId", str)
JourneyId = NewType("JourneyId", str)
GrantId = NewType("GrantId", str)
RequestId = NewType("RequestId", str)
FactorId = NewType("FactorId", str)
KeyId = NewType("KeyId", str)
TokenId = NewType("TokenId", str)
JobId = NewType("JobId", str)

SERVER: Final = TenantId("")
"""Stands for no tenant: work of the server itself (leases, upgrades, the sequencer)."""

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_BITS: Final = 48
_RANDOM_BITS: Final = 80


def new(prefix: str, now: datetime) -> str:
    """Return a fresh id such as `acc_01jd...`: 48 bits of milliseconds since 1970, then 80 random bits."""
    moment = int(now.timestamp() * 1000) & ((1 << _TIME_BITS) - 1)
    number = moment << _RANDOM_BITS | int.from_bytes(secrets.octets(_RANDOM_BITS // 8))
    letters = [_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(letters)}"
