"""Messages ordered, delivered, limited; the mailbox of dev mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from limen.kernel.facts import SYSTEM, Actor, ActorKind, Origin
from limen.kernel.ids import SERVER, AccountId, JobId, TenantId
from limen.modules import audit, keys, notices, tenants
from limen.modules.notices import Recipient
from limen.modules.notices import store as sends
from limen.modules.notices.jobs import JOBS, MAIL
from limen.modules.notices.model import COUNTS
from limen.modules.notices.store import SENDS
from limen.platform import mail, outbox
from limen.platform.crypto import Place
from limen.platform.duties import Running, Settings
from limen.platform.outbox import JobState, Runner, store
from limen.platform.outbox.model import Errand
from limen.platform.pages import Brand
from limen.platform.sql import bind, statement
from tests.conftest import World
from tests.rig import rotating
from tests.rig.smtp import SmtpRig, smtp_server

ADA = AccountId("acc_ada")
TO = Recipient(address="ada@example.com", account=ADA)
BROWSER = Actor(ActorKind.ANONYMOUS, "", Origin("203.0.113.77", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"))
_ADDRESSES = statement(sa.select(SENDS.c.address).where(SENDS.c.tenant == bind("tenant")), into=lambda address: address)
CODE = {"code": "493817", "minutes": "10"}


@pytest.fixture
async def house(world: World) -> World:
    """A world whose tenant has a brand."""
    async with world.work() as work:
        await tenants.save(work, tenants.Tenant(name=world.tenant, brand=Brand(name="Acme"), languages=("en", "de")))
    await keys.prepare(world.db, world.tenant)
    return world


@pytest.fixture
async def relay() -> AsyncIterator[SmtpRig]:
    async with smtp_server() as rig:
        yield rig


def dev(world: World) -> Runner:
    return Runner(world.db, Settings([Running(dev=True)]), JOBS)


def production(world: World, relay: SmtpRig) -> Runner:
    return Runner(world.db, Settings([mail.Server(url=f"smtp://127.0.0.1:{relay.port}", sender="no-reply@acme.example", timeout=2)]), JOBS)


async def order(world: World, template: str = "sign_in_code", values: dict[str, str] | None = None, *, language: str = "en") -> JobId:
    async with world.work(BROWSER) as work:
        return await notices.send(work, TO, template, CODE if values is None else values, language=language)


async def mailbox(world: World) -> list[mail.Dropped]:
    async with world.read() as read:
        return await mail.mailbox_of(read)


async def facts(world: World, kind: str) -> list[audit.Entry]:
    async with world.read() as read:
        return list((await audit.search(read, audit.Search(kind=kind))).entries)


async def test_dev_mode_puts_it_into_the_mailbox(house: World) -> None:
    """In dev mode nothing is sent: text, code and link lie in the mailbox, newest first."""
    await order(house)
    house.advance(1)
    await order(house, "unknown_address", {"link": "http://localhost:8400/signup"}, language="de")
    assert await dev(house).run_due() == 2
    newest, older = await mailbox(house)
    assert (older.to, older.channel, older.code, older.link) == ("ada@example.com", "email", "493817", "")
    assert older.subject == "Your sign-in code for Acme"
    assert "\n493817\n" in older.text
    assert "Firefox on Linux" in older.text
    assert "203.0.113" not in older.text
    assert newest.link == "http://localhost:8400/signup"
    assert newest.subject == "Für diese Adresse gibt es kein Konto bei Acme"
    assert newest.at > older.at


async def test_mailbox_is_sealed_bounded_and_per_tenant(house: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old messages go when new ones come; the same message twice is one; a tenant's own path shows its own."""
    monkeypatch.setattr("limen.platform.mail.store.MOST", 3)
    for number in range(5):
        async with house.work() as work:
            for _ in range(2):
                await mail.drop_in(work, f"m{number}", mail.Dropped("a@b.c", "email", f"s{number}", "canary-text", "", "", work.now))
    async with house.db.work(TenantId("other"), SYSTEM) as work:
        await mail.drop_in(work, "m9", mail.Dropped("a@b.c", "email", "s9", "", "", "", work.now))
    assert [one.subject for one in await mailbox(house)] == ["s4", "s3"]
    async with house.read() as read:
        assert [one.subject for one in await mail.mailbox_of(read, everybody=True)] == ["s9", "s4", "s3"]


async def test_production_sends_to_the_relay(house: World, relay: SmtpRig) -> None:
    """The relay gets both forms from the tenant's name, and the log says ordered and sent, without the address."""
    job = await order(house)
    assert await production(house, relay).run_due() == 1
    (arrived,) = relay.letters
    message = arrived.message
    assert str(message["From"]) == "Acme <no-reply@acme.example>"
    assert message["Message-ID"] == f"<{job}@acme.example>"
    assert message["Reply-To"] is None
    assert await mailbox(house) == []
    told = await facts(house, "notices.")
    assert {entry.name for entry in told} == {"notices.message_ordered", "notices.message_sent"}
    assert all(entry.subject == ADA and entry.data["job"] == job and "ada@example.com" not in str(entry.data) for entry in told)
    assert await outbox.list_jobs(house.db, states=tuple(JobState)) == []


