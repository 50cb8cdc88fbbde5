"""`POST /dev/clock`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from limen.kernel.clock import SystemClock
from limen.platform.http.dev import ENDPOINTS
from tests.platform.http.conftest import Make


async def test_clock_is_turned(make: Make, clock: SystemClock) -> None:
    """Seconds add up, an instant sets; the answer is what the clock says."""
    client = make(*ENDPOINTS)
    real = datetime.now(UTC)
    answer = await client.post("/dev/clock", json={"advance": 3600})
    assert answer.status == 200
    said = datetime.fromisoformat(answer.json()["now"])
    assert timedelta(hours=1) <= said - real < timedelta(hours=1, seconds=5)
    answer = await client.post("/dev/clock", json={"now": "2031-02-03T04:05:06Z"})
    assert answer.json()["now"].startswith("2031-02-03T04:05:0")
    assert clock.now().year == 2031


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"advance": 1, "now": "2031-02-03T04:05:06Z"},
        {"now": "2031-02-03T04:05:06"},
        {"now": "tomorrow"},
        {"advance": "x"},
        {"advance": 1e300},
        {"advance": 1e11},
        {"go": 1},
    ],
)
async def test_wrong_turns_are_refused(make: Make, clock: SystemClock, body: object) -> None:
    """What is neither seconds nor an instant with a zone, or leads out of the calendar, changes nothing."""
    answer = await make(*ENDPOINTS).post("/dev/clock", json=body)
    assert answer.status in (400, 422)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert clock.offset == timedelta()


@pytest.mark.parametrize("base", ["https://id.example.com", "https://localhost:8400"])
async def test_absent_in_production(make: Make, base: str) -> None:
    """In production there is no such endpoint, under whatever Host."""
    assert (await make(*ENDPOINTS, base=base).post("/dev/clock", json={"advance": 1})).status in (404, 421)


async def test_other_hosts_find_nothing(make: Make, clock: SystemClock) -> None:
    """Dev routes answer to localhost and 127.0.0.1 alone: a name that leads to this machine is not enough."""
    client = make(*ENDPOINTS)
    assert (await client.post("http://own.example:8400/dev/clock", json={"advance": 1})).status in (404, 421)
    assert (await client.post("http://127.0.0.1:8400/dev/clock", json={"advance": 60})).status == 200
    assert clock.offset == timedelta(seconds=60)
