"""The engine of journeys, with toy steps on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import JourneyId, TenantId
from limen.kernel.secrets import Secret
from limen.modules.journey import Ask, Cookie, Journey, Passed, Return, Stuck, Tables, UnknownStep, begin, entrance, finished
from limen.modules.journey.service import Goes, Lost, Shows, advance, show
from limen.modules.journey.store import JOURNEYS as TABLE
from limen.modules.journey.store import drop_outdated
from limen.platform.sql import bind, statement
from tests.conftest import World
from tests.modules.journey import toys
from tests.modules.journey.toys import visitor

pytestmark = pytest.mark.anyio

OCTETS = statement(sa.select(TABLE.c.key, TABLE.c.state, TABLE.c.ended_at).where(TABLE.c.tenant == bind("tenant"), TABLE.c.id == bind("id")))


@pytest.fixture(autouse=True)
def toy_tables() -> Iterator[None]:
    """Walk by the toy tables."""
    with toys.installed():
        yield


async def begun(world: World, kind: str = "long", browser: str = "mine", door: str = "toy") -> JourneyId:
    async with world.work() as work:
        return await begin(work, kind, Ask(form_target="https://shop.example"), Return(door, "req_1" if door == "toy" else ""), browser.encode().ljust(32))


async def test_a_journey_goes_from_page_to_page_to_its_door(world: World) -> None:
    """Steps are shown in the table's order, automatic ones run between them, and the browser ends at the door with its cookies."""
    journey = await begun(world)
    me = visitor("mine", journey)
    first = await show(world.db, me, "/signin")
    assert isinstance(first, Shows)
    assert first.page.values["step"] == "toy.colour"
    assert first.page.form_targets == ("https://shop.example",)
    moved = await advance(world.db, me, {"step": "toy.colour", "colour": "blue"})
    assert isinstance(moved, Goes)
    assert moved.path == f"/signup?journey={journey}"
    assert [cookie.name for cookie in moved.cookies] == ["d"]
    ended = await advance(world.db, me, {"step": "toy.word", "word": "open sesame"})
    assert isinstance(ended, Goes)
    assert ended.path == f"/toy/resume?request=req_1&journey={journey}"
    assert [cookie.name for cookie in ended.cookies] == ["s"]


async def test_a_get_of_another_steps_path_leads_to_the_right_one(world: World) -> None:
    """A page asked for at the wrong path is a redirect, never another step."""
    journey = await begun(world)
    assert await show(world.db, visitor("mine", journey), "/recover") == Goes(f"/signin?journey={journey}")


async def test_the_door_takes_what_came_of_it_once(world: World) -> None:
    """Only the journey's own browser, only after its end, and only the first time."""
    journey = await begun(world, "short")
    mine, other = b"mine".ljust(32), b"other".ljust(32)
    async with world.work() as work:
        assert await finished(work, journey, mine) is None
    await show(world.db, visitor("mine", journey), "/signin")
    async with world.work() as work:
        assert await finished(work, journey, other) is None
        got = await finished(work, journey, mine)
        again = await finished(work, journey, mine)
    assert got is not None
    assert (got.account, got.session, got.ret, got.refusal) == (toys.ACCOUNT, toys.SESSION, Return("toy", "req_1"), "")
    assert again is None


async def test_two_doors_asking_at_once_get_it_once(world: World) -> None:
    """Of two requests that take an ended journey in the same moment one gets it."""
    journey = await begun(world, "short")
    await show(world.db, visitor("mine", journey), "/signin")

    async def take() -> bool:
        async with world.work() as work:
            return await finished(work, journey, b"mine".ljust(32)) is not None

    assert sorted(await asyncio.gather(*(take() for _ in range(8)))) == [False] * 7 + [True]


