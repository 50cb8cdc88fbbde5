"""Names of things. An id is `prefix_` and 26 characters of lower-case Crockford base32, ordered by time. It is no secret."""

from __future__ import annotations

from functools import lru_cache
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
ApprovalId = NewType("ApprovalId", str)

SERVER: Final = TenantId("")
"""Stands for no tenant: work of the server itself (leases, upgrades, the sequencer)."""

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_P: Final = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
"""Two letters at a time, since every token has an id."""
_TIME_BITS: Final = 48
_HALF: Final = 5


@lru_cache(maxsize=64)
def _time_letters(moment: int) -> str:
    """Return the ten letters of an instant, which many ids share."""
    return "".join([_ALPHABET[moment >> shift & 31] for shift in range(45, -1, -5)])


def new(prefix: str, now: datetime) -> str:
    """Return a fresh id such as `acc_01jd...`: 48 bits of milliseconds since 1970, then 80 random bits."""
    drawn = secrets.octets(2 * _HALF)
    one, two = int.from_bytes(drawn[:_HALF]), int.from_bytes(drawn[_HALF:])
    moment = int(now.timestamp() * 1000) & ((1 << _TIME_BITS) - 1)
    return (
        f"{prefix}_{_time_letters(moment)}"
        f"{_P[one >> 30]}{_P[one >> 20 & 1023]}{_P[one >> 10 & 1023]}{_P[one & 1023]}"
        f"{_P[two >> 30]}{_P[two >> 20 & 1023]}{_P[two >> 10 & 1023]}{_P[two & 1023]}"
    )
