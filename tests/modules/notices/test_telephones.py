"""Messages to telephones: ordered, delivered by a transport, refused, limited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from limen.app import discover
from limen.extensions.transports.generic_http.settings import Server as GenericHttp
from limen.kernel.facts import Actor, ActorKind, Origin
from limen.kernel.ids import AccountId, JobId
from limen.kernel.secrets import Secret
from limen.modules import accounts, audit, keys, notices, tenants
from limen.modules.notices import SMS, VOICE, Never, Recipient, Transport
from limen.modules.notices.jobs import JOBS
from limen.modules.notices.service.transports import _INSTALLED
from limen.platform import mail, outbox
from limen.platform.duties import Running, Settings
from limen.platform.outbox import JobState, Runner
from limen.platform.pages import Brand
from tests.conftest import World
from tests.rig import rotating
from tests.rig.ear import Ear, listening

ADA = AccountId("acc_ada")
NUMBER = "+4915112345678"
CODE = {"code": "493817", "minutes": "10"}
OWN = {"regions": ["DE", "US"], "texts_per_range_per_hour": 6, "texts_per_hour": 8}


async def set_up(world: World, **own: object) -> None:
    async with world.work() as work:
        await tenants.save(work, tenants.Tenant(name=world.tenant, brand=Brand(name="Acme"), languages=("en", "de"), settings={"notices": {**OWN, **own}}))


@pytest.fixture
async def house(world: World) -> World:
    """A world whose tenant writes to two countries."""
    await accounts.prepare(accounts.PHONE)
    now = world.clock.now()
    world.advance(3660 - (now.minute * 60 + now.second))  # early in an hour of the clock, in which the counts are
    await set_up(world)
    await keys.prepare(world.db, world.tenant)
    return world


@pytest.fixture(autouse=True)
def _transports() -> Iterator[None]:
    before = dict(_INSTALLED)
    notices.install(discover.plugged("transports"))
    yield
    _INSTALLED.clear()
    _INSTALLED.update(before)


@pytest.fixture
async def gateway() -> AsyncIterator[Ear]:
    async with listening() as ear:
        yield ear


def dev(world: World, gateway: Ear | None = None) -> Runner:
    """Return the jobs of a server in dev mode, with a gateway on this machine where there is one."""
    chosen = [notices.Server(sms="generic_http", voice="generic_http"), GenericHttp(url=gateway.uri("/sms"), secret=Secret("s3cret"))] if gateway else []
    return Runner(world.db, Settings([Running(dev=True, base_url="http://localhost:8400"), *chosen]), JOBS)


async def order(world: World, channel: str = SMS, template: str = "sign_in_code", language: str = "en", values: dict[str, str] | None = None) -> JobId:
    async with world.work() as work:
        to = Recipient(address=NUMBER, channel=channel, account=ADA)
        return await notices.send(work, to, template, CODE if values is None else values, language=language)


async def facts(world: World, kind: str) -> list[audit.Entry]:
    async with world.read() as read:
        return list((await audit.search(read, audit.Search(kind=kind))).entries)


async def mailbox(world: World) -> list[mail.Dropped]:
    async with world.read() as read:
        return await mail.mailbox_of(read)


async def asks(house: World, number: str = NUMBER, channel: str = SMS, source: str = "192.0.2.1") -> bool:
    async with house.work(Actor(ActorKind.ANONYMOUS, "", Origin(source, "a browser"))) as work:
        return await notices.may_send(work, channel, number)


async def test_dev_mode_puts_it_into_the_mailbox(house: World) -> None:
    """Without a transport nothing leaves: channel, words and code lie in the mailbox, the code bound to the host."""
    await order(house)
    house.advance(1)
    await order(house, VOICE, language="de")
    assert await dev(house).run_due() == 2
    called, texted = await mailbox(house)
    assert (texted.to, texted.channel, texted.subject, texted.code) == (NUMBER, "sms", "", "493817")
    assert texted.text.endswith("\n\n@localhost #493817")
    assert called.channel == "voice"
    assert "4, 9, 3, 8, 1, 7" in called.text
    assert {entry.name for entry in await facts(house, "notices.")} == {"notices.message_ordered", "notices.message_sent"}


async def test_a_gateway_takes_it_over(house: World, gateway: Ear) -> None:
    """It gets one request with the secret and the fields; the log says ordered and sent, without number and words."""
    job = await order(house)
    assert await dev(house, gateway).run_due() == 1
    ((shown, body),) = gateway.bodies
    assert gateway.lines == ["POST /sms HTTP/1.1"]
    assert shown == "Bearer s3cret"
    assert NUMBER in body.decode()
    assert job in body.decode()
    told = await facts(house, "notices.")
    assert all(entry.subject == ADA and entry.data["channel"] == "sms" and "15112345678" not in str(entry.data) for entry in told)
    assert await outbox.list_jobs(house.db, states=tuple(JobState)) == []


async def test_a_gateway_in_trouble_is_asked_again_and_given_up_in_the_end(house: World, gateway: Ear) -> None:
    """What it asks to wait is waited; a message without a code is tried eight times and then a dead letter."""
    await order(house, template="password_changed", values={"link": "http://localhost:8400/recover"})
    gateway.says(*[503] * 8, extra="Retry-After: 30\r\n")
    runner = dev(house, gateway)
    assert await runner.run_due() == 1
    house.advance(29)
    assert await runner.run_due() == 0
    for _ in range(7):
        house.advance(61)
        assert await runner.run_due() == 1
    (dead,) = await outbox.list_jobs(house.db)
    assert (dead.state, dead.last_error, dead.attempts) == (JobState.DEAD, "status 503", 8)


async def test_what_a_gateway_refuses_is_final_and_told(house: World, gateway: Ear) -> None:
    """A dead letter at once, and the log says why about the account."""
    await order(house)
    gateway.says(400)
    await dev(house, gateway).run_due()
    (refused,) = await facts(house, "notices.message_refused")
    assert (refused.subject, refused.data["reason"], refused.data["channel"]) == (ADA, "status 400", "sms")
    (dead,) = await outbox.list_jobs(house.db)
    assert (dead.state, dead.attempts) == (JobState.DEAD, 1)


async def test_a_code_that_has_run_out_does_not_leave(house: World, gateway: Ear) -> None:
    """Ten minutes later nobody waits for it."""
    await order(house)
    house.advance(601)
    await dev(house, gateway).run_due()
    assert gateway.lines == []
    (refused,) = await facts(house, "notices.message_refused")
    assert refused.data["reason"] == "too_late"


async def test_a_channel_that_hangs_holds_up_no_other(house: World) -> None:
    """While twenty calls hang at a gateway, text messages and mail go their way."""
    entered, released = asyncio.Event(), asyncio.Event()

    _INSTALLED["generic_http"] = replace(_INSTALLED["generic_http"], write=lambda _, __: Never("told so"))
    settings = Settings([Running(dev=True), notices.Server(sms="generic_http", voice="generic_http")])
    voice = next(kind for kind in JOBS if kind.name == "notices.voice")

    async def hangs(_: object) -> None:
        entered.set()
        await released.wait()

    kinds = [replace(kind, run=hangs) if kind is voice else kind for kind in JOBS]
    for _ in range(20):
        await order(house, VOICE)
    await order(house)
    runner = Runner(house.db, settings, kinds)
    serving = asyncio.create_task(runner.serve())
    try:
        async with asyncio.timeout(30):
            await entered.wait()
            while not await facts(house, "notices.message_refused"):
                await asyncio.sleep(0.05)
        assert {job.kind for job in await outbox.list_jobs(house.db, states=(JobState.WAITING,))} == {"notices.voice"}
    finally:
        released.set()
        runner.stop()
        await serving


async def test_without_a_transport_it_waits_in_production(house: World) -> None:
    """And the outbox says why, until an operator has chosen one."""
    await order(house)
    await Runner(house.db, Settings([]), JOBS).run_due()
    (waiting,) = await outbox.list_jobs(house.db)
    assert (waiting.state, waiting.last_error) == (JobState.WAITING, "no_transport")
    assert await mailbox(house) == []


async def test_what_has_no_words_for_a_channel_is_not_ordered(house: World) -> None:
    """A program's mistake, told before anything is ordered: an approval goes by mail alone, a fax nowhere."""
    for channel, template in ((SMS, "approval_asked"), (VOICE, "password_changed"), ("fax", "sign_in_code")):
        with pytest.raises(notices.UnknownNotice):
            await order(house, channel, template)