async def test_another_browser_an_unknown_and_an_expired_journey_are_lost(world: World) -> None:
    """None of them says which it was, save that one's own has expired; nothing is changed."""
    journey = await begun(world)
    for who in (visitor("other", journey), visitor("mine", JourneyId("jny_nobody")), visitor("mine", journey, TenantId("rival"))):
        assert await show(world.db, who, "/signin") == Lost(expired=False)
        assert await advance(world.db, who, {"step": "toy.colour", "colour": "red"}) == Lost(expired=False)
    assert toys.SETTLED == []
    world.advance(3601)
    assert await show(world.db, visitor("mine", journey), "/signin") == Lost(expired=True)
    assert await advance(world.db, visitor("mine", journey), {"step": "toy.colour", "colour": "red"}) == Lost(expired=True)


async def test_a_post_of_a_step_gone_by_changes_nothing(world: World) -> None:
    """The back button and a second press of it lead to where the journey stands, and the slow check is not run."""
    journey = await begun(world)
    me = visitor("mine", journey)
    await advance(world.db, me, {"step": "toy.colour", "colour": "blue"})
    for step in ("toy.colour", "toy.enter", "toy.count", "", "nonsense"):
        assert await advance(world.db, me, {"step": step, "colour": "red"}) == Goes(f"/signup?journey={journey}")
    assert toys.SETTLED == ["blue"]
    assert toys.CHECKS == []


async def test_of_posts_at_the_same_moment_one_is_settled(world: World) -> None:
    """Parallel posts of one step: each was checked, one is settled, all are led to where it went."""
    journey = await begun(world)
    me = visitor("mine", journey)
    went = await asyncio.gather(*(advance(world.db, me, {"step": "toy.colour", "colour": f"c{n}"}) for n in range(6)))
    assert {goes.path for goes in went if isinstance(goes, Goes)} == {f"/signup?journey={journey}"}
    assert len(toys.SETTLED) == 1
    assert sum(bool(goes.cookies) for goes in went if isinstance(goes, Goes)) == 1


async def test_mistakes_are_kept_for_the_next_page_and_then_forgotten(world: World) -> None:
    """After a wrong answer the GET shows what was wrong, as often as it is asked; the next answer begins without it."""
    journey = await begun(world)
    me = visitor("mine", journey)
    assert await advance(world.db, me, {"step": "toy.colour"}) == Goes(f"/signin?journey={journey}")
    for _ in range(2):
        shown = await show(world.db, me, "/signin")
        assert isinstance(shown, Shows)
        assert shown.page.values["errors"] == {"colour": "Name a colour."}
        assert shown.page.values["remarks"] == ("Take your time.",)
    await advance(world.db, me, {"step": "toy.colour", "colour": "blue"})
    shown = await show(world.db, me, "/signup")
    assert isinstance(shown, Shows)
    assert "errors" not in shown.page.values
    assert "remarks" not in shown.page.values


async def test_a_step_gets_its_own_fields_and_no_others(world: World) -> None:
    """What a form holds besides is not looked at: nobody sets an account by a field of that name."""
    journey = await begun(world)
    me = visitor("mine", journey)
    await advance(world.db, me, {"step": "toy.colour", "colour": "x", "account": "acc_2", "session": "ses_2"})
    await advance(world.db, me, {"step": "toy.word", "word": "open sesame"})
    async with world.work() as work:
        got = await finished(work, journey, b"mine".ljust(32))
    assert got is not None
    assert (got.account, got.session) == (toys.ACCOUNT, toys.SESSION)


async def test_a_journey_may_go_on_in_another_table(world: World) -> None:
    """Switch keeps what is known and walks by the other table."""
    journey = await begun(world)
    goes = await advance(world.db, visitor("mine", journey), {"step": "toy.colour", "action": "leave"})
    assert isinstance(goes, Goes)
    assert goes.path.startswith("/toy/resume")


async def test_a_person_who_says_no_ends_the_journey(world: World) -> None:
    """The door is told the refusal, and nobody is signed in."""
    journey = await begun(world)
    goes = await advance(world.db, visitor("mine", journey), {"step": "toy.colour", "action": "no"})
    assert isinstance(goes, Goes)
    async with world.work() as work:
        got = await finished(work, journey, b"mine".ljust(32))
    assert got is not None
    assert (got.refusal, got.account, got.session) == ("access_denied", None, None)