async def test_tenant_sets_sender_and_reply_to(house: World, relay: SmtpRig) -> None:
    """What a tenant set about its messages is in their headers."""
    async with house.work() as work:
        found = await tenants.find(work)
        own = {"sender": "Acme Läden", "reply_to": "help@acme.example"}
        await tenants.save(work, tenants.Tenant(name=found.name, brand=found.brand, languages=found.languages, settings={"notices": own}))
    await order(house)
    await production(house, relay).run_due()
    message = relay.letters[0].message
    assert message["From"].addresses[0].display_name == "Acme Läden"
    assert str(message["Reply-To"]) == "help@acme.example"


async def test_relay_gone_and_back(house: World, relay: SmtpRig) -> None:
    """While the relay is away messages wait, and leave when it is back; each arrives once."""
    await relay.stop()
    await order(house, "password_changed", {"link": "https://id.acme.example/recover"})
    runner = production(house, relay)
    for attempt in (1, 2, 3):
        assert await runner.run_due() == 1
        (waiting,) = await outbox.list_jobs(house.db)
        assert (waiting.attempts, waiting.last_error) == (attempt, "unreachable")
        house.advance(60)
    await relay.start()
    assert await runner.run_due() == 1
    assert len(relay.letters) == 1
    assert await outbox.list_jobs(house.db) == []


async def test_busy_relay_is_asked_again(house: World, relay: SmtpRig) -> None:
    """4xx waits with the reason on record."""
    relay.answers["RCPT"] = "451 4.3.0 greylisted"
    await order(house)
    runner = production(house, relay)
    await runner.run_due()
    (waiting,) = await outbox.list_jobs(house.db)
    assert waiting.last_error == "smtp 451 4.3.0"
    relay.answers.clear()
    house.advance(60)
    await runner.run_due()
    assert len(relay.letters) == 1


async def test_refused_address_is_final(house: World, relay: SmtpRig) -> None:
    """5xx is a dead letter at once; the log says so about the account, without the address."""
    relay.answers["RCPT"] = "550 5.1.1 <ada@example.com> unknown"
    await order(house)
    await production(house, relay).run_due()
    (dead,) = await outbox.list_jobs(house.db)
    assert (dead.state, dead.last_error, dead.attempts) == (JobState.DEAD, "smtp 550 5.1.1", 1)
    (refused,) = await facts(house, "notices.message_refused")
    assert (refused.subject, refused.data["reason"]) == (ADA, "smtp 550 5.1.1")


async def test_expired_code_does_not_leave(house: World, relay: SmtpRig) -> None:
    """A code that has run out while the relay was away is not sent any more."""
    await relay.stop()
    await order(house)
    runner = production(house, relay)
    await runner.run_due()
    await relay.start()
    house.advance(601)
    await runner.run_due()
    assert relay.letters == []
    (dead,) = await outbox.list_jobs(house.db)
    assert dead.last_error == "too_late"


async def test_hanging_relay_holds_up_nothing_else(house: World, relay: SmtpRig) -> None:
    """A relay that does not answer costs its own time; the message waits for the next attempt."""
    relay.hangs.add("GREETING")
    await order(house)
    await asyncio.wait_for(production(house, relay).run_due(), 6)
    (waiting,) = await outbox.list_jobs(house.db)
    assert waiting.last_error == "timed_out"


async def test_five_an_hour_to_an_address(house: World) -> None:
    """Five messages in any hour, counted before they go and by address; the sixth is refused and told of once."""
    for _ in range(5):
        house.advance(300)
        async with house.work() as work:
            assert await notices.may_send(work, "email", "ada@example.com")
    for _ in range(3):
        async with house.work() as work:
            assert not await notices.may_send(work, "email", "ada@example.com")
            assert await notices.may_send(work, "email", f"bob{work.now.timestamp()}@example.com")
    assert len(await facts(house, "notices.sending_limited")) == 1
    house.advance(3600 - 4 * 300 - 1)
    async with house.work() as work:
        assert not await notices.may_send(work, "email", "ada@example.com")
    house.advance(2)
    async with house.work() as work:
        assert await notices.may_send(work, "email", "ada@example.com")
        assert not await notices.may_send(work, "email", "ada@example.com")


async def test_many_at_once_are_no_way_round(house: World) -> None:
    """Thirty askers at the same moment get five messages between them."""

    async def ask() -> bool:
        async with house.work() as work:
            return await notices.may_send(work, "email", "ada@example.com")

    assert sum(await asyncio.gather(*(ask() for _ in range(30)))) == 5


async def asks(house: World, address: str, *, browser: str = "", to: str = "ada@example.com") -> bool:
    """Ask for a message from somewhere on the network, perhaps with a browser that is known."""
    async with house.work(Actor(ActorKind.ANONYMOUS, "", Origin(address, "a browser"))) as work:
        return await notices.may_send(work, "email", to, browser=browser)


