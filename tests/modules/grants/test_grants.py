"""Grants below the protocol: families of refresh tokens as a state machine, bounded endings, sweeping, export and forgetting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from limen.app.ground import reactions
from limen.kernel import ids
from limen.kernel.clock import SystemClock
from limen.kernel.ids import AccountId, ClientId, GrantId, SessionId, TenantId, TokenId
from limen.modules import accounts, consents, grants, keys, sessions, tenants
from limen.modules.grants import Code, Ending, Held, Made, OpaqueToken, Permit, RefreshRefusal, Terms
from limen.modules.grants.holder import HOLDER
from limen.modules.grants.jobs import JOBS, KEPT
from limen.modules.grants.model import FAMILIES, GRACE, REFRESH_PREFIX, Family, Turn, claimed, family_place, turn
from limen.modules.grants.settings import Tenant
from limen.modules.grants.store.tables import CODES, GRANTS, REVOKED, TOKENS
from limen.modules.journey import Passed
from limen.platform.crypto import Keyring
from limen.platform.duties import Done, Running, Settings
from limen.platform.outbox import Runner
from limen.platform.sql import Work, open_database, statement
from tests.conftest import World
from tests.rig.log import happened

APP = ClientId("app")
SCOPES = ("openid", "offline_access")
START = datetime(2026, 1, 1, tzinfo=UTC)


_KEYS = statement(sa.select(GRANTS.c.family_key).where(GRANTS.c.tenant == sa.bindparam("tenant")), into=bytes)
_PUT_KEY = statement(
    sa.update(GRANTS).where(GRANTS.c.tenant == sa.bindparam("tenant"), GRANTS.c.id == sa.bindparam("of")).values(family_key=sa.bindparam("key"))
)


# The family, pure.


def test_a_token_says_whose_it_is_and_which() -> None:
    """Family and generation can be read from it, and nothing else is accepted for one."""
    family = Family(GrantId(ids.new("gra", START)), b"k" * 32)
    token = family.token(7).reveal()
    assert token.startswith(REFRESH_PREFIX)
    said = claimed(token)
    assert said
    assert (said.grant, said.generation) == (family.grant, 7)
    assert family.token(7) == family.token(7)
    assert family.token(8) != family.token(7)
    assert Family(family.grant, b"j" * 32).token(7) != family.token(7)


@given(st.text(max_size=120))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever a client sends is read or refused."""
    assert claimed(text) is None or text.startswith(REFRESH_PREFIX)
    assert claimed(REFRESH_PREFIX + text) is None or text.isascii()


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 30, allow_nan=False)), max_size=30))
def test_a_family_has_one_living_successor_at_a_time(steps: list[tuple[int, float]]) -> None:
    """However tokens are presented and however time passes: a use is the current one, a repetition within the grace, or the end."""
    current, rotated_at, now = 0, START, START
    for behind, seconds in steps:
        now += timedelta(seconds=seconds)
        presented = max(0, current - behind)
        found = turn(presented, current, rotated_at, now)
        if found is Turn.CURRENT:
            assert presented == current
            current, rotated_at = current + 1, now
        elif found is Turn.REPEATED:
            assert presented == current - 1
            assert now - rotated_at <= GRACE
        else:
            assert presented < current
            assert presented < current - 1 or now - rotated_at > GRACE
            return


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": timedelta(minutes=11)},
        {"access_token": timedelta(days=2)},
        {"id_token": timedelta()},
        {"refresh_idle": timedelta(days=731)},
        {"refresh_absolute": timedelta()},
    ],
)
def test_lifetimes_have_ceilings(wrong: dict[str, timedelta]) -> None:
    """RFC 6749 recommends ten minutes for a code at most; nothing lives for ever."""
    with pytest.raises(ValueError, match=r"must lie between"):
        Tenant(**wrong)


# In the database.


