"""What every test may ask for: `database` (once on SQLite, once on PostgreSQL, migrated, empty, its own) and `world` around it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from limen.app.ground import install_kept
from limen.kernel.clock import SystemClock
from limen.kernel.facts import SYSTEM, Actor
from limen.kernel.ids import TenantId
from limen.platform.crypto import Keyring, KeyringSettings
from limen.platform.sql import Database, Read, Work, open_database
from tests.rig import databases
from tests.rig.postgres import FAST, Cluster

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a machine under load is slow, not wrong
settings.load_profile("house")


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, object]]:
    """All tests run on asyncio with uvloop, as the server does."""
    return "asyncio", {"use_uvloop": True}


ACME = TenantId("acme")


@dataclass
class World:
    """A database, a clock that can be turned, a keyring, and one tenant."""

    db: Database
    clock: SystemClock
    keyring: Keyring
    url: str
    tenant: TenantId = ACME

    def work(self, actor: Actor = SYSTEM) -> AbstractAsyncContextManager[Work]:
        """Open a Work of the tenant."""
        return self.db.work(self.tenant, actor)

    def read(self) -> AbstractAsyncContextManager[Read]:
        """Open a Read of the tenant."""
        return self.db.read(self.tenant)

    def advance(self, seconds: float) -> None:
        """Turn the clock on."""
        self.clock.offset += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    """A keyring for all tests of the session that do not rotate it."""
    folder = tmp_path_factory.mktemp("keyring")
    return Keyring.create(KeyringSettings(file=folder / "master.key", epochs=folder / "epochs"), environ={})


@pytest.fixture(scope="session", autouse=True)
def kept() -> None:
    """What modules keep under tenants' keys is known, as in every server."""
    install_kept()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of this test process."""
    server = Cluster(FAST)
    try:
        server.start()
        yield server
    finally:
        server.drop()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a migrated, empty database of the test's own."""
    if request.param == "sqlite":
        yield await databases.sqlite_copy(tmp_path / "limen.db")
        return
    server: Cluster = request.getfixturevalue("cluster")
    async with databases.postgres_copy(server) as url:
        yield url


@pytest.fixture
def clock() -> SystemClock:
    """The system's clock; move its `offset`."""
    return SystemClock()


@pytest.fixture
async def database(database_url: str, keyring: Keyring, clock: SystemClock) -> AsyncIterator[Database]:
    """A database in test mode: a Work that waits for something else, or binds a wrong type, fails."""
    opened = await open_database(database_url, keyring, clock, test_mode=True)
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
def world(database: Database, database_url: str, keyring: Keyring, clock: SystemClock) -> World:
    """Everything a store or service test needs."""
    return World(database, clock, keyring, database_url)