async def test_a_number_has_one_share_for_both_channels(house: World) -> None:
    """Five in an hour from one source, written or called."""
    assert [await asks(house, channel=channel) for channel in (SMS, VOICE, accounts.PHONE, VOICE, SMS, VOICE)] == [True] * 5 + [False]
    assert len(await facts(house, "notices.sending_limited")) == 1


async def test_neighbours_share_a_limit(house: World) -> None:
    """Six to numbers that differ in their last four digits, from wherever they are asked for; another range has its own; the log is told once."""
    found = [await asks(house, f"+4915112345{number:03}", source=f"192.0.2.{number}") for number in range(9)]
    assert found == [True] * 6 + [False] * 3
    assert await asks(house, "+4915112355000")
    (refused,) = await facts(house, "notices.number_refused")
    assert {name: refused.data[name] for name in ("channel", "region", "reason")} == {"channel": "sms", "region": "DE", "reason": "range"}
    assert "4915112345" not in str(refused.data)
    house.advance(3601)
    assert await asks(house, "+4915112345008")


async def test_all_numbers_together_have_a_limit(house: World) -> None:
    """Eight in an hour of the clock, however they are spread; what was refused counts nowhere."""
    assert [await asks(house, f"+4915112{number:02}5678", source=f"192.0.2.{number}") for number in range(11)] == [True] * 8 + [False] * 3
    (refused,) = await facts(house, "notices.number_refused")
    assert refused.data["reason"] == "tenant"
    await set_up(house, texts_per_hour=100)
    assert [await asks(house, f"+4915112{number:02}5678") for number in (9, 10)] == [True] * 2