@pytest.fixture
async def house(database_url: str, keyring: Keyring, clock: SystemClock) -> AsyncIterator[World]:
    """A tenant on a database with every reaction."""
    db = await open_database(database_url, keyring, clock, reactions(), test_mode=True)
    world = World(db, clock, keyring, database_url)
    async with world.work() as work:
        await tenants.save(work, replace(tenants.plain(TenantId("acme")), default=True))
    try:
        yield world
    finally:
        await db.close()


async def somebody(house: World, address: str = "ada@example.com") -> tuple[AccountId, SessionId]:
    """Make an account that is signed in and lets the app have what it asks for."""
    async with house.work() as work:
        made = await accounts.create(work, "email", address)
        assert isinstance(made, accounts.Account)
        await consents.give(work, made.id, APP, (*SCOPES, "read"))
        opened = await sessions.open(work, Passed(account=made.id, acr="aal1", amr=("pwd",), auth_time=work.now), None)
    return made.id, opened.session.id


async def granted(house: World, who: tuple[AccountId, SessionId], *, scopes: tuple[str, ...] = SCOPES, refreshable: bool = True) -> Made:
    """Make a grant by way of a code."""
    async with house.work() as work:
        permit = Permit(who[0], APP, who[1], scopes, ("https://issuer.example",), "aal1", ("pwd",), work.now)
        _, code = await grants.issue_code(work, permit, Terms(redirect_uri="https://app.example/", redirect_given=True, challenge="", nonce=""))
    async with house.work() as work:
        used = await grants.use_code(work, code.reveal())
        assert isinstance(used, Code)
        made = await grants.make(work, used, refreshable=refreshable)
    assert isinstance(made, Made)
    return made


async def named(house: World, name: str) -> int:
    """Count the facts of a name."""
    return len(await happened(house.db, name))


async def stands(house: World, made: Made) -> bool:
    """Whether a grant stands."""
    async with house.read() as reader:
        return await grants.find(reader, made.grant.id) is not None


def runner(house: World) -> Runner:
    """The outbox with the jobs of grants."""
    return Runner(house.db, Settings([Running(dev=True)]), JOBS)


@pytest.mark.anyio
async def test_no_secret_stands_in_the_database(house: World, database_url: str, tmp_path: Path) -> None:
    """Codes, refresh tokens and opaque tokens are there as digests, and the family's key is sealed."""
    who = await somebody(house)
    made = await granted(house, who)
    async with house.work() as work:
        token = OpaqueToken(TokenId("tok_x"), None, None, APP, ("read",), ("x",), work.now, work.now + timedelta(minutes=1))
        opaque = await grants.add_opaque(work, token)
    assert made.refresh
    if database_url.startswith("sqlite"):
        octets = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("limen.db"))
        assert made.grant.id.encode() in octets
        assert made.refresh.reveal().encode() not in octets
        assert opaque.reveal().encode() not in octets
    async with house.read() as reader:
        assert await grants.by_opaque(reader, opaque.reveal()) == token
        assert await grants.by_opaque(reader, opaque.reveal() + "x") is None


@pytest.mark.anyio
async def test_families_follow_the_key_of_the_tenant(house: World) -> None:
    """What the tenant's data key sealed is sealed by the next one, page by page; each refresh token works before, meanwhile and after."""
    who = await somebody(house)
    several = [await granted(house, who) for _ in range(3)]
    async with house.work() as work:
        before = (await keys.tenant_box(work, FAMILIES)).id
        await keys.rotate_tenant_key(work, keys.Use.DATA)
    await refreshed(house, several[0])
    async with house.work() as work:
        page, again = await walked(work), await walked(work)
    assert (page.changed, page.after, again.changed) == (3, None, 0)
    async with house.read() as reader:
        box = await keys.tenant_box(reader, FAMILIES)
        assert box.id != before
        assert all(box.is_current(sealed) for sealed in await reader.all(_KEYS))
    await refreshed(house, several[1])


