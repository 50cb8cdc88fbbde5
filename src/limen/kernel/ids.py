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
_PAIRS: Final = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
"""Two letters at a time, since every token has an id."""
_TIME_BITS: Final = 48
_RANDOM_BITS: Final = 80
_HIGH: Final = tuple(range(60, -1, -10))
_LOW: Final = tuple(range(50, -1, -10))


def new(prefix: str, now: datetime) -> str:
    """Return a fresh id such as `acc_01jd...`: 48 bits of milliseconds since 1970, then 80 random bits."""
    moment = int(now.timestamp() * 1000) & ((1 << _TIME_BITS) - 1)
    number = moment << _RANDOM_BITS | int.from_bytes(secrets.octets(_RANDOM_BITS // 8))
    high, low = number >> 60, number & 0xFFF_FFFF_FFFF_FFFF  # numbers of the machine's size are shifted faster
    pairs = [_PAIRS[high >> shift & 1023] for shift in _HIGH] + [_PAIRS[low >> shift & 1023] for shift in _LOW]
    return f"{prefix}_{''.join(pairs)}"
