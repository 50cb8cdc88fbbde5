"""An edge over a few endpoints made up for the test, two tenants under one host and one on a domain of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from limen.app.serving import bound, server_of
from limen.kernel.clock import SystemClock
from limen.kernel.ids import AccountId, ClientId, SessionId, TenantId
from limen.platform.crypto import Keyring
from limen.platform.duties import Settings
from limen.platform.http import Access, Call, Edge, Endpoint, Options, Refusal, Site, build
from limen.platform.http.settings import Server
from limen.platform.pages import Brand
from limen.platform.sql import Database, Reader, open_database
from limen.platform.telemetry import Log
from tests.rig import databases
from tests.rig.asgi import App, Client

BASE = "http://localhost:8400"


@dataclass
class Addresses:
    """Sites by host and prefix; `asked` counts how often."""

    base: str = BASE
    asked: int = 0
    extra: dict[str, Site] = field(default_factory=dict)

    def site(self, tenant: str, origin: str, prefix: str = "") -> Site:
        return Site(
            tenant=TenantId(tenant),
            issuer=origin + prefix,
            origin=origin,
            prefix=prefix,
            host=origin.partition("://")[2],
            dev=origin.startswith("http:"),
            name=tenant,
            brand=Brand(tenant.title()),
            languages=("en", "de", "ar"),
        )

    async def find(self, host: str, path: str) -> Site | None:
        self.asked += 1
        scheme, _, base = self.base.partition("://")
        if host == base:
            if path in ("/", ""):
                return self.site("main", self.base)
            return self.site("acme", self.base, "/t/acme") if path == "/t/acme" else None
        return self.site("own", f"{scheme}://{host}") if host.startswith("own.example") else self.extra.get(host)


class Door:
    """Lets in whoever has session cookie `alive`, and the bearer token `good` for scope `things:read`, by DPoP with `proof`."""

    async def session(self, call: Call) -> tuple[AccountId, SessionId] | None:
        cookie = call.cookies.get("s")
        return (AccountId("acc_ada"), SessionId("ses_1")) if cookie is not None and cookie.reveal() == "alive" else None

    async def bearer(self, call: Call, token: str, scope: str, *, by_dpop: bool) -> Access | Refusal:
        if token != "good" or not call.endpoint.who.scope:
            return Refusal("invalid_token", 'This token "ended".')
        if by_dpop and call.raw_headers.get(b"dpop") != b"proof":
            return Refusal("invalid_dpop_proof", "No proof.", ("DPoP", 'algs="ES256"'), (("dpop-nonce", "n"),))
        if scope != "things:read":
            return Refusal("insufficient_scope", "Not for this.")
        return Access(ClientId("svc"), None, frozenset({scope}))


async def label(_reader: Reader, address: str) -> bytes:
    """Stand for the keyed hash of an address."""
    return b"hash of " + address.encode()


Make = Callable[..., Client]


@pytest.fixture
async def db(tmp_path: Path, keyring: Keyring, clock: SystemClock) -> AsyncIterator[Database]:
    """An SQLite database: the edge itself seldom asks."""
    url = await databases.sqlite_copy(tmp_path / "limen.db")
    opened = await open_database(url, keyring, clock, test_mode=True)
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
def addresses() -> Addresses:
    return Addresses()


@pytest.fixture
def make(db: Database, addresses: Addresses) -> Make:
    """Return what builds an edge over endpoints and opens a browser on it; options go to `build`."""

    def made(*endpoints: Endpoint, base: str = BASE, database: Database | None = None, settings: tuple[object, ...] = (), **options: Any) -> Client:
        addresses.base = base
        given = {"dev": base.startswith("http:"), "source_label": label, **options}
        quiet = Settings([Log(requests="none"), *settings])
        return Client(build(endpoints, addresses, Door(), database or db, quiet, Options(base_url=base, **given)), base)

    return made


def edge_of(client: Client) -> Edge:
    """Return the edge behind a client."""
    assert isinstance(client.app, Edge)
    return client.app


@asynccontextmanager
async def served(app: App, patience: Server | None = None) -> AsyncIterator[int]:
    """Run the web server as `limen serve` does, on a free port."""
    server = server_of(app, patience or Server())
    with bound("127.0.0.1", 0) as listening:
        task = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.005)
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await task
