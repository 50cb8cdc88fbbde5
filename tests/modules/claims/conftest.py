"""A tenant with an app, somebody of whom everything is known, and what the app is told of her."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from limen.kernel.ids import AccountId, ClientId, TenantId
from limen.kernel.secrets import Secret
from limen.modules import accounts, claims, clients, profiles, tenants
from limen.modules.claims import Asking, JsonValue, Requested, Use
from limen.modules.clients import Client, ClientKind
from limen.modules.profiles import AddressChanges, Changes
from tests.conftest import World

OWN = ("openid", "profile", "email", "address", "phone")
FULL = Changes(
    name="Ada Lovelace",
    given_name="Ada",
    family_name="Lovelace",
    middle_name="King",
    nickname="Ada",
    preferred_username="ada",
    profile="https://ada.example/",
    picture="https://ada.example/me.png",
    website="https://ada.example/blog?x=1#y",
    gender="female",
    birthdate="1815-12-10",
    zoneinfo="Europe/London",
    locale="en-GB",
    phone_number="+442071234567",
    address=AddressChanges(street_address="12 St James's Square\nLondon", locality="London", country="GB"),
)


@dataclass
class Shop:
    """What the app `shop` of acme may know of Ada."""

    world: World
    ada: AccountId

    async def told(
        self,
        *scopes: str,
        use: Use = Use.USERINFO,
        client: str = "shop",
        account: AccountId | None = None,
        requested: dict[str, Requested] | None = None,
        alone: bool = False,
    ) -> dict[str, JsonValue]:
        """Return what an app is told."""
        async with self.world.read() as reader:
            app = await clients.find(reader, ClientId(client))
            assert app is not None
            return await claims.of(reader, Asking(account=account or self.ada, client=app, scopes=scopes, use=use, requested=requested, alone=alone))

    async def change(self, client: str, **fields: Any) -> None:
        """Change fields of a client's record."""
        async with self.world.work() as work:
            await clients.save(work, replace(await clients.take(work, ClientId(client)), **fields))

    async def set(self, **settings: object) -> None:
        """Set the tenant's claims."""
        async with self.world.work() as work:
            await tenants.save(work, replace(await tenants.find(work), settings={"claims": settings}))


def app(name: str, *redirects: str, **fields: Any) -> Client:
    """Return an app with these redirect addresses."""
    known = {"kind": ClientKind.WEB, "redirect_uris": redirects or (f"https://{name}.example/cb",), "scopes": OWN, **fields}
    return Client(id=ClientId(name), **known)


@pytest.fixture
async def shop(world: World) -> Shop:
    """Everything a test of claims needs."""
    async with world.work() as work:
        await tenants.save(work, tenants.plain(TenantId("acme")))
        for one in (app("shop"), app("other"), app("small", scopes=("openid", "email"))):
            await clients.save(work, clients.with_secret(one, Secret("s" * 40), work.now))
        ada = await accounts.create(work, "email", "ada@example.com")
        assert isinstance(ada, accounts.Account)
        await profiles.change(work, ada.id, FULL)
    return Shop(world, ada.id)
