"""Pairwise subjects: one for each sector, the same for good, and nobody's any more once she is forgotten."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from limen.kernel.ids import AccountId
from limen.modules import claims
from limen.modules.claims.holder import HOLDER
from limen.modules.clients import Client, SubjectType
from limen.platform.crypto import Keyring
from limen.platform.duties import Done
from limen.platform.sql import Database, open_database
from tests.conftest import World
from tests.modules.claims.conftest import app

pytestmark = pytest.mark.anyio

ADA, BOB = AccountId("acc_ada"), AccountId("acc_bob")
OPEN = app("open")


def private(name: str, *redirects: str, sector: str | None = None) -> Client:
    """Return an app with pairwise subjects."""
    return app(name, *redirects, subject_type=SubjectType.PAIRWISE, sector_identifier_uri=sector)


SHOP, TILL, OTHER = private("shop"), private("till", "https://shop.example/till", "https://shop.example:8443/x"), private("other")


@pytest.fixture
async def second(database_url: str, keyring: Keyring, world: World) -> AsyncIterator[Database]:
    """Another process on the database."""
    if world.db.dialect == "sqlite":
        yield world.db  # has one process
        return
    opened = await open_database(database_url, keyring, world.clock, test_mode=True)
    try:
        yield opened
    finally:
        await opened.close()


async def sub(world: World, account: AccountId, client: Client) -> str:
    async with world.read() as reader:
        return await claims.subject(reader, account, client)


async def test_a_sector_knows_a_person_by_one_name_of_its_own(world: World) -> None:
    """OpenID Connect Core 1.0, section 8.1: the same for each app of the sector, another for each other one, and nothing in it of the account."""
    known = await sub(world, ADA, SHOP)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", known)
    assert [await sub(world, ADA, one) for one in (SHOP, TILL)] == [known, known]
    everybody = [known, await sub(world, ADA, OTHER), await sub(world, BOB, SHOP), await sub(world, BOB, OTHER)]
    assert len(set(everybody)) == 4
    assert await sub(world, ADA, OPEN) == ADA
    async with world.work() as work:
        assert await claims.subject(work, ADA, SHOP) == known


async def test_whom_an_app_means_is_found_in_its_sector_alone(world: World) -> None:
    """An `id_token_hint` of one sector leads nowhere in another."""
    known = await sub(world, ADA, SHOP)
    async with world.read() as reader:
        assert [await claims.account_of(reader, one, known) for one in (SHOP, TILL, OTHER)] == [ADA, ADA, None]
        assert await claims.account_of(reader, SHOP, ADA) is None
        assert await claims.account_of(reader, OPEN, ADA) == ADA


async def test_two_who_make_it_at_once_get_the_same(world: World, second: Database) -> None:
    """In one process or in two: the loser of the race reads the winner's."""

    async def ask(db: Database) -> str:
        async with db.read(world.tenant) as reader:
            return await claims.subject(reader, ADA, SHOP)

    assert len(set(await asyncio.gather(*(ask(db) for db in (world.db, second) * 8)))) == 1


async def test_it_is_made_in_the_work_in_hand(world: World) -> None:
    """What is rolled back never was."""
    with pytest.raises(ZeroDivisionError):
        async with world.work() as work:
            lost = await claims.subject(work, ADA, SHOP)
            _ = 1 / 0
    async with world.work() as work:
        kept = await claims.subject(work, ADA, SHOP)
        assert await claims.subject(work, ADA, TILL) == kept
    assert kept != lost
    assert await sub(world, ADA, SHOP) == kept


async def test_it_is_exported_and_forgotten(world: World) -> None:
    """The privacy duty: each sector with its name for her; afterwards that name leads nowhere, not even from memory."""
    known = {"shop.example": await sub(world, ADA, SHOP), "other.example": await sub(world, ADA, OTHER)}
    bobs = await sub(world, BOB, SHOP)
    async with world.read() as reader:
        page = await HOLDER.export(reader, ADA, None)
    assert ({one["sector"]: one["sub"] for one in page.records}, page.after) == (known, None)
    for _ in range(2):
        async with world.work() as work:
            assert await HOLDER.forget(work, ADA) == Done()
    async with world.read() as reader:
        assert (await HOLDER.export(reader, ADA, None)).records == []
        assert await claims.account_of(reader, SHOP, known["shop.example"]) is None
    assert await sub(world, ADA, SHOP) not in known.values()
    assert await sub(world, BOB, SHOP) == bobs


@pytest.mark.parametrize(
    ("client", "sector"),
    [
        (OPEN, None),
        (SHOP, "shop.example"),
        (TILL, "shop.example"),
        (private("shop", sector="https://Sector.example/ids.json"), "sector.example"),
        (private("two", "https://a.example/", "https://b.example/"), "client:two"),
        (private("two", "https://a.example/", "https://b.example/", sector="https://sector.example/ids.json"), "sector.example"),
        (private("app", "com.example.app:/cb"), "com.example.app:"),
        (private("cli", "http://127.0.0.1/cb"), "client:cli"),
        (private("cli", "http://[::1]/cb"), "client:cli"),
        (private("dev", "http://localhost:3000/cb"), "client:dev"),
    ],
)
def test_a_sector_is_a_host(client: Client, sector: str | None) -> None:
    """Section 8.1: that of the sector_identifier_uri, or of the redirect addresses; what is nobody's host makes no sector."""
    assert claims.sector_of(client) == sector
