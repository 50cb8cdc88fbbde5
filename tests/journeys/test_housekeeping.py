"""What journeys and codes leave behind, and when it goes."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from limen.modules.factors.store import CHALLENGES, TRIES
from limen.modules.journey.store import JOURNEYS
from limen.platform.sql import bind, statement
from tests.journeys.conftest import Town
from tests.journeys.test_signing_in import prove_page

pytestmark = pytest.mark.anyio

_LEFT = {
    made.name: statement(sa.select(sa.func.count()).select_from(made).where(made.c.tenant == bind("tenant")), into=int)
    for made in (JOURNEYS, CHALLENGES, TRIES)
}


async def left(town: Town) -> dict[str, int]:
    """Return how many rows each table has."""
    async with town.world.read() as read:
        return {name: (await read.all(count))[0] for name, count in _LEFT.items()}


async def test_abandoned_journeys_and_codes_leave_within_three_hours(town: Town) -> None:
    """The sweeps are ordered by whoever begins, run by the outbox, and order no further ones once nothing is left to find."""
    browser = town.browser()
    page = await browser.submit(await prove_page(browser, "nobody@example.com"), action="email_code")
    await browser.submit(page, {"code": "1"})
    assert await left(town) == {"journeys": 1, "challenges": 1, "factor_tries": 1}
    for _ in range(3):
        town.world.advance(3601)
        await town.runner.run_due()
    assert await left(town) == {"journeys": 0, "challenges": 0, "factor_tries": 1}
    town.world.advance(91 * 86_400)
    for _ in range(2):
        town.world.advance(3601)
        await town.runner.run_due()
    assert await left(town) == {"journeys": 0, "challenges": 0, "factor_tries": 0}
    town.world.advance(10 * 86_400)
    assert await town.runner.run_due() <= 2  # what is still ordered finds nothing and orders nothing
    town.world.advance(10 * 86_400)
    assert await town.runner.run_due() == 0
