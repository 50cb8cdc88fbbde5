"""Sessions on both databases: when they live, what their cookie is worth, and how they end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from limen.app.ground import reactions
from limen.kernel.clock import SystemClock
from limen.kernel.facts import SYSTEM, Origin
from limen.kernel.ids import AccountId, SessionId, TenantId
from limen.modules import accounts, keys, sessions, tenants
from limen.modules.journey import Passed
from limen.modules.sessions import EndReason, Opened
from limen.modules.sessions.holder import HOLDER
from limen.modules.sessions.jobs import JOBS
from limen.modules.sessions.model import ADDRESSES
from limen.modules.sessions.settings import Tenant
from limen.modules.sessions.store import SESSIONS
from limen.platform.crypto import Keyring
from limen.platform.duties import Done, Running, Settings
from limen.platform.outbox import Runner
from limen.platform.sql import Database, open_database, statement
from tests.conftest import World
from tests.rig import rotating
from tests.rig.log import happened

pytestmark = pytest.mark.anyio

HERE = Origin("192.0.2.7", "canary-browser/1.0")


@pytest.fixture
async def house(database_url: str, keyring: Keyring, clock: SystemClock) -> AsyncIterator[World]:
    """Two tenants on a database with every reaction."""
    db = await open_database(database_url, keyring, clock, reactions(), test_mode=True)
    for name in ("acme", "rival"):
        async with db.work(TenantId(name), SYSTEM) as work:
            await tenants.save(work, replace(tenants.plain(TenantId(name)), default=name == "acme"))
    try:
        yield World(db, clock, keyring, database_url)
    finally:
        await db.close()


async def somebody(house: World, address: str = "ada@example.com") -> AccountId:
    """Make an account."""
    async with house.work() as work:
        made = await accounts.create(work, "email", address)
    assert isinstance(made, accounts.Account)
    return made.id


async def opened(house: World, account: AccountId, acr: str = "aal1") -> Opened:
    """Sign the account in."""
    async with house.work() as work:
        return await sessions.open(work, Passed(account=account, acr=acr, amr=("pwd",), auth_time=work.now), HERE)


async def alive(house: World, one: Opened) -> bool:
    """Whether the cookie of a session is worth anything now."""
    async with house.read() as reader:
        found = await sessions.by_secret(reader, one.secret.reveal())
    return found is not None


def runner(house: World) -> Runner:
    """The outbox with the jobs of sessions."""
    return Runner(house.db, Settings([Running(dev=True)]), JOBS)


async def test_a_cookie_finds_its_session_in_its_tenant_alone(house: World) -> None:
    """By the digest of its secret; the rival knows nothing of it."""
    ada = await somebody(house)
    one = await opened(house, ada)
    async with house.read() as reader:
        assert await sessions.by_secret(reader, one.secret.reveal()) == one.session
        assert await sessions.find(reader, one.session.id) == one.session
        assert await sessions.by_secret(reader, one.secret.reveal() + "x") is None
        assert await sessions.by_secret(reader, "") is None
    async with house.db.read(TenantId("rival")) as reader:
        assert await sessions.by_secret(reader, one.secret.reveal()) is None
        assert await sessions.find(reader, one.session.id) is None


async def test_neither_secret_nor_place_stand_in_the_database(house: World, database_url: str, tmp_path: Path) -> None:
    """The digest finds it, and the person's own key opens where it was."""
    ada = await somebody(house)
    one = await opened(house, ada)
    async with house.read() as reader:
        (listed,) = await sessions.list_of(reader, ada)
    assert (listed.place.address, listed.place.user_agent) == (HERE.address, HERE.user_agent)
    if database_url.startswith("sqlite"):
        octets = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("limen.db"))
        assert one.session.id.encode() in octets
        for canary in (one.secret.reveal(), HERE.address, "canary-browser"):
            assert canary.encode() not in octets
    rows = statement(sa.select(SESSIONS.c.digest, SESSIONS.c.place).where(SESSIONS.c.tenant == sa.bindparam("tenant")))
    async with house.read() as reader:
        ((digest, place),) = await reader.all(rows)
    assert len(digest) == 32
    assert HERE.address.encode() not in place


async def test_a_session_ends_when_idle_and_in_any_case_after_a_month(house: World) -> None:
    """Twenty-four hours after it was last seen, thirty days after it was opened."""
    ada = await somebody(house)
    idle, used = await opened(house, ada), await opened(house, ada)
    for _ in range(31):
        house.advance(23 * 3600)
        if not await alive(house, used):
            break
        async with house.work() as work:
            found = await sessions.by_secret(work, used.secret.reveal())
            assert found
            await sessions.touch(work, found)
    assert not await alive(house, idle)
    assert await alive(house, used)
    house.advance(8 * 3600)
    assert not await alive(house, used)


