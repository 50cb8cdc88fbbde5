"""A log of a million facts is searched as fast as a small one."""

from __future__ import annotations

import random
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest

from limen.kernel.clock import SystemClock
from limen.kernel.ids import AccountId, TenantId
from limen.modules import audit
from limen.modules.audit import Search
from limen.platform.crypto import Keyring
from limen.platform.sql import Database, open_database
from tests.rig import databases

START = datetime(2026, 1, 1, tzinfo=UTC)
SMALL, LARGE = 20_000, 1_000_000
TENANT = TenantId("acme")
BUSY = ["oauth.token_issued", "oauth.token_refreshed", "sessions.session_seen"]
NAMES = BUSY * 10 + [
    f"{module}.{what}" for module in ("accounts", "factors", "oauth", "sessions") for what in ("added", "changed", "checked", "ended", "failed")
]
RARE = "keys.signing_key_rotated"
TRIALS = 200


def write(path: str, rows: range) -> None:
    """Add facts as a server does, one a second: many accounts, some clients, one rare kind, one operator who seldom acts."""
    draw = random.Random(rows.start)  # noqa: S311 - sample data
    micros = int(START.timestamp()) * 1_000_000

    def row(number: int) -> tuple[object, ...]:
        subject = f"acc_{draw.randrange(LARGE // 10):06}" if draw.random() < 0.8 else None
        actor = draw.choice(("client:shop", "client:shop", "client:app", f"customer:{subject}", "anonymous")) if subject else "client:svc"
        name = draw.choice(NAMES)
        if number % 5_000 == 7:
            name, actor = RARE, "operator:acc_op"
        data = f'{{"number":{number},"client":"shop","scopes":["openid","profile"]}}'
        return ("acme" if number % 10 else f"t{number % 70}", micros + number * 1_000_000, name, subject, actor, data)

    connection = apsw.Connection(path)
    with connection:
        connection.executemany("INSERT INTO facts (tenant, at, name, subject, actor, data) VALUES (?, ?, ?, ?, ?, ?)", map(row, rows))
    connection.close()


def questions(draw: random.Random, rows: int) -> dict[str, Search]:
    since = START + timedelta(seconds=draw.randrange(rows))
    return {
        "newest": Search(),
        "subject": Search(subject=AccountId(f"acc_{draw.randrange(rows // 10):06}")),
        "kind": Search(kind=draw.choice(BUSY)),
        "rare kind": Search(kind=RARE),
        "begin of kind": Search(kind="oauth."),
        "time": Search(since=since, until=since + timedelta(hours=1)),
        "kind and time": Search(kind="sessions.", until=since),
        "operator": Search(actor="operator:acc_op"),
        "client": Search(actor="client:app"),
    }


async def measure(db: Database, rows: int) -> dict[str, float]:
    """Return the 95th percentile of each question, milliseconds for a page of 50."""
    draw = random.Random(7)  # noqa: S311 - likewise
    times: dict[str, list[float]] = {}
    for _ in range(TRIALS):
        for name, wanted in questions(draw, rows).items():
            begun = time.thread_time()  # SQLite answers in this thread; what else the machine does is not its time
            async with db.read(TENANT) as read:
                await audit.search(read, wanted, None, 50)
            times.setdefault(name, []).append((time.thread_time() - begun) * 1000)
    return {name: statistics.quantiles(taken, n=20)[-1] for name, taken in times.items()}


@pytest.mark.soak
async def test_a_million_facts(tmp_path: Path, keyring: Keyring) -> None:
    """The 95th percentile of every sort of search stays where it was with a fiftieth of the facts."""
    url = await databases.sqlite_copy(tmp_path / "limen.db")
    path = url.removeprefix("sqlite:///")
    figures = []
    for rows in (range(SMALL), range(SMALL, LARGE)):
        write(path, rows)
        db = await open_database(url, keyring, SystemClock())
        try:
            await measure(db, rows.stop)  # warms the cache
            figures.append(await measure(db, rows.stop))
        finally:
            await db.close()
    small, large = figures
    print("audit, p95 in ms of processor at 20,000 and 1,000,000 facts: " + ", ".join(f"{name} {small[name]:.2f}/{large[name]:.2f}" for name in small))
    for name, taken in large.items():
        assert taken < max(3 * small[name], 3.0), name
