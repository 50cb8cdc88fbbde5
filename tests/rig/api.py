"""Limen's own API over the real edge and the real directory. The gate takes a token that is a list of scopes at its word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from limen.kernel.ids import AccountId, ClientId, SessionId
from limen.modules import tenants
from limen.modules.tenants.api import Directory
from limen.platform.duties import Settings
from limen.platform.http import Access, Call, Endpoint, Options, Refusal, build
from limen.platform.sql import Reader
from tests.conftest import World
from tests.rig.asgi import Answer, Client

BASE = "http://localhost:8400"


class Gate:
    """Lets in every bearer with the scopes that its token names."""

    async def session(self, call: Call) -> tuple[AccountId, SessionId] | None:
        """Nobody is signed in."""
        del call
        return None

    async def bearer(self, call: Call, token: str, scope: str, *, by_dpop: bool) -> Access | Refusal:
        """Read the scopes off the token."""
        del call, by_dpop
        held = frozenset(token.replace(".", ":").split("+"))
        if scope not in held:
            return Refusal("insufficient_scope", "Not for this.")
        return Access(ClientId("svc"), None, held)


@dataclass
class Api:
    """A caller with some scopes."""

    client: Client
    scopes: str = ""

    def having(self, *scopes: str) -> Api:
        """Return a caller with other scopes."""
        return Api(self.client, "+".join(f"limen.{scope}" for scope in scopes).replace(":", "."))

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Call the API with JSON."""
        fields = {"authorization": f"Bearer {self.scopes}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        raw = b"" if body is None else msgspec.json.encode(body)
        if body is not None:
            fields.setdefault("content-type", "application/json")
        return await self.client.send(method, f"/api/v1{path}", raw, fields)

    async def done(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Call, and return the answer's JSON; AssertionError where it is a refusal."""
        answer = await self.call(method, path, body, **headers)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.text}"
        return answer.json() if answer.body else None


async def _label(reader: Reader, address: str) -> bytes:
    del reader
    return address.encode()


async def open_api(world: World, endpoints: Iterable[Endpoint]) -> Api:
    """Make the tenant of the world, and serve these endpoints for it in dev mode."""
    async with world.work() as work:
        await tenants.save(work, tenants.plain(world.tenant))
    options = Options(base_url=BASE, dev=True, source_label=_label)
    edge = build(endpoints, Directory(BASE, world.db, dev=True), Gate(), world.db, Settings([]), options)
    return Api(Client(edge, BASE))
