"""How many wrong user codes may come, from where (RFC 8628, section 5.1).

There are 20^8 codes of eight letters, 34.6 bits. Within the life of a code one browser, and one network (an IPv4 address, the 64 bits of
an IPv6 one), may be wrong five times: four at once, and one more in each lifetime. So whoever guesses finds the code of a given device with
a chance of 5 / 20^8 = 2^-32.2, as section 5.1 works out.

All together may be wrong 2,000 times in a lifetime, a thousand at once. Against that eight letters are not enough, so while more than
four wrong codes of a tenant are in sight, new codes have ten letters: 2,000 / 20^10 is the same 2^-32.2, whoever guesses from however many
networks. What remains are codes of eight letters that were out when an attack from hundreds of networks began: 2,000 / 20^8 = 2^-23.6 for
each of them, until they end. Whoever guesses right has won little: she must sign in and say yes, and the device is then hers, not she its.

A right code costs nothing. Each count is a bucket with one number, the instant at which it will be full again (the generic cell rate
algorithm, as in `platform.http.Pace`), but in the database, so that all processes count as one. Its row is held from before the code is
looked up to the commit: many guesses at the same time are counted one after another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from limen.modules import keys
from limen.modules.oauth.arrivals import network
from limen.modules.oauth.device.model import LONGER, USUAL
from limen.modules.oauth.store import devices
from limen.platform.sql import Reader, Work

_ONE: Final = 4
_ALL: Final = 1_000
_EVERYBODY: Final = b"everybody"
_IN_SIGHT: Final = b"in sight"
_NETWORK: Final = "oauth.device_network"


@dataclass(frozen=True, slots=True)
class _Bucket:
    """`burst` wrong codes at once, and one more after each `interval`."""

    source: bytes
    burst: int
    interval: timedelta

    def wait(self, free_at: datetime, now: datetime) -> timedelta:
        """Return how long the next code has to wait."""
        return max(timedelta(), free_at - now - (self.burst - 1) * self.interval)

    def spent(self, free_at: datetime, now: datetime) -> datetime:
        """Return the number after one more wrong code; a bucket never owes more than one."""
        return min(max(free_at, now) + self.interval, now + self.burst * self.interval)


@dataclass(frozen=True, slots=True)
class Turn:
    """One code may be tried: the counts, held."""

    held: tuple[tuple[_Bucket, datetime], ...]


async def take(work: Work, browser: bytes, address: str, lives: timedelta) -> Turn | timedelta:
    """Hold the counts a code would go to; or return how long there is to wait, whether it is right or wrong.

    The narrower first, everywhere: rows are held in one order, and who is over a limit of her own costs others nothing.
    """
    subscriber = await keys.blind(work, devices.USER_CODES, _NETWORK, network(address))
    limits = (_Bucket(browser, _ONE, lives), _Bucket(subscriber, _ONE, lives), _Bucket(_EVERYBODY, _ALL, lives / _ALL))
    held = []
    for bucket in limits:
        free_at = await devices.hold_guesses(work, bucket.source)
        if wait := bucket.wait(free_at, work.now):
            return wait
        held.append((bucket, free_at))
    return Turn(tuple(held))


async def wrong(work: Work, turn: Turn, lives: timedelta) -> None:
    """Count a wrong code."""
    sight = _Bucket(_IN_SIGHT, _ONE, lives)
    for bucket, free_at in (*turn.held, (sight, await devices.hold_guesses(work, _IN_SIGHT))):
        await devices.guessed(work, bucket.source, bucket.spent(free_at, work.now))


async def letters(reader: Reader, lives: timedelta) -> int:
    """Return how many letters a new code needs."""
    sight = _Bucket(_IN_SIGHT, _ONE, lives)
    return LONGER if sight.wait(await devices.guesses(reader, _IN_SIGHT), reader.now) else USUAL
