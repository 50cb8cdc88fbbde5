"""Consents: given once, kept with their instants, withdrawn with what hangs on them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from limen.app.ground import reactions
from limen.kernel.clock import SystemClock
from limen.kernel.ids import AccountId, ClientId, TenantId
from limen.modules import consents, tenants
from limen.modules.consents.holder import HOLDER
from limen.platform.crypto import Keyring
from limen.platform.duties import Done
from limen.platform.sql import open_database
from tests.conftest import World
from tests.rig.log import happened

pytestmark = pytest.mark.anyio

ADA, APP, OTHER = AccountId("acc_ada"), ClientId("app"), ClientId("other")


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


async def facts(house: World) -> list[tuple[str, dict[str, object]]]:
    """Return what was recorded about consents."""
    return [(fact.name, fact.data) for fact in await happened(house.db, "consents.")]


async def test_what_was_given_is_not_asked_again(house: World) -> None:
    """Each scope of each app; more scopes are asked for, fewer are not, and prompt=consent asks whatever was given."""
    async with house.work() as work:
        assert await consents.is_asked(work, ADA, APP, ("openid",))
        await consents.give(work, ADA, APP, ("openid", "email"))
        await consents.give(work, ADA, APP, ("email",))
        assert not await consents.is_asked(work, ADA, APP, ("openid",))
        assert not await consents.is_asked(work, ADA, APP, ("email", "openid"))
        assert await consents.is_asked(work, ADA, APP, ("openid", "profile"))
        assert await consents.is_asked(work, ADA, OTHER, ("openid",))
        assert await consents.is_asked(work, AccountId("acc_bob"), APP, ("openid",))
        assert await consents.is_asked(work, ADA, APP, ("openid",), afresh=True)
    assert await facts(house) == [("consents.consent_given", {"client": "app", "scopes": ["email", "openid"], "implied": False})]
    async with house.db.read(TenantId("rival")) as reader:
        assert await consents.given(reader, ADA, APP) == frozenset()


async def test_a_withdrawn_consent_is_asked_again_and_remembered(house: World) -> None:
    """One scope, or all; the list shows what stands, the export what ever was."""
    async with house.work() as work:
        await consents.give(work, ADA, APP, ("openid", "email"))
        await consents.give(work, ADA, OTHER, ("openid",))
    async with house.work() as work:
        assert await consents.withdraw(work, ADA, APP, ("email", "never")) == {"email"}
        assert await consents.given(work, ADA, APP) == {"openid"}
        assert await consents.withdraw(work, ADA, APP, ("email",)) == frozenset()
        assert await consents.withdraw(work, ADA, APP) == {"openid"}
    assert [data for name, data in await facts(house) if name == "consents.consent_withdrawn"] == [
        {"client": "app", "scopes": ["email"], "whole": False},
        {"client": "app", "scopes": ["openid"], "whole": True},
    ]
    async with house.read() as reader:
        assert [(one.client, one.scope) for one in await consents.list_of(reader, ADA)] == [(OTHER, "openid")]
        records = (await HOLDER.export(reader, ADA, None)).records
    assert [(one["app"], one["scope"], one["withdrawn"] is None) for one in records] == [
        ("app", "email", False),
        ("app", "openid", False),
        ("other", "openid", True),
    ]
    async with house.work() as work:
        await consents.give(work, ADA, APP, ("openid",))
        assert await consents.given(work, ADA, APP) == {"openid"}


async def test_a_forgotten_person_gave_nothing(house: World) -> None:
    """Her rows are gone."""
    async with house.work() as work:
        await consents.give(work, ADA, APP, ("openid",))
        assert isinstance(await HOLDER.forget(work, ADA), Done)
        assert await consents.given(work, ADA, APP) == frozenset()
    async with house.read() as reader:
        assert (await HOLDER.export(reader, ADA, None)).records == []
