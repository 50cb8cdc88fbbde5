"""How the token watch goes through the log: once, whatever dies, in whichever process; and what it costs a request, which is nothing."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.app import forgetting
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import ClientId
from limen.modules.oauth.settings import Tenant as Rules
from limen.modules.oauth.token import endpoint
from limen.modules.oauth.watch import following
from limen.modules.oauth.watch.model import ClientSeen, Profile
from limen.platform.sql import Reader
from limen.platform.sql.watchdog import WatchedRead, WatchedWork
from tests.modules.oauth.conftest import ACME, Door
from tests.modules.oauth.test_refresh import beside
from tests.modules.oauth.watching import HOUR, begin, kept, kinds, service, settled, watch

pytestmark = pytest.mark.anyio

SVC = ClientId("svc")
RULES = Rules()
START = 1_000_000 * 60


async def learnt(door: Door) -> None:
    """Let the watch know the service for an hour."""
    await begin(door)
    await service(door)
    await watch(door)
    door.world.advance(HOUR)


async def test_what_was_before_it_began_is_not_told(door: Door) -> None:
    """The first look is from the end of the log on, however long that is."""
    await service(door, 20)
    await begin(door, watch_learning="PT1H")
    assert "svc" not in await kept(door.world.db)


async def test_two_processes_at_once_tell_once(door: Door) -> None:
    """Both take the same stretch: each row is brought on by one of them, and each anomaly is told by one of them."""
    await learnt(door)
    async with beside(door) as other:
        for number in range(3):
            person = await door.person()
            await service(door, 9, address=f"198.51.{number}.1", scope=("read", "write", "open")[number])
            for _ in range(6):
                await door.tokens(person)
            await settled(door)
            databases = (door.world.db, other.app.house.db)
            done = await asyncio.gather(*map(following.keep_watch, databases))
            assert True in done, done
            while await following.keep_watch(door.world.db):
                pass
    told = Counter(kinds(await door.facts("oauth.anomaly_seen")))
    assert told == {"burst": 4, "scope_drift": 2, "new_network": 2}


@pytest.mark.parametrize("at", ["_learn", "_conclude"])
async def test_a_stretch_half_done_is_done_again_and_counts_once(door: Door, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """A process that dies between two of its Works leaves the rest to the next; what it had done is not done twice."""
    await learnt(door)
    monkeypatch.setattr(following, "_CLIENTS_AT_ONCE", 1)
    whole, calls = getattr(following, at), 0

    async def dies(*given: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == (2 if at == "_learn" else 1):
            raise KeyboardInterrupt
        await whole(*given)

    person = await door.person()
    await service(door, 4)
    await service(door, client="orders-api")
    for _ in range(6):
        await door.tokens(person)
    await settled(door)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(following, at, dies)
        await following.keep_watch(door.world.db)
    await service(door, 1)
    await watch(door)
    await watch(door)
    assert [(one["kind"], one["client"]) for one in (fact.data for fact in await door.facts("oauth.anomaly_seen"))] == [("burst", "shop")]
    counted = [text for text in await kept(door.world.db) if '"scopes"' in text and '"read"' in text and '"openid"' not in text]
    assert sum('"count":5' in text.replace(" ", "") for text in counted) == 1, "four and one, none of them twice"


async def test_after_a_long_stand_it_goes_on_stretch_by_stretch(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """What piled up is read in pieces, and told as it would have been."""
    await learnt(door)
    monkeypatch.setattr(following, "_STRETCH", 7)
    monkeypatch.setattr(following, "_FACTS_AT_ONCE", 3)
    for _ in range(3):
        await service(door, 9)
        door.world.advance(HOUR)
    await settled(door)
    steps = 0
    while await following.keep_watch(door.world.db):
        steps += 1
    assert steps > 3
    assert kinds(await door.facts("oauth.anomaly_seen")).count("burst") >= 1
    assert await following.keep_watch(door.world.db) is False


async def test_a_person_forgotten_leaves_nothing(door: Door) -> None:
    """An anomaly about her stays in the log under her id, as everything; the watch goes on, and has nothing of hers."""
    await begin(door)
    ada = await door.person()
    for _ in range(6):
        await door.tokens(ada)
    await settled(door)
    await forgetting.forget(door.world.db, (ACME, ada.account), SYSTEM)
    (told,) = await watch(door)
    assert told.subject == ada.account
    assert ada.account not in "\n".join(await kept(door.world.db))


async def test_a_token_costs_no_statement_more(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the watch and without it a token takes the same statements, from a network never seen before too."""
    await begin(door)
    await service(door)
    person = await door.person()
    refresh = (await door.tokens(person))["refresh_token"]
    asked: list[object] = []

    def spied(whole: Callable[..., Any]) -> Callable[..., Any]:
        def run(reader: Reader, statement: object, /, **words: object) -> object:
            asked.append(statement)
            return whole(reader, statement, **words)

        return run

    for kind, name in itertools.product((WatchedRead, WatchedWork), ("all", "one", "look", "run", "put", "claim")):
        if hasattr(kind, name):
            monkeypatch.setattr(kind, name, spied(getattr(kind, name)))

    async def counted(address: str) -> tuple[int, int, int]:
        nonlocal refresh
        asked.clear()
        await service(door, address=address)
        one = len(asked)
        refresh = (await door.refresh(refresh)).json()["refresh_token"]
        two = len(asked) - one
        assert (await door.userinfo((await door.refresh(refresh)).json()["access_token"])).status == 200
        return one, two, len(asked) - two - one

    await counted("192.0.2.1")
    known = await counted("192.0.2.1")
    new = min([await counted(f"203.0.{number}.1") for number in range(4)])  # the first may find caches that a notice just emptied

    async def nowhere(*_: object) -> str:
        return ""

    monkeypatch.setattr(endpoint, "network", nowhere)
    monkeypatch.setattr("limen.modules.oauth.userinfo.network", nowhere)
    assert known == new == await counted("192.0.2.1")
    assert min(known[1:]) > 0