async def test_being_seen_is_written_at_most_once_a_minute(house: World) -> None:
    """Pages that are read cost no writes."""
    one = await opened(house, await somebody(house))
    async with house.read() as reader:
        assert not sessions.is_due(reader, one.session)
    house.advance(61)
    async with house.read() as reader:
        assert sessions.is_due(reader, one.session)
    async with house.work() as work:
        await sessions.touch(work, one.session)
    async with house.read() as reader:
        seen = await sessions.find(reader, one.session.id)
        assert seen
        assert not sessions.is_due(reader, seen)
        assert seen.idle_until > one.session.idle_until


async def test_a_step_up_changes_the_secret_and_keeps_the_id(house: World) -> None:
    """What apps were told (`sid`) stays; the old cookie is worth nothing."""
    ada = await somebody(house)
    one = await opened(house, ada, "lmn:email")
    house.advance(600)
    async with house.work() as work:
        raised = await sessions.renew(work, one.session.id, Passed(account=ada, acr="aal2", amr=("pwd", "otp"), auth_time=work.now), HERE)
    assert raised
    assert raised.session.id == one.session.id
    assert raised.session.created == one.session.created
    assert (raised.session.acr, raised.session.amr) == ("aal2", ("pwd", "otp"))
    assert not await alive(house, one)
    assert await alive(house, raised)


async def test_only_ones_own_living_session_is_raised(house: World) -> None:
    """Somebody else's, one that ended, or one past its time is not."""
    ada, bob = await somebody(house), await somebody(house, "bob@example.com")
    one, gone, old = await opened(house, ada), await opened(house, ada), await opened(house, ada)
    async with house.work() as work:
        await sessions.end(work, gone.session.id, EndReason.SIGNED_OUT)
    async with house.work() as work:
        assert await sessions.renew(work, one.session.id, Passed(account=bob, acr="aal1", amr=("pwd",), auth_time=work.now), HERE) is None
        assert await sessions.renew(work, gone.session.id, Passed(account=ada, acr="aal1", amr=("pwd",), auth_time=work.now), HERE) is None
    house.advance(86_401)
    async with house.work() as work:
        assert await sessions.renew(work, old.session.id, Passed(account=ada, acr="aal1", amr=("pwd",), auth_time=work.now), HERE) is None


async def test_a_session_ends_once(house: World) -> None:
    """The second time says so; the fact is recorded once."""
    one = await opened(house, await somebody(house))
    async with house.work() as work:
        assert await sessions.end(work, one.session.id, EndReason.SIGNED_OUT)
        assert not await sessions.end(work, one.session.id, EndReason.REVOKED)
        assert not await sessions.end(work, SessionId("ses_nobody"), EndReason.REVOKED)
    assert not await alive(house, one)
    assert await names(house.db, "sessions.session_ended") == 1


async def names(db: Database, name: str) -> int:
    """Count the facts of a name."""
    return len(await happened(db, name))


async def test_all_sessions_end_but_the_one_in_hand(house: World) -> None:
    """Also one that was opened a moment before; a new sign-in in the same Work lives."""
    ada, bob = await somebody(house), await somebody(house, "bob@example.com")
    several = [await opened(house, ada) for _ in range(3)]
    other = await opened(house, bob)
    async with house.work() as work:
        await sessions.end_all(work, ada, EndReason.CREDENTIAL_CHANGED, keep=several[1].session.id)
        fresh = await sessions.open(work, Passed(account=ada, acr="aal1", amr=("pwd",), auth_time=work.now), HERE)
    assert [await alive(house, one) for one in several] == [False, True, False]
    assert await alive(house, fresh)
    assert await alive(house, other)


async def test_hundreds_of_sessions_are_dead_at_once_and_newer_ones_live(house: World) -> None:
    """The floor is written first; rows and facts follow by job, which leaves alone what was opened after it."""
    ada = await somebody(house)
    several = [await opened(house, ada) for _ in range(230)]
    async with house.work() as work:
        await sessions.end_all(work, ada, EndReason.NOT_ME)
    assert not any([await alive(house, one) for one in several])
    assert await names(house.db, "sessions.session_ended") == 100
    later = await opened(house, ada)
    await runner(house).run_due()
    assert await names(house.db, "sessions.session_ended") == 230
    assert await alive(house, later)


