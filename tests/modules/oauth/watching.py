"""What the tests of the token watch share: machines at addresses, a clock that stands at the start of an hour, and one round of the watch."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from limen.kernel.ids import SERVER
from limen.modules import audit
from limen.modules.oauth import store, tally
from limen.platform.sql import Database, statement
from tests.modules.oauth.conftest import BASE, SECRET, Door, basic
from tests.rig.asgi import Answer, Client
from tests.rig.log import Happened

HOUR = 3_600
DAY = 86_400
SMALL: dict[str, Any] = {
    "watch_client_minute": 5,
    "watch_client_hour": 40,
    "watch_account_minute": 4,
    "watch_account_hour": 40,
    "watch_networks": 3,
    "watch_few_networks": 2,
    "watch_learning": "PT1H",
}
"""Limits that a test reaches with a few requests."""

_ROWS = [
    statement(sa.select(sa.cast(column, sa.Text)), into=str, across_tenants="a test looks at everything")
    for one in (store.watch.STRETCHES, store.watch.TENANTS, store.watch.CLIENTS)
    for column in one.c
]


async def begin(door: Door, **settings: Any) -> None:
    """Let the watch begin at an hour's start, with small limits."""
    now = door.world.clock.now().timestamp()
    door.world.advance(HOUR - now % HOUR + 1)
    await door.set("oauth", **{**SMALL, **settings})
    await watch(door)


async def settled(door: Door) -> None:
    """Write what was counted, and wait until all facts have their positions."""
    await tally.flush(door.world.db)
    await audit.settled(door.world.db)


async def watch(door: Door) -> list[Happened]:
    """Let a minute pass, and the watch look; return all anomalies so far."""
    await settled(door)
    door.world.advance(61)
    await door.runner.order_turns()
    await door.runner.run_due()
    return await door.facts("oauth.anomaly_seen")


def kinds(found: list[Happened]) -> list[str]:
    """Return what kinds of anomalies there are."""
    return [fact.data["kind"] for fact in found]


async def service(door: Door, times: int = 1, *, address: str = "192.0.2.1", scope: str = "read", client: str = "svc") -> None:
    """Let a service get so many tokens."""
    machine = Client(door.app, BASE, address=address)
    for _ in range(times):
        form = {"grant_type": "client_credentials", "scope": scope}
        answer = await machine.post(f"{BASE}/oauth/token", form=form, headers={"authorization": basic(client, SECRET)})
        assert answer.status == 200, answer.text


async def public(door: Door, address: str, **form: str) -> Answer:
    """Call the token endpoint as the app in a browser somewhere."""
    return await Client(door.app, BASE, address=address).post(f"{BASE}/oauth/token", form={"client_id": "spa", **form})


async def kept(db: Database) -> list[str]:
    """Return all that the watch has in its tables, as text."""
    async with db.read(SERVER) as reader:
        return [text for one in _ROWS for text in await reader.all(one)]
