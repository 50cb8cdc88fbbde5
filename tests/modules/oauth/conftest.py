"""The door with everything behind it: two tenants, their clients, people with sessions, and browsers."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import pytest

from limen.app import discover
from limen.app.compose import Gate, install
from limen.app.ground import reactions
from limen.kernel.clock import SystemClock
from limen.kernel.facts import SYSTEM, Origin
from limen.kernel.ids import AccountId, ClientId, SessionId, TenantId
from limen.kernel.secrets import Secret
from limen.modules import accounts, clients, consents, keys, sessions, tenants
from limen.modules.clients import Client as App
from limen.modules.clients import ClientKind, GrantType
from limen.modules.journey import Passed
from limen.modules.oauth import pkce
from limen.modules.tenants import Resource, TokenFormat
from limen.modules.tenants.api import Directory
from limen.platform.crypto import Keyring
from limen.platform.duties import Running, Settings
from limen.platform.http import Edge, Options, build
from limen.platform.outbox import Runner
from limen.platform.pages import Brand
from limen.platform.sql import Database, open_database
from tests.conftest import World
from tests.rig.asgi import Answer, Client, _Cookie
from tests.rig.clocks import CreepingClock
from tests.rig.log import Happened, happened

BASE = "http://localhost:8400"
PROXY = "127.0.0.2"
"""Whose word about certificates is taken."""
RIVAL = f"{BASE}/t/rival"
ACME = TenantId("acme")
SECRET = "a secret of thirty-two characters, or more: +%&/é".encode("ascii", "ignore").decode()
CALLBACK = "https://shop.example/callback?from=limen"
SPA_CALLBACK = "https://spa.example/"
NATIVE_CALLBACK = "http://127.0.0.1/callback"
PRIVATE_CALLBACK = "com.example.app:/callback"
BYE = "https://shop.example/bye"
API = "https://api.acme.example"
VAULT = "https://vault.acme.example"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

_PERSONAL = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)
SCOPES = ("openid", "profile", "email", "phone", "address", "offline_access", "read", "write", "open")
APPS = (
    App(
        id=ClientId("shop"),
        name="The Shop",
        kind=ClientKind.WEB,
        redirect_uris=(CALLBACK, "https://shop.example/other"),
        post_logout_redirect_uris=(BYE,),
        grants=_PERSONAL,
        scopes=SCOPES,
    ),
    App(id=ClientId("spa"), name="The Page", kind=ClientKind.SPA, redirect_uris=(SPA_CALLBACK,), grants=_PERSONAL, scopes=SCOPES),
    App(id=ClientId("app"), name="The App", kind=ClientKind.NATIVE, redirect_uris=(NATIVE_CALLBACK, PRIVATE_CALLBACK), grants=_PERSONAL, scopes=SCOPES),
    App(
        id=ClientId("old"),
        kind=ClientKind.WEB,
        redirect_uris=("https://old.example/cb",),
        grants=(GrantType.AUTHORIZATION_CODE,),
        scopes=("openid", "read"),
        pkce_required=False,
    ),
    App(id=ClientId("svc"), kind=ClientKind.SERVICE, scopes=("read", "write", "open", "limen:sessions:read", "limen:sessions:write")),
    App(id=ClientId("tv"), name="The Telly", kind=ClientKind.DEVICE, grants=(GrantType.DEVICE_CODE, GrantType.REFRESH_TOKEN), scopes=SCOPES),
    App(id=ClientId("orders-api"), kind=ClientKind.SERVICE, scopes=("read",)),
)


@dataclass
class Person:
    """Somebody with an account and perhaps a session; her browser has its cookie."""

    account: AccountId
    browser: Client
    session: SessionId | None = None


@dataclass
class Door:
    """A running server and what one needs to come to its door from outside."""

    world: World
    app: Edge
    runner: Runner
    people: int = 0
    calls: Client = field(init=False)
    """A machine that calls without cookies."""

    def __post_init__(self) -> None:
        self.calls = Client(self.app, BASE)

    def browser(self) -> Client:
        """Return a fresh browser."""
        return Client(self.app, BASE)

    async def person(self, *, tenant: TenantId = ACME, consent: tuple[str, ...] = SCOPES, acr: str = "aal1", ago: float = 0) -> Person:
        """Make somebody who signed in `ago` seconds ago and lets every app have `consent`."""
        self.people += 1
        async with self.world.db.work(tenant, SYSTEM) as work:
            made = await accounts.create(work, "email", f"ada{self.people}@example.com")
            assert isinstance(made, accounts.Account)
            if consent:
                for one in APPS:
                    await consents.give(work, made.id, one.id, consent)
        person = Person(made.id, self.browser())
        await self.sign_in(person, tenant=tenant, acr=acr)
        if ago:
            self.world.advance(ago)
        return person

    async def sign_in(self, person: Person, *, tenant: TenantId = ACME, acr: str = "aal1") -> None:
        """Give the person's browser a session."""
        async with self.world.db.work(tenant, SYSTEM) as work:
            passed = Passed(account=person.account, acr=acr, amr=("pwd",), auth_time=work.now)
            opened = await sessions.open(work, passed, Origin("192.0.2.7", "a browser"))
        person.session = opened.session.id
        jar = person.browser.jar.setdefault("localhost", {})
        jar[f"lmn_s_{tenant}"] = _Cookie(f"{tenant}.{opened.secret.reveal()}", "/", "lax")

    async def ask(self, browser: Client, client: str = "shop", *, base: str = BASE, **changes: Any) -> Answer:
        """Send an authorization request and return the first answer; a change to None leaves a parameter out."""
        return await browser.get(f"{base}/oauth/authorize?{urlencode(asked(client, **changes))}", follow=False)

    async def code(self, person: Person, client: str = "shop", **changes: Any) -> str:
        """Return a code for somebody who need not be asked anything."""
        return answered(await self.ask(person.browser, client, **changes))["code"]

    async def token(self, *, auth: str = "shop", base: str = BASE, secret: str = SECRET, **form: str) -> Answer:
        """Call the token endpoint as a client: confidential ones by Basic, public ones by name."""
        return await self.call("/oauth/token", auth=auth, base=base, secret=secret, **form)

    async def call(self, path: str, *, auth: str, base: str = BASE, secret: str = SECRET, **form: str) -> Answer:
        """Call a protocol endpoint as a client."""
        headers = {}
        if auth in ("spa", "app", "tv"):
            form = {"client_id": auth, **form}
        elif auth:
            headers["authorization"] = basic(auth, secret)
        return await self.calls.post(f"{base}{path}", form=form, headers=headers)

    async def redeem(self, code: str, client: str = "shop", **changes: Any) -> Answer:
        """Redeem a code as its client would."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": uri_of(client), "code_verifier": VERIFIER, **changes}
        return await self.token(auth=client, **{name: value for name, value in form.items() if value is not None})

    async def tokens(self, person: Person, client: str = "shop", **changes: Any) -> dict[str, Any]:
        """Return the token response of a whole flow."""
        answer = await self.redeem(await self.code(person, client, **changes), client)
        assert answer.status == 200, answer.text
        return dict(answer.json())

    async def refresh(self, token: str, client: str = "shop", **form: str) -> Answer:
        """Use a refresh token."""
        return await self.token(auth=client, grant_type="refresh_token", refresh_token=token, **form)

    async def active(self, token: str, client: str = "shop") -> bool:
        """Ask the introspection endpoint as a confidential client."""
        answer = await self.call("/oauth/introspect", auth=client, token=token)
        assert answer.status == 200, answer.text
        return bool(answer.json()["active"])

    async def userinfo(self, token: str, *, base: str = BASE) -> Answer:
        """Ask who the person is."""
        return await self.calls.get(f"{base}/oauth/userinfo", headers={"authorization": f"Bearer {token}"})

    async def facts(self, name: str = "") -> list[Happened]:
        """Return what was recorded, by the beginning of its name, in its order."""
        return await happened(self.world.db, name)

    async def change(self, client: str, *, tenant: TenantId = ACME, **fields: Any) -> None:
        """Change fields of a client's record."""
        async with self.world.db.work(tenant, SYSTEM) as work:
            await clients.save(work, replace(await clients.take(work, ClientId(client)), **fields), dev=True)

    async def set(self, module: str, **settings: object) -> None:
        """Set the tenant's settings of a module."""
        async with self.world.work() as work:
            tenant = await tenants.find(work)
            await tenants.save(work, replace(tenant, settings={**tenant.settings, module: settings}))


