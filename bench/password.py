"""Password sign-ins through the pages, and how much of their CPU the hash itself takes."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass

from argon2.low_level import Type, hash_secret, verify_secret

from bench.figures import processor_seconds
from bench.targets import BACK, EMAIL, PASSWORD, Limen
from tests.rig.walker import Walker


@dataclass
class SignIns:
    """What a run of sign-ins gave: per second, CPU in ms for each, of which the hash, and the hash's share."""

    rate: float
    cost: float
    hash_cost: float

    @property
    def share(self) -> float:
        return self.hash_cost / self.cost


def cost_of_a_hash(rounds: int = 20) -> float:
    """Return the CPU of one verification with Limen's parameters, in ms, measured alone on this machine."""
    made = hash_secret(PASSWORD.encode(), b"sixteen octets..", time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, type=Type.ID)
    begun = time.process_time()
    for _ in range(rounds):
        verify_secret(made, PASSWORD.encode(), Type.ID)
    return (time.process_time() - begun) / rounds * 1000


def sign_in(target: Limen, jar: dict[str, str]) -> None:
    """Walk from the app's request to its code, as one customer on a browser that knows her."""
    walker = Walker()
    walker.jar["localhost"] = dict(jar)
    walker.walk(target.server.issuer + target.authorize(), {"identifier": EMAIL, "password": PASSWORD}, re.compile("^" + re.escape(BACK)))


async def password_sign_ins(target: Limen, count: int, at_once: int = 8) -> SignIns:
    """Sign in `count` times; the clock of the hash is measured beside it in the same run."""
    places = asyncio.Semaphore(at_once)

    async def one() -> None:
        async with places:
            await asyncio.to_thread(sign_in, target, {})

    await asyncio.gather(*(one() for _ in range(at_once)))
    hash_cost = cost_of_a_hash()
    before, begun = processor_seconds(target.pid), time.perf_counter()
    await asyncio.gather(*(one() for _ in range(count)))
    used, seconds = processor_seconds(target.pid) - before, time.perf_counter() - begun
    return SignIns(count / seconds, used / count * 1000, (hash_cost + cost_of_a_hash()) / 2)
