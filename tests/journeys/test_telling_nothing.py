"""Nothing tells a known address from an unknown one: not the work done, not the time taken."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from typing import Any

import pytest
import sqlalchemy as sa

from limen.modules import accounts, keys
from limen.modules.factors.store import TRIES
from limen.platform.sql import Statement, bind, statement
from limen.platform.sql.watchdog import WatchedWork
from tests.journeys.conftest import ADA, Town, step_of
from tests.journeys.test_signing_in import prove_page

pytestmark = pytest.mark.anyio

EVE, SUE, CLO = "eve@example.com", "sue@example.com", "clo@example.com"
_TRIALS = 25
_ROUNDS = 5
_FORGET_TRIES = statement(sa.delete(TRIES).where(TRIES.c.tenant == bind("tenant")))
GUESS = {"password": "a guess of the thief"}


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Count the statements of every Work by what they do to which table; what is read for whoever comes, when memory has it no more, is left out."""
    seen: Counter[str] = Counter()
    ask = WatchedWork._asking

    def asking(self: WatchedWork, statement: Statement[Any], values: Mapping[str, object]) -> Any:
        words = re.match(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)", statement.sqlite.sql)
        if words and words[2] not in {"outbox", "tenants", "tenant_keys"}:
            seen[f"{words[1]} {words[2]}"] += 1
        return ask(self, statement, values)

    with monkeypatch.context() as patch:
        patch.setattr(WatchedWork, "_asking", asking)
        yield seen


async def people(town: Town) -> None:
    """Make one account of each sort: with a password, without, suspended, closed; the tenant has its keys, as `apply` sees to."""
    await keys.prepare(town.world.db, town.world.tenant)
    await town.account()
    await town.account(EVE, None)
    suspended, closed = await town.account(SUE), await town.account(CLO)
    async with town.world.work() as work:
        await accounts.suspend(work, suspended, "abuse")
        await accounts.close(work, closed, "asked")


async def test_the_database_is_asked_as_often_for_nobody(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong password on the first page and on its own, a code sent, a wrong code, a recovery: the same statements for every sort of address, known or not."""
    await people(town)
    counted = []
    asks: tuple[tuple[dict[str, str], str], ...] = (
        (GUESS, "continue"),
        ({}, "email_code"),
        ({"code": "1"}, "continue"),
        ({}, "password"),
        ({}, "recover"),
        ({"code": "1"}, "continue"),
    )
    for address in (ADA, EVE, SUE, CLO, "nobody@example.com"):
        browser = town.browser()
        steps = []
        page = await browser.get("/signin")
        with watched(monkeypatch) as seen:
            await browser.submit(page, {"identifier": address, **GUESS})
        steps.append(Counter(seen))
        page = await prove_page(browser, address)
        for values, action in asks:
            with watched(monkeypatch) as seen:
                page = await browser.submit(page, values, action=action)
            steps.append(Counter(seen))
        counted.append(steps)
    for other in counted[1:]:
        assert other == counted[0]


@pytest.mark.slow
async def test_the_time_taken_says_nothing(town: Town) -> None:
    """Interleaved trials: the medians of every sort of address lie within a millisecond or 3 % of each other, for each thing one can ask.

    It is the processor's time that is compared: the clock on the wall tells more of what else the machine does.
    """
    await people(town)
    times: dict[tuple[str, str], list[float]] = {}
    apart: dict[str, dict[str, float]] = {}
    for _ in range(_ROUNDS):  # a machine with other work to do gets more trials, an oracle does not go away by them
        await _try_all(town, times)
        apart = _medians_apart(times)
        if not apart:
            return
    pytest.fail(str(apart))


async def _try_all(town: Town, times: dict[tuple[str, str], list[float]]) -> None:
    for trial in range(_TRIALS):
        sorts = [("password", ADA), ("none", EVE), ("suspended", SUE), ("closed", CLO), ("nobody", f"nobody{len(times)}-{trial}@example.com")]
        town.world.advance(4000)
        async with town.world.work() as work:
            await work.run(_FORGET_TRIES)
        for sort, address in sorts[trial % len(sorts) :] + sorts[: trial % len(sorts)]:
            browser = town.browser()
            first = await browser.get("/signin")
            began = time.process_time()
            await browser.submit(first, {"identifier": address, **GUESS}, follow=False)
            times.setdefault(("first", sort), []).append(time.process_time() - began)
            browser = town.browser()
            page = await prove_page(browser, address)
            for thing, values, action in (("guess", GUESS, "continue"), ("code", {}, "email_code")):
                began = time.process_time()
                answer = await browser.submit(page, values, action=action, follow=False)
                times.setdefault((thing, sort), []).append(time.process_time() - began)
                page = await browser.get(answer.location)
                assert step_of(page) == "signin.prove"


def _medians_apart(times: dict[tuple[str, str], list[float]]) -> dict[str, dict[str, float]]:
    apart = {}
    for thing in ("first", "guess", "code"):
        medians = {sort: median(found) for (what, sort), found in times.items() if what == thing}
        low, high = min(medians.values()), max(medians.values())
        if high - low > max(0.001, 0.03 * high):
            apart[thing] = medians
    return apart