async def test_each_source_has_its_share_and_all_of_them_four(house: World) -> None:
    """Five from one place, twenty in all in an hour; what was refused to one leaves the others theirs, and the log names the address alone."""
    assert [await asks(house, "192.0.2.1") for _ in range(7)] == [True] * 5 + [False] * 2
    for number in (2, 3, 4):
        assert all([await asks(house, f"192.0.2.{number}") for _ in range(5)])
    assert not await asks(house, "192.0.2.5")
    assert await asks(house, "192.0.2.1", to="bob@example.com")
    async with house.read() as read:
        ada = (await keys.blind(read, COUNTS, "notices", "email:ada@example.com")).hex()
    assert {entry.data["address"] for entry in await facts(house, "notices.sending_limited")} == {ada}
    house.advance(3601)
    assert await asks(house, "192.0.2.5")


async def test_one_network_is_one_source(house: World) -> None:
    """An IPv6 subscriber has 2 to the 64 addresses and one share; the next network has another; a source nobody knows is one too."""
    assert [await asks(house, f"2001:db8:1:2::{number:x}") for number in range(6)] == [True] * 5 + [False]
    assert await asks(house, "2001:db8:1:3::1")
    assert [await asks(house, "") for _ in range(6)] == [True] * 5 + [False]


async def test_a_known_browser_has_a_share_of_its_own(house: World) -> None:
    """Whatever strangers have used up, and from wherever it asks; it takes nothing of theirs."""
    for number in range(4):
        assert all([await asks(house, f"192.0.2.{number}") for _ in range(5)])
    assert not await asks(house, "192.0.2.9")
    assert [await asks(house, f"192.0.2.{number}", browser="b1") for number in range(6)] == [True] * 5 + [False]
    assert await asks(house, "192.0.2.1", browser="b2")


async def test_no_rotation_gives_an_address_more_messages(house: World) -> None:
    """What was counted under the previous index counts on, of a source and of all of them, from whatever process; a refusal is told of once all the same."""
    to = "email:ada@example.com"
    names = [f"{to} source 192.0.2.1", to]
    assert [await asks(house, "192.0.2.1") for _ in range(3)] == [True] * 3
    async with house.read() as read:
        before = [await keys.blind(read, COUNTS, "notices", name) for name in names]
    await rotating.begin(house, keys.Use.INDEX)
    assert await asks(house, "192.0.2.1")
    async with house.work() as work:  # a process that does not know of the new key yet
        for index in before:
            await sends.take(work, index)
            await sends.count(work, index, (work.now,))
    assert [await asks(house, "192.0.2.1") for _ in range(3)] == [False] * 3
    await rotating.bring_along(house)
    for number in (2, 3, 4):
        assert all([await asks(house, f"192.0.2.{number}") for _ in range(5)])
    assert [await asks(house, "192.0.2.1"), await asks(house, "192.0.2.5")] == [False] * 2
    assert len(await facts(house, "notices.sending_limited")) == 2
    async with house.read() as read:
        now = {await keys.blind(read, COUNTS, "notices", name) for name in (to, *(f"{to} source 192.0.2.{number}" for number in range(1, 6)))}
        assert set(await read.all(_ADDRESSES)) == now
    house.advance(3601)
    assert [await asks(house, "192.0.2.1") for _ in range(6)] == [True] * 5 + [False]


async def test_counters_fade(house: World) -> None:
    """An address's counter is gone soon after its hour."""
    async with house.work() as work:
        await notices.may_send(work, "email", "ada@example.com")
    house.advance(3601)
    async with house.work() as work:
        await notices.may_send(work, "email", "bob@example.com")
        left = {await keys.blind(work, COUNTS, "notices", f"email:bob@example.com{asker}") for asker in ("", " source ")}
        assert set(await work.all(_ADDRESSES)) == left


async def test_unknown_or_incomplete_orders_are_refused(house: World) -> None:
    """A name nobody knows and a missing value are the program's mistakes, told before anything is ordered."""
    with pytest.raises(notices.UnknownNotice):
        await order(house, "nonsense")
    with pytest.raises(notices.IncompleteNotice):
        await order(house, "sign_in_code", {"code": "1"})
    assert await outbox.list_jobs(house.db) == []


async def test_message_that_was_taken_over_twice_shows(house: World, relay: SmtpRig) -> None:
    """Where nobody learned that the relay took the message, it is sent again under the same Message-ID."""
    job = await order(house)
    for _ in range(2):
        async with house.db.work(SERVER, SYSTEM) as work:
            (taken,) = await store.lease(work, "run_dead", MAIL.name, until=work.now, places=1, running=[])
        settings = Settings([mail.Server(url=f"smtp://127.0.0.1:{relay.port}", sender="no-reply@acme.example")])
        body = house.keyring.open(taken.payload or b"", Place("outbox", "payload", house.tenant, job))
        await MAIL.perform(Errand(house.db, settings, house.tenant, job, taken.attempts, body))
    assert [letter.message["Message-ID"] for letter in relay.letters] == [f"<{job}@acme.example>"] * 2
