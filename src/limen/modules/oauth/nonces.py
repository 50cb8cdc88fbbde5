"""Nonces of the server in DPoP proofs (RFC 9449, sections 8 and 9): they show that a proof was made just now, not ahead of time.

A nonce is an HMAC of the stretch of time under the tenant's index key, so every process knows every nonce and none keeps any. The one
of the stretch before is accepted too, and the next one, which a process gives whose clock is ahead.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Final

from limen.kernel import secrets
from limen.modules import keys
from limen.platform.sql import Reader

_LONGEST: Final = timedelta(hours=3)
"""No nonce is accepted for longer: the ceiling of a stretch is an hour."""
NONCES: Final = keys.Indexed(name="oauth.nonces", fades=_LONGEST, why="nobody keeps nonces: apps have those that are minutes old, and get new ones")

_PURPOSE: Final = "oauth.dpop_nonce"


async def current(reader: Reader, lives: timedelta) -> str:
    """Return the nonce to give now; it is accepted for one to two times `lives`, which is the tenant's."""
    return _text(await keys.blind(reader, NONCES, _PURPOSE, _name(_stretch(reader.now, lives), lives)))


def stretch_of(now: datetime, lives: timedelta) -> tuple[datetime, datetime]:
    """Return from when until when the nonce to give is the one of `now`."""
    begun = datetime.fromtimestamp(_stretch(now, lives) * lives.total_seconds(), UTC)
    return begun, begun + lives


async def accepts(reader: Reader, nonce: str, lives: timedelta) -> bool:
    """Whether a nonce is one that `current` gave not long ago."""
    now = _stretch(reader.now, lives)
    for stretch in (now, now - 1, now + 1):
        for index in await keys.blinds(reader, NONCES, _PURPOSE, _name(stretch, lives)):
            if secrets.same(_text(index), nonce.encode("utf-8", "surrogatepass")):
                return True
    return False


def _stretch(now: datetime, lives: timedelta) -> int:
    return int(now.timestamp() // lives.total_seconds())


def _name(stretch: int, lives: timedelta) -> str:
    return f"{stretch} of {lives.total_seconds()}"


def _text(index: bytes) -> str:
    return base64.urlsafe_b64encode(index).rstrip(b"=").decode()