@pytest.mark.anyio
async def test_a_family_sealed_under_its_person_s_key_lives_on(house: World) -> None:
    """As all were at first: its tokens are taken, no walk over what the tenant's key sealed touches it, and it dies with her key."""
    who = await somebody(house)
    made = await granted(house, who)
    async with house.work() as work:
        sealed = await work.one(_KEYS)
        assert sealed
        place = family_place(work.tenant, made.grant.id)
        own = (await keys.subject_box(work, who[0])).seal((await keys.tenant_box(work, FAMILIES)).open(sealed, place), place)
        await work.run(_PUT_KEY, of=made.grant.id, key=own)
    await refreshed(house, made)
    async with house.work() as work:
        assert (await walked(work)).changed == 0
        assert await work.one(_KEYS) == own
        await keys.forget_subject(work, who[0])
    async with house.work() as work:
        assert made.refresh
        assert await grants.take_refresh(work, made.refresh.reveal(), APP) is RefreshRefusal.ENDED


async def walked(work: Work) -> keys.Page:
    """Bring families under the current key."""
    anew = KEPT[FAMILIES]
    assert anew
    return await anew(work, "")


async def refreshed(house: World, made: Made) -> None:
    """Use a grant's first refresh token."""
    async with house.work() as work:
        assert made.refresh
        held = await grants.take_refresh(work, made.refresh.reveal(), APP)
        assert isinstance(held, Held)
        await grants.rotate(work, held)


@pytest.mark.anyio
async def test_hundreds_of_grants_are_dead_at_once_and_newer_ones_live(house: World) -> None:
    """All of an account's, the newest too; the rows follow by job, which leaves alone what came after."""
    who = await somebody(house)
    several = [await granted(house, who) for _ in range(120)]
    async with house.work() as work:
        await grants.end_all(work, who[0])
    assert not any([await stands(house, made) for made in several])
    for made in several[:2] + several[-2:]:
        assert made.refresh
        async with house.work() as work:
            assert await grants.take_refresh(work, made.refresh.reveal(), APP) is RefreshRefusal.ENDED
    assert await named(house, "grants.grant_ended") == 100
    later = await granted(house, who)
    await runner(house).run_due()
    assert await named(house, "grants.grant_ended") == 120
    assert await stands(house, later)


@pytest.mark.anyio
async def test_a_session_takes_hundreds_of_grants_with_it(house: World) -> None:
    """Those bound to it, a hundred in the transaction and the rest by job; those that outlive it are passed over."""
    who = await somebody(house)
    free = [await granted(house, who) for _ in range(3)]
    bound = [await granted(house, who, scopes=("openid",)) for _ in range(130)]
    async with house.work() as work:
        await sessions.end(work, who[1], sessions.EndReason.SIGNED_OUT)
    assert not any([await stands(house, made) for made in bound])
    assert all([await stands(house, made) for made in free])
    await runner(house).run_due()
    assert await named(house, "grants.grant_ended") == 130
    assert all([await stands(house, made) for made in free])


@pytest.mark.anyio
async def test_a_consent_takes_hundreds_of_grants_with_it(house: World) -> None:
    """Of that app alone."""
    who = await somebody(house)
    several = [await granted(house, who) for _ in range(105)]
    async with house.work() as work:
        await consents.withdraw(work, who[0], APP, ("openid",))
    await runner(house).run_due()
    assert not any([await stands(house, made) for made in several])
    assert await named(house, "grants.grant_ended") == 105


@pytest.mark.anyio
async def test_an_ended_grant_forgets_its_key(house: World) -> None:
    """Nothing is left with which a refresh token could be derived, and ending it again is nothing."""
    made = await granted(house, await somebody(house))
    async with house.work() as work:
        assert await grants.end(work, made.grant.id, Ending.REVOKED)
        assert not await grants.end(work, made.grant.id, Ending.REVOKED)
    rows = statement(sa.select(GRANTS.c.family_key, GRANTS.c.reason).where(GRANTS.c.tenant == sa.bindparam("tenant")))
    async with house.read() as reader:
        assert await reader.all(rows) == [(None, Ending.REVOKED)]


