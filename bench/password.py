"""Password sign-ins through the pages, and how much of their CPU the hash itself takes."""

from __future__ import annotations

import asyncio
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urljoin

from bench.figures import processor_seconds
from bench.targets import BACK, PASSWORD, Limen
from tests.rig.walker import Seen, Walker


@dataclass
class SignIns:
    """What a run of sign-ins gave: per second, and the CPU in ms of each: in all, of the page and its answer alone, and of the hash."""

    rate: float
    cost: float
    alone: float
    hash_cost: float

    @property
    def share(self) -> float:
        return self.hash_cost / self.cost

    @property
    def share_alone(self) -> float:
        return self.hash_cost / self.alone


def hash_seconds(target: Limen) -> float:
    """Return the CPU seconds the server's hashing threads have used, as it says itself."""
    with urllib.request.urlopen(f"http://127.0.0.1:{target.server.metrics}/metrics") as answer:
        text = answer.read().decode()
    return float(next(line.split()[-1] for line in text.splitlines() if line.startswith("limen_hashes_cpu_seconds")))


class Customer:
    """One sign-in, step by step, in a browser of its own."""

    def __init__(self, target: Limen, email: str) -> None:
        self._email = email
        self._walker = Walker()
        self._start = target.server.issuer + target.authorize()
        self._way = ""

    def come(self) -> None:
        """Come from the app, and be sent to the page."""
        self._to(self._walker.once(self._start))

    def sign_in(self) -> None:
        """Open the page, and answer it."""
        self._to(self._walker.press(self._walker.once(self._way), {"identifier": self._email, "password": PASSWORD}))

    def go_back(self) -> None:
        """Go back to the app with a code."""
        self._to(self._walker.once(self._way))
        if not self._way.startswith(BACK):
            raise RuntimeError(f"not at the app: {self._way}")

    def _to(self, seen: Seen) -> None:
        if "location" not in seen.headers:
            raise RuntimeError(f"{seen.status} at {seen.url}: {seen.words[:300]}")
        self._way = urljoin(seen.url, seen.headers["location"])


async def password_sign_ins(target: Limen, count: int, at_once: int = 8) -> SignIns:
    """Sign in `count` times, all through one stage before any goes on to the next; whoever does so at once has an account of her own."""
    emails = [f"customer{number}@example.com" for number in range(at_once)]
    for email in emails:
        await asyncio.to_thread(target.sign_up, email)
    customers = [Customer(target, emails[number % at_once]) for number in range(count + at_once)]
    await _all([step for one in customers[count:] for step in (one.come, one.sign_in, one.go_back)], at_once=1)
    hashed, begun, costs = hash_seconds(target), time.perf_counter(), []
    for stage in (Customer.come, Customer.sign_in, Customer.go_back):
        before = processor_seconds(target.pid)
        await _all([partial(stage, one) for one in customers[:count]], at_once=at_once)
        costs.append((processor_seconds(target.pid) - before) / count * 1000)
    seconds = time.perf_counter() - begun
    return SignIns(count / seconds, sum(costs), costs[1], (hash_seconds(target) - hashed) / count * 1000)


async def _all(steps: Sequence[Callable[[], None]], at_once: int) -> None:
    places = asyncio.Semaphore(at_once)

    async def one(step: Callable[[], None]) -> None:
        async with places:
            await asyncio.to_thread(step)

    await asyncio.gather(*(one(step) for step in steps))