def seen(minute: int, count: int, scopes: str = "read", label: str = "home") -> ClientSeen:
    at = START + minute * 60
    return ClientSeen(Counter({at // 60: count}), {scopes: at}, {label: at})


@given(st.lists(st.integers(0, RULES.watch_client_minute), max_size=200), st.integers(1, 900))
def test_quiet_traffic_is_never_told(counts: list[int], every: int) -> None:
    """Whatever the rhythm: up to the floors of minute and hour, with the scopes and networks it has, nothing is ever found."""
    profile = Profile(START - 10 * 86_400, START - 10 * 86_400, scopes={"read": START}, networks={"home": START})
    hours: Counter[int] = Counter()
    for number, wanted in enumerate(counts):
        minute = number * every
        count = min(wanted, RULES.watch_client_hour - hours[minute // 60])
        hours[minute // 60] += count
        if count:
            assert profile.learn(SVC, seen(minute, count), RULES) == []


@given(st.integers(20, 5_000), st.lists(st.floats(0.5, 1.5), min_size=120, max_size=240))
def test_a_busy_client_is_never_told_for_being_as_it_is(usual: int, sways: list[float]) -> None:
    """By day twice as much as on average, by night a tenth, each minute half more or less than that: it is the same again every day."""
    profile = Profile(START, START)
    number = 0
    for day in range(3):
        for step in range(0, 1440, 20):
            wave = 2.0 if 480 <= step < 1320 else 0.1
            count = max(1, int(usual * wave * sways[number % len(sways)]))
            number += 1
            assert profile.learn(SVC, seen(day * 1440 + step, count), RULES) == []


def test_monday_is_no_burst() -> None:
    """A client of people at work rests on Saturdays and Sundays, and for a fortnight at Christmas."""
    profile = Profile(START, START)
    for day in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 25, 26):
        for step in range(480, 1080, 10):
            assert profile.learn(SVC, seen(day * 1440 + step, 1_000), RULES) == [], day


@given(st.integers(1, 5_000), st.integers(1, 50))
def test_a_real_burst_is_always_told(usual: int, more: int) -> None:
    """Beyond four times what was usual, and beyond the floor, within a minute."""
    profile = Profile(START, START)
    for minute in range(0, 1500, 30):
        assert profile.learn(SVC, seen(minute, usual), RULES) == []
    burst = max(RULES.watch_client_minute, RULES.watch_times * usual) + more
    (found,) = profile.learn(SVC, seen(1510, burst), RULES)
    assert (found.kind.value, found.observed) == ("burst", burst)


def test_a_client_that_grows_is_soon_as_usual() -> None:
    """Ten times as much for good is told a few times, and then it is what is usual."""
    profile = Profile(START, START)
    for minute in range(0, 1500, 5):
        profile.learn(SVC, seen(minute, 100), RULES)
    found = [profile.learn(SVC, seen(minute, 1_000), RULES) for minute in range(1500, 1500 + 24 * 60)]
    assert 1 <= sum(map(len, found)) <= 5
    assert not any(found[12 * 60 :])


def test_a_burst_does_not_make_itself_usual() -> None:
    """One minute of a hundred times as much lifts what is usual by little, so that the next is told as well."""
    profile = Profile(START, START)
    for minute in range(0, 1500, 5):
        profile.learn(SVC, seen(minute, 100), RULES)
    assert profile.learn(SVC, seen(1500, 10_000), RULES)
    profile.learn(SVC, seen(1501, 100), RULES)
    assert profile.minute.usual < 200
    assert profile.learn(SVC, seen(1500 + 60, 10_000), RULES)


def test_what_is_known_of_a_client_stays_small() -> None:
    """Whatever it asks for and wherever it comes from, a few hundred names and sixteen networks."""
    profile = Profile(START, START)
    for number in range(500):
        profile.learn(SVC, seen(number, 1, f"scope{number}", f"net{number}"), RULES)
    assert len(profile.scopes) == 200
    assert len(profile.networks) == 16
    assert "scope499" in profile.scopes
    assert "net499" in profile.networks


@pytest.mark.parametrize(
    "wrong",
    [
        {"watch_client_minute": 0},
        {"watch_client_minute": 2_000},
        {"watch_account_hour": 5},
        {"watch_times": 1},
        {"watch_networks": 0},
        {"watch_few_networks": 11},
        {"watch_networks_within": timedelta(hours=2)},
        {"watch_learning": timedelta(minutes=1)},
    ],
)
def test_limits_that_make_no_sense(wrong: dict[str, Any]) -> None:
    """Refused by name when the tenant's file is applied."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Rules(**wrong)
