"""A tenant's keys rotated on a server that is killed in the middle of it: nobody is lost, and it ends as if nothing had been."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from limen.kernel.clock import SystemClock
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import AccountId, TenantId
from limen.modules import accounts, keys
from limen.modules.accounts import store
from limen.modules.keys.store import tenant_keys
from limen.platform.crypto import Keyring, KeyringSettings
from limen.platform.outbox.runner import LEASE
from limen.platform.sql import Database, open_database
from tests.proofs.house import House, advance, new_database
from tests.rig.postgres import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proofs")]

ACME: Final = TenantId("acme")
PEOPLE: Final = 1_000
AT_ONCE: Final = 25
DAY: Final = 86_400
TENANT: Final = """
[[tenant]]
name = "acme"
default = true
[[tenant.client]]
id = "svc"
kind = "service"
secret = "a secret of the shop that only tests know of acme, its service"
grants = ["client_credentials"]
scopes = ["limen:accounts:read"]
"""


def address(number: int) -> str:
    return f"person{number}@example.com"


@asynccontextmanager
async def beside(server: House) -> AsyncIterator[Database]:
    """Open the server's database in this process too."""
    keyring = Keyring.load(KeyringSettings(file=server.folder / "keys/master.key", epochs=server.folder / "keys/epochs"), environ={})
    db = await open_database(server.database or f"sqlite:///{server.folder}/limen.db", keyring, SystemClock())
    try:
        yield db
    finally:
        await db.close()


async def populate(db: Database) -> list[AccountId]:
    """Make people, in the order of their ids."""
    made: list[AccountId] = []
    while len(made) < PEOPLE:
        async with db.work(ACME, SYSTEM) as work:
            for _ in range(AT_ONCE):
                one = await accounts.create(work, "email", address(len(made)))
                assert isinstance(one, accounts.Account)
                made.append(one.id)
    return sorted(made)


async def index_of(db: Database, account: AccountId) -> bytes:
    async with db.read(ACME) as read:
        (kept,) = await store.identifiers(read, [account])
    return kept.blind


async def wait_for(change: object, patience: float = 120.0) -> None:
    """Wait until an answer is true, with as little pause as this process can."""
    assert callable(change)
    async with asyncio.timeout(patience):
        while not await change():
            await asyncio.sleep(0.001)


async def all_found(db: Database) -> None:
    """Everybody is found by her address, and only one account has it."""
    found = set()
    for number in range(PEOPLE):
        async with db.read(ACME) as read:
            one = await accounts.by_identifier(read, "email", address(number))
        assert one is not None, address(number)
        found.add(one.id)
    assert len(found) == PEOPLE


async def killed_half_way(server: House, db: Database, people: list[AccountId]) -> None:
    """Rotate, and kill the server twice while it indexes anew."""
    server.start()
    before = {place: await index_of(db, people[place]) for place in (100, 500, PEOPLE - 1)}
    server.run("key", "rotate", "--index")
    server.run("key", "rotate", "--data")
    advance(server, 61)
    for place in (100, 500):

        async def done(place: int = place) -> bool:
            return await index_of(db, people[place]) != before[place]

        await wait_for(done)
        server.kill()
        assert await index_of(db, people[-1]) == before[PEOPLE - 1], "it was over before it was killed"
        await all_found(db)
        server.start()
        advance(server, LEASE.total_seconds() + 1)


async def standing(db: Database, use: keys.Use) -> list[bool]:
    """Tell of each previous key whether all it made has been brought along."""
    async with db.read(ACME) as read:
        return [key.renewed is not None for key in (await tenant_keys(read, use))[1:]]


def asked(server: House, email: str) -> list[str]:
    """Ask the server itself, over its API."""
    site = server.site()
    reply = site.api(site.service("limen:accounts:read"), "GET", f"/accounts?identifier={email.replace('@', '%40')}")
    assert reply.status == 200, reply.body
    return [one["id"] for one in reply.json["items"]]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_a_server_killed_in_the_middle_of_a_rotation_loses_nobody(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Two kills while identifiers are indexed anew: all are found at every moment, the rotation ends, and the previous keys go by themselves."""
    cluster: Cluster | None = request.getfixturevalue("cluster") if database == "postgresql" else None
    server = House(tmp_path, new_database(cluster) if cluster else "")
    server.prepare(TENANT)
    try:
        async with beside(server) as db:
            people = await populate(db)
            await killed_half_way(server, db, people)

            async def renewed() -> bool:
                return [await standing(db, use) for use in keys.Use] == [[True], [True]]

            await wait_for(renewed)
            await all_found(db)
            advance(server, 181 * DAY)

            async def over() -> bool:
                return [await standing(db, use) for use in keys.Use] == [[], []]

            await wait_for(over)
            db.caches.clear()  # instead of waiting until this process hears of it
            async with db.read(ACME) as read:
                assert len(await keys.blinds(read, keys.LOGGED, "email", "x")) == 1
                last = await accounts.by_identifier(read, "email", address(PEOPLE - 1))
            await all_found(db)
            assert last is not None
            assert asked(server, address(PEOPLE - 1)) == [last.id]
    finally:
        server.stop()