async def test_an_ended_journey_leads_back_to_its_door(world: World) -> None:
    """Opening or posting an ended journey again is a way to the door, not an error; the portal is its own address."""
    journey = await begun(world, "short", door="portal")
    me = visitor("mine", journey)
    assert (await show(world.db, me, "/signin")) == Goes("/account", (Cookie("s", Secret("secret"), 60),))
    assert (await show(world.db, me, "/signin")) == Goes("/account")
    assert (await advance(world.db, me, {"step": "toy.colour"})) == Goes("/account")


async def test_what_is_stored_shows_nothing_and_dies_at_the_end(world: World) -> None:
    """The row holds no typed word in clear; at the end its key and its state are gone."""
    journey = await begun(world)
    me = visitor("mine", journey)
    await advance(world.db, me, {"step": "toy.colour", "colour": "canary-yellow"})
    async with world.read() as read:
        row = await read.one(OCTETS, id=journey)
    assert row is not None
    assert b"canary" not in row[0] + row[1]
    await advance(world.db, me, {"step": "toy.word", "word": "open sesame"})
    async with world.read() as read:
        row = await read.one(OCTETS, id=journey)
    assert row is not None
    assert row[0] is None
    assert row[1] is None
    assert row[2] is not None


async def test_a_table_that_leads_nowhere_is_stopped(world: World) -> None:
    """An automatic step that never stops applying raises instead of running for ever, and nothing is stored."""
    journey = await begun(world, "endless")
    with pytest.raises(Stuck):
        await show(world.db, visitor("mine", journey), "/signin")


async def test_journeys_past_their_time_leave_the_table(world: World) -> None:
    """The sweep drops expired journeys and keeps living ones."""
    old = await begun(world)
    world.advance(3601)
    young = await begun(world)
    async with world.work(SYSTEM) as work:
        assert await drop_outdated(work, 10) == 1
    async with world.read() as read:
        assert await read.one(OCTETS, id=old) is None
        assert await read.one(OCTETS, id=young) is not None


def test_tables_are_checked_when_they_are_put_together() -> None:
    """An unknown step, one named twice, a kind or path taken twice: each refuses to start and says which."""
    with pytest.raises(UnknownStep, match="unknown_step") as found:
        Tables(toys.STEPS, [Journey(kind="x", steps=("toy.color",))], toys.DOORS)
    assert "did you mean toy.colour?" in found.value.operator
    for steps, journeys in (
        ((*toys.STEPS, toys.WORD), toys.JOURNEYS),
        (toys.STEPS, (*toys.JOURNEYS, Journey(kind="short", steps=()))),
        (toys.STEPS, (*toys.JOURNEYS, Journey(kind="other", steps=(), opens="/signin"))),
        (toys.STEPS, [Journey(kind="x", steps=("toy.word", "toy.word"))]),
    ):
        with pytest.raises(UnknownStep):
            Tables(steps, journeys, toys.DOORS)


async def test_a_journey_to_no_door_does_not_begin(world: World) -> None:
    """The kind and the door are known before anything is stored."""
    for kind, door in (("long", "nowhere"), ("unheard_of", "toy")):
        with pytest.raises(UnknownStep):
            async with world.work() as work:
                await begin(work, kind, Ask(), Return(door, "x"), b"")


def test_the_entrance_is_the_first_steps_path() -> None:
    """A door sends the browser there; the page finds its way on."""
    assert entrance("long", JourneyId("jny_1")) == "/signin?journey=jny_1"
    assert entrance("long", JourneyId("jny_1"), ("de", "en")) == "/signin?journey=jny_1&ui_locales=de+en"


def test_a_verdict_has_no_truth() -> None:
    """`if passed:` raises, so nobody can mistake a refusal for a proof."""
    with pytest.raises(TypeError):
        bool(Passed(account=toys.ACCOUNT, acr="aal1", amr=(), auth_time=datetime(2026, 1, 1, tzinfo=UTC)))