async def test_other_countries_and_costly_numbers_are_refused(house: World) -> None:
    """Whatever their limits; told once an hour for each country and reason, however many numbers are tried."""
    for _ in range(2):
        for number in ("+447400123456", "+447400654321", "+18765550123", "+881612345678", "+499001234567"):
            assert not await asks(house, number)
    told = sorted((entry.data["region"], entry.data["reason"]) for entry in await facts(house, "notices.number_refused"))
    assert told == [("", "region"), ("DE", "costly"), ("GB", "region"), ("JM", "region")]
    assert await asks(house, "+12025550123")
    house.advance(3601)
    assert not await asks(house, "+447400123456")
    assert len(await facts(house, "notices.number_refused")) == 5


async def test_a_tenant_that_says_nothing_writes_to_nobody(house: World) -> None:
    """No country unless its file names it."""
    await set_up(house, regions=[])
    for channel in (SMS, VOICE, accounts.PHONE):
        assert not await asks(house, channel=channel)


async def test_many_at_once_are_no_way_round(house: World) -> None:
    """Twenty askers at the same moment get six messages to the range between them."""
    found = await asyncio.gather(*(asks(house, f"+4915112345{number:03}", source=f"192.0.2.{number}") for number in range(20)))
    assert sum(found) == 6


async def test_no_rotation_gives_a_range_more_messages(house: World) -> None:
    """What was counted under the previous index counts on."""
    assert all([await asks(house, f"+4915112345{number:03}") for number in range(4)])
    await rotating.begin(house, keys.Use.INDEX)
    assert [await asks(house, f"+4915112345{number:03}") for number in range(4, 8)] == [True] * 2 + [False] * 2


def test_the_transports_are_those_the_documents_name() -> None:
    """Three ways, two of which can call."""
    assert {name: sorted(way.channels) for name, way in discover.plugged("transports").items() if isinstance(way, Transport)} == {
        "generic_http": [SMS, VOICE],
        "smtp_to_sms": [SMS],
        "twilio": [SMS, VOICE],
    }
