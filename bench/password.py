"""Password sign-ins through the pages, and how much of their CPU the hash itself takes."""

from __future__ import annotations

import asyncio
import re
import time
import urllib.request
from dataclasses import dataclass

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


def hash_seconds(target: Limen) -> float:
    """Return the CPU seconds the server's hashing threads have used, as it says itself."""
    with urllib.request.urlopen(f"http://127.0.0.1:{target.server.metrics}/metrics") as answer:
        text = answer.read().decode()
    return float(next(line.split()[-1] for line in text.splitlines() if line.startswith("limen_hashes_cpu_seconds")))


def sign_in(target: Limen, jar: dict[str, str]) -> None:
    """Walk from the app's request to its code, as one customer on a browser that knows her."""
    walker = Walker()
    walker.jar["localhost"] = dict(jar)
    walker.walk(target.server.issuer + target.authorize(), {"identifier": EMAIL, "password": PASSWORD}, re.compile("^" + re.escape(BACK)))


async def password_sign_ins(target: Limen, count: int, at_once: int = 8) -> SignIns:
    """Sign in `count` times, each in a browser of its own."""
    places = asyncio.Semaphore(at_once)

    async def one() -> None:
        async with places:
            await asyncio.to_thread(sign_in, target, {})

    await asyncio.gather(*(one() for _ in range(at_once)))
    before, hashed, begun = processor_seconds(target.pid), hash_seconds(target), time.perf_counter()
    await asyncio.gather(*(one() for _ in range(count)))
    seconds = time.perf_counter() - begun
    hashed, used = hash_seconds(target) - hashed, processor_seconds(target.pid) - before
    return SignIns(count / seconds, used / count * 1000, hashed / count * 1000)
