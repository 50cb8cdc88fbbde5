"""A whole server in process for walks without script: a tenant, its mailbox, and browsers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from limen.app.compose import compose
from limen.app.ground import Opened, reactions
from limen.app.settings import Mode, ServerSettings
from limen.kernel.clock import SystemClock
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import AccountId, TenantId
from limen.kernel.secrets import Secret
from limen.modules import accounts, factors, tenants
from limen.modules.factors import Chosen, Context, Prepared
from limen.platform.crypto import Keyring
from limen.platform.duties import Running, Settings
from limen.platform.http import Edge
from limen.platform.outbox import Runner
from limen.platform.pages import Brand
from limen.platform.sql import open_database
from tests.conftest import World
from tests.rig.asgi import Answer, Client
from tests.rig.clocks import CreepingClock
from tests.rig.log import Happened, happened

OURS = {"origin": "null", "sec-fetch-site": "same-origin"}
"""What a browser says of a form on a page of ours."""
BASE = "http://localhost:8400"
PASSWORD = "four grey geese dance"
ADA = "ada@example.com"


@dataclass
class Town:
    """A running server: its application, its outbox, and what one needs to look behind the pages."""

    world: World
    app: Edge
    runner: Runner
    read: set[str] = field(default_factory=set)

    def browser(self, *, base: str = BASE, language: str = "en", address: str = "127.0.0.1") -> Client:
        """Return a fresh browser."""
        return Client(self.app, base, language=language, address=address)

    async def mails(self) -> list[dict[str, str]]:
        """Deliver what is due and return the mailbox, newest first."""
        await self.runner.run_due()
        answer = await self.browser().get("/dev/mailbox.json")
        found: list[dict[str, str]] = answer.json()
        return found

    async def code(self, to: str = ADA) -> str:
        """Return the newest code sent to an address."""
        return next(mail["code"] for mail in await self.mails() if mail["to"] == to and mail["code"])

    async def account(self, address: str = ADA, password: str | None = PASSWORD) -> AccountId:
        """Make an account as if it had been there before."""
        accounts.normalise("email", address)  # loads what it needs before the Work
        secret = self._secret(password) if password is not None else None
        async with self.world.work() as work:
            made = await accounts.create(work, "email", address)
            assert isinstance(made, accounts.Account)
            if secret is not None:
                await factors.enrol(work, made.id, secret)
        return made.id

    @staticmethod
    def _secret(password: str) -> Prepared:
        way = factors.factor("password")
        assert way.enrol is not None
        made = way.enrol(password, Context(alone=False))
        assert isinstance(made, Chosen), made
        return Prepared("password", Secret(made.secret))

    async def set(self, **settings: dict[str, object]) -> None:
        """Set the tenant's settings, by module."""
        async with self.world.work() as work:
            tenant = await tenants.find(work)
            await tenants.save(work, replace(tenant, settings={**tenant.settings, **settings}))

    async def facts(self, name: str = "") -> list[Happened]:
        """Return what was recorded, of all tenants, by the beginning of its name, in its order."""
        return await happened(self.world.db, name)


async def town_of(world: World) -> Town:
    """Build the server around an empty database."""
    for name in ("acme", "rival"):
        async with world.db.work(TenantId(name), SYSTEM) as work:
            made = tenants.Tenant(name=TenantId(name), brand=Brand(name=name.title()), default=name == "acme", languages=("en", "de", "ar"))
            await tenants.save(work, replace(made, settings={"signin": {"resend_after": "PT0S"}}))  # tests of waiting set it
    settings = Settings([ServerSettings(mode=Mode.DEV, base_url=BASE), Running(dev=True)])
    house = await compose(Opened(settings, world.db))
    return Town(world, house.app, house.runner)


@pytest.fixture
def clock() -> SystemClock:
    """A clock that hardly moves by itself."""
    return CreepingClock()


@pytest.fixture
async def town(database_url: str, keyring: Keyring, clock: SystemClock) -> AsyncIterator[Town]:
    """A server with the tenants acme (default) and rival, on each database."""
    opened = await open_database(database_url, keyring, clock, reactions(), test_mode=True)
    try:
        yield await town_of(World(opened, clock, keyring, database_url))
    finally:
        await opened.close()


def step_of(page: Answer) -> str:
    """Return the step a page shows."""
    return next((form.fields["step"] for form in page.forms() if "step" in form.fields), "")


def plain(page: Answer) -> str:
    """Return a page without what differs from one response to the next: nonces, tokens, journeys, addresses typed."""
    text = re.sub(r'nonce="[^"]*"', 'nonce=""', page.text)
    text = re.sub(r'name="csrf" value="[^"]*"', 'name="csrf"', text)
    return re.sub(r"jny_[0-9a-z]{26}", "jny", text)