def uri_of(client: str) -> str:
    """Return the first address a client registered."""
    return next(one.redirect_uris[0] for one in APPS if one.id == client)


def asked(client: str = "shop", **changes: Any) -> dict[str, str]:
    """Return the parameters of a good authorization request, with changes; None leaves one out."""
    usual: dict[str, str | None] = {
        "client_id": client,
        "redirect_uri": uri_of(client),
        "response_type": "code",
        "scope": "openid offline_access",
        "state": "st&te=1 %é",
        "nonce": "n-0S6_WzA2Mj",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def answered(answer: Answer) -> dict[str, str]:
    """Return the parameters of an answer that went back to the app."""
    assert answer.status == 303, (answer.status, answer.words[:300])
    query = parse_qs(urlsplit(answer.location).query, keep_blank_values=True)
    assert all(len(values) == 1 for values in query.values()), answer.location
    return {name: values[0] for name, values in query.items()}


async def to_app(browser: Client, answer: Answer) -> Answer:
    """Follow redirects of ours until one leaves for the app."""
    while answer.status == 303 and answer.location.startswith(("/", BASE)):
        answer = await browser.get(answer.location, follow=False)
    return answer


def basic(client: str, secret: str) -> str:
    """Return the Authorization header of RFC 6749, section 2.3.1."""
    pair = f"{quote_plus(client)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def without(form: Mapping[str, str], name: str) -> dict[str, str]:
    """Return a form less one field."""
    return {key: value for key, value in form.items() if key != name}


async def furnish(db: Database) -> None:
    """Make the tenants acme (default) and rival, each with the same clients."""
    assert pkce.challenge_of(VERIFIER) == CHALLENGE
    for name in ("acme", "rival"):
        tenant = tenants.Tenant(
            name=TenantId(name),
            brand=Brand(name=name.title()),
            default=name == "acme",
            languages=("en", "de", "ar"),
            resources=(
                Resource(identifier=API, scopes={"read": "Read your orders", "write": "Place orders"}, client=ClientId("orders-api")),
                Resource(identifier=VAULT, scopes={"open": "Open the vault"}, token_format=TokenFormat.OPAQUE, client=ClientId("orders-api")),
            ),
        )
        async with db.work(tenant.name, SYSTEM) as work:
            await tenants.save(work, tenant)
            for one in APPS:
                made = one if one.public else clients.with_secret(one, Secret(SECRET), work.now)
                await clients.save(work, made, dev=True)
        await keys.ensure(db, tenant.name, "ES256")


@pytest.fixture
def clock() -> SystemClock:
    """A clock that moves only when it is moved: intervals of devices, windows of proofs and ends of codes do not depend on how fast the machine is."""
    return CreepingClock()


@pytest.fixture
async def door(database_url: str, keyring: Keyring, clock: SystemClock) -> AsyncIterator[Door]:
    """The server on each database."""
    opened = await open_database(database_url, keyring, clock, reactions(), test_mode=True)
    try:
        endpoints = install()
        settings = Settings([Running(dev=True)])
        await furnish(opened)
        options = Options(
            base_url=BASE, dev=True, trusted_proxies=(PROXY,), source_label=lambda reader, address: keys.blind(reader, keys.LOGGED, "address", address)
        )
        app = build(endpoints, Directory(BASE, opened, dev=True), Gate(), opened, settings, options)
        kinds = [kind for _, found in discover.gathered(("jobs",), "JOBS", tuple) for kind in found]
        yield Door(World(opened, clock, keyring, database_url), app, Runner(opened, settings, kinds))
        await app.house.refusals.close()
    finally:
        await opened.close()
