"""Guessing user codes (RFC 8628, section 5.1): how many wrong ones may come, from one source and from all."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.kernel import secrets
from limen.modules.oauth import tally
from limen.modules.oauth.device import guessing, model
from tests.modules.oauth.conftest import BASE, Door
from tests.modules.oauth.test_device import allow, began, entered, error
from tests.modules.oauth.test_refresh import beside
from tests.rig.asgi import Client

pytestmark = pytest.mark.anyio

LIFE = timedelta(minutes=10)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
WRONG = "BBBB-BBBB"


async def wrong(browser: Client) -> str:
    """Type a wrong code and return what the page says."""
    words = (await entered(browser, WRONG)).words
    assert ("No device waits" in words) != ("Too many wrong codes" in words), words
    return "unknown" if "No device waits" in words else "wait"


def browser_at(door: Door, address: str) -> Client:
    return Client(door.app, BASE, address=address)


async def test_after_four_wrong_codes_a_browser_waits(door: Door) -> None:
    """The fifth waits, be it right or wrong; when its time has come, one more is taken, and then there is waiting again."""
    person, codes = await door.person(), await began(door)
    assert [await wrong(person.browser) for _ in range(6)] == ["unknown"] * 4 + ["wait"] * 2
    page = await entered(person.browser, codes["user_code"])
    assert "Wait 10 minutes" in page.words
    assert await error(door, codes["device_code"]) == "authorization_pending"
    door.world.advance(600)
    assert [await wrong(person.browser) for _ in range(2)] == ["unknown", "wait"]
    door.world.advance(600)
    assert "is connected" in (await allow(person.browser, (await began(door))["user_code"])).words
    await tally.flush(door.world.db)
    counted = {fact.data["reason"]: fact.data["count"] for fact in await door.facts("oauth.user_code_refused")}
    assert counted == {"unknown": 5, "too_many": 4}


async def test_a_fresh_browser_at_the_same_address_is_the_same_guesser(door: Door) -> None:
    """Cookies thrown away change nothing; another address begins anew. Of IPv6 the subscriber's network counts."""
    assert [await wrong(browser_at(door, "192.0.2.1")) for _ in range(5)] == ["unknown"] * 4 + ["wait"]
    assert await wrong(browser_at(door, "192.0.2.2")) == "unknown"
    six = [f"2001:db8:1:2::{number}" for number in range(1, 6)]
    assert [await wrong(browser_at(door, address)) for address in six] == ["unknown"] * 4 + ["wait"]
    assert await wrong(browser_at(door, "2001:db8:1:3::1")) == "unknown"


async def test_a_browser_that_changes_its_address_is_the_same_guesser(door: Door) -> None:
    """A browser's own count follows it."""
    browser, said = door.browser(), []
    for number in range(5):
        browser.address = f"192.0.2.{number}"
        said.append(await wrong(browser))
    assert said == ["unknown"] * 4 + ["wait"]


async def test_right_codes_and_what_is_no_code_cost_nothing(door: Door) -> None:
    """Many devices behind one address are connected, and a vowel is no guess."""
    person = await door.person()
    for _ in range(6):
        assert "is connected" in (await allow(person.browser, (await began(door))["user_code"])).words
        assert "No device waits" in (await entered(person.browser, "AEIO-UAEI")).words
    assert await wrong(person.browser) == "unknown"


@pytest.mark.parametrize("typed", ["", "   "])
async def test_nothing_typed_is_asked_for(door: Door, typed: str) -> None:
    """An empty field is not told that its code is wrong."""
    words = (await entered(door.browser(), typed)).words
    assert "Please check" in words
    assert "Enter the code that your device shows." in words
    assert "No device waits" not in words


async def test_guesses_at_once_in_two_processes_are_counted_one_by_one(door: Door) -> None:
    """Twelve at the same moment from one address are no cheaper than twelve in a row."""
    async with beside(door) as other:
        browsers = [browser_at(each, "192.0.2.9") for each in (door, other) * 6]
        said = await asyncio.gather(*(wrong(browser) for browser in browsers))
    assert sorted(said) == ["unknown"] * 4 + ["wait"] * 8


async def test_all_together_have_a_limit_too(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessers from everywhere make everybody wait, once there are very many of them."""
    monkeypatch.setattr(guessing, "_ALL", 7)
    assert [await wrong(browser_at(door, f"198.51.100.{number}")) for number in range(9)] == ["unknown"] * 7 + ["wait"] * 2


async def test_while_wrong_codes_are_in_sight_new_ones_are_longer(door: Door) -> None:
    """Ten letters instead of eight, which are typed in two halves as well; when it is quiet, eight again."""
    for number in range(4):
        assert len((await began(door))["user_code"]) == 9
        await wrong(browser_at(door, f"192.0.2.{number}"))
    codes = await began(door)
    assert len(codes["user_code"]) == 11
    person = await door.person()
    assert "is connected" in (await allow(person.browser, codes["user_code"].lower())).words
    door.world.advance(601)
    assert len((await began(door))["user_code"]) == 9


def test_the_chance_is_what_the_specification_works_out() -> None:
    """Five tries of eight letters, or two thousand of ten, find a given code with less than 2^-32."""
    letters = len(model.LETTERS)
    assert letters == len(set(model.LETTERS)) == 20
    assert math.log2(5 / letters**model.USUAL) < -32
    assert math.log2(2_000 / letters**model.LONGER) < -32


@given(st.lists(st.floats(0, 900), max_size=60), st.sampled_from([(4, LIFE, 5), (1_000, LIFE / 1_000, 2_000)]))
def test_no_stretch_of_a_lifetime_sees_more_wrong_codes(gaps: list[float], limits: tuple[int, timedelta, int]) -> None:
    """Whenever they come, five of one source, and two thousand of all, is the most in any ten minutes."""
    burst, interval, most = limits
    bucket = guessing._Bucket(b"", burst, interval)
    free_at, now, taken = NOW, NOW, []
    for gap in gaps:
        now += timedelta(seconds=gap)
        for _ in range(most + 1):
            if bucket.wait(free_at, now):
                break
            taken.append(now)
            free_at = bucket.spent(free_at, now)
    for at in taken:
        assert sum(at <= other < at + LIFE for other in taken) <= most


def test_letters_are_drawn_evenly() -> None:
    """Each letter comes about as often as any other."""
    drawn = secrets.letters(model.LETTERS, 40_000)
    assert set(drawn) == set(model.LETTERS)
    assert all(1_700 < drawn.count(letter) < 2_300 for letter in model.LETTERS)


@given(st.text(max_size=80))
def test_whatever_is_typed_is_a_code_or_nothing(typed: str) -> None:
    """No text makes the page fail, and what is read as a code is one."""
    code = model.read(typed)
    assert not code or (len(code) in (8, 10) and set(code) <= set(model.LETTERS))
    assert model.read(model.shown(code)) == code