async def test_a_suspended_account_has_no_session(house: World) -> None:
    """Suspended and closed accounts are out at once."""
    for move in (accounts.suspend, accounts.close):
        ada = await somebody(house, f"{move.__name__}@example.com")
        one = await opened(house, ada)
        async with house.work() as work:
            await move(work, ada, "abuse")
        assert not await alive(house, one)


async def test_what_is_past_its_time_is_written_down(house: World) -> None:
    """A sweep within two hours records the end, so that apps can be told; long gone sessions leave the table."""
    ada = await somebody(house)
    one = await opened(house, ada)
    house.advance(86_400 + 7_200)
    await runner(house).run_due()
    assert await names(house.db, "sessions.session_ended") == 1
    assert not await alive(house, one)
    house.advance(31 * 86_400)
    await opened(house, ada)
    house.advance(7_200)
    await runner(house).run_due()
    left = statement(sa.select(SESSIONS.c.id).where(SESSIONS.c.tenant == sa.bindparam("tenant")), into=str)
    async with house.read() as reader:
        assert one.session.id not in await reader.all(left)


async def test_a_person_gets_her_sessions_and_has_them_forgotten(house: World) -> None:
    """Export names times and places; after forgetting there is nothing."""
    ada = await somebody(house)
    one = await opened(house, ada)
    async with house.read() as reader:
        page = await HOLDER.export(reader, ada, None)
    (record,) = page.records
    assert (record["session"], record["address"], record["methods"]) == (one.session.id, HERE.address, "pwd")
    async with house.work() as work:
        assert isinstance(await HOLDER.forget(work, ada), Done)
        assert isinstance(await HOLDER.forget(work, ada), Done)
    async with house.read() as reader:
        assert (await HOLDER.export(reader, ada, None)).records == ()
    assert not await alive(house, one)


async def test_a_tenant_sets_its_own_limits(house: World) -> None:
    """From the next sign-in on; beyond the ceilings nothing is accepted."""
    async with house.work() as work:
        tenant = await tenants.find(work)
        await tenants.save(work, replace(tenant, settings={"sessions": {"idle": "PT10M", "absolute": "PT1H"}}))
    one = await opened(house, await somebody(house))
    assert one.session.idle_until - one.session.created == timedelta(minutes=10)
    assert one.session.expires - one.session.created == timedelta(hours=1)


@pytest.mark.parametrize("wrong", [{"idle": timedelta()}, {"idle": timedelta(days=91)}, {"absolute": timedelta(days=401)}, {"absolute": timedelta(seconds=1)}])
def test_limits_have_ceilings(wrong: dict[str, timedelta]) -> None:
    """A session that never ends is a mistake, not a setting."""
    with pytest.raises(ValueError, match=r"must lie between"):
        Tenant(**wrong)


async def test_forgetting_the_key_hides_the_place(house: World) -> None:
    """What is sealed under the person's key is gone with it."""
    ada = await somebody(house)
    await opened(house, ada)
    async with house.work() as work:
        await keys.forget_subject(work, ada)
    with pytest.raises(keys.Forgotten):
        async with house.read() as reader:
            await sessions.list_of(reader, ada)


async def test_addresses_are_hashed_anew_when_the_key_rotates(house: World) -> None:
    """Open and ended sessions of everybody who is not forgotten are found by the new hash of their address, over more than a page."""
    ada, bob, eve = [await somebody(house, f"{name}@example.com") for name in ("ada", "bob", "eve")]
    mine = [await opened(house, ada) for _ in range(60)]
    theirs = await opened(house, bob)
    hers = await opened(house, eve)
    async with house.work() as work:
        await sessions.end(work, mine[0].session.id, EndReason.SIGNED_OUT)
        await keys.forget_subject(work, eve)
        stranger = Passed(account=bob, acr="aal1", amr=("pwd",), auth_time=work.now)
        await sessions.open(work, stranger, None)
    await rotating.begin(house, keys.Use.INDEX)
    await rotating.bring_along(house)
    hashed = statement(sa.select(SESSIONS.c.id, SESSIONS.c.address_hash).where(SESSIONS.c.tenant == sa.bindparam("tenant")))
    async with house.read() as reader:
        found: dict[SessionId, bytes] = dict(await reader.all(hashed))
        new, old = await keys.blinds(reader, ADDRESSES, "address", HERE.address)
    assert {found[one.session.id] for one in (*mine, theirs)} == {new}
    assert found[hers.session.id] == old, "nobody can read where that was"
    assert len(found) == 63