@pytest.mark.anyio
async def test_looking_at_a_refresh_token_changes_nothing(house: World) -> None:
    """Introspection and revocation read; only a use rotates or ends."""
    made = await granted(house, await somebody(house))
    assert made.refresh
    token = made.refresh.reveal()
    async with house.read() as reader:
        found = await grants.by_refresh(reader, token, APP)
        assert found == made.grant
        assert await grants.by_refresh(reader, token, ClientId("other")) is None
    async with house.work() as work:
        held = await grants.take_refresh(work, token, APP)
        assert isinstance(held, Held)
        await grants.rotate(work, held)
    house.advance(60)
    async with house.read() as reader:
        assert await grants.by_refresh(reader, token, APP) is None
        old = await grants.family_of(reader, token)
        assert old
        assert old.id == made.grant.id
    assert await stands(house, made)


@pytest.mark.anyio
async def test_what_nothing_hangs_on_leaves_the_tables(house: World) -> None:
    """Unused codes in an hour, tokens past their time, used codes and grants when what they gave can live no more."""
    who = await somebody(house)
    made = await granted(house, who, refreshable=False)
    kept = await granted(house, who)
    async with house.work() as work:
        permit = Permit(who[0], APP, who[1], SCOPES, ("x",), "aal1", ("pwd",), work.now)
        await grants.issue_code(work, permit, Terms(redirect_uri="https://app.example/", redirect_given=True, challenge="", nonce=""))
        await grants.add_opaque(work, OpaqueToken(TokenId("tok_x"), None, None, APP, (), (), work.now, work.now + timedelta(minutes=1)))
        await grants.revoke_id(work, TokenId("tok_y"), work.now + timedelta(minutes=1))
    assert await rows_left(house) == {"codes": 3, "grants": 2, "opaque_tokens": 1, "revoked_tokens": 1}
    house.advance(7_200)
    await runner(house).run_due()
    assert await rows_left(house) == {"codes": 2, "grants": 2, "opaque_tokens": 0, "revoked_tokens": 0}
    house.advance(31 * 86_400)
    await runner(house).run_due()
    assert await rows_left(house) == {"codes": 2, "grants": 1, "opaque_tokens": 0, "revoked_tokens": 0}
    house.advance(181 * 86_400)
    await runner(house).run_due()
    assert await rows_left(house) == {"codes": 0, "grants": 0, "opaque_tokens": 0, "revoked_tokens": 0}
    assert not await stands(house, made)
    assert not await stands(house, kept)


async def rows_left(house: World) -> dict[str, int]:
    """Count the rows of each table."""
    found = {}
    async with house.read() as reader:
        for each in (CODES, GRANTS, TOKENS, REVOKED):
            found[each.name] = len(await reader.all(statement(sa.select(each.c.tenant).where(each.c.tenant == sa.bindparam("tenant")))))
    return found


@pytest.mark.anyio
async def test_a_person_gets_her_grants_and_has_them_forgotten(house: World) -> None:
    """Which app had what, from when to when; after forgetting every token is worth nothing."""
    who = await somebody(house)
    made = await granted(house, who)
    async with house.read() as reader:
        assert [one.id for one in await grants.list_of(reader, who[0])] == [made.grant.id]
        (record,) = (await HOLDER.export(reader, who[0], None)).records
    assert (record["app"], record["scopes"], record["ended"]) == ("app", "openid offline_access", None)
    async with house.work() as work:
        assert isinstance(await HOLDER.forget(work, who[0]), Done)
    assert made.refresh
    async with house.work() as work:
        assert await grants.take_refresh(work, made.refresh.reveal(), APP) is RefreshRefusal.UNKNOWN
    assert await rows_left(house) == {"codes": 0, "grants": 0, "opaque_tokens": 0, "revoked_tokens": 0}
