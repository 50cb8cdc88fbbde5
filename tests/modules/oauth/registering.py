"""How applications register in the tests: at the door in dev mode, where anyone may, and at one in production."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from limen.app.compose import Gate, install
from limen.kernel.facts import SYSTEM
from limen.modules import keys
from limen.modules.clients import service
from limen.modules.tenants.api import Directory
from limen.platform.duties import Running, Settings
from limen.platform.http import Options, build
from tests.modules.oauth.conftest import ACME, BASE, Door
from tests.rig.asgi import Answer, Client

SHOP: dict[str, Any] = {"redirect_uris": ["https://new.example/callback"], "client_name": "The New One"}
PAGE: dict[str, Any] = {"redirect_uris": ["https://page.example/"], "token_endpoint_auth_method": "none"}
OUTSIDE = "https://id.example.com"


@dataclass(frozen=True)
class Desk:
    """Where applications register."""

    calls: Client
    base: str

    async def send(self, method: str, url: str, body: object = None, token: str = "") -> Answer:
        """Send JSON, with a bearer token where one is given."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["content-type"] = "application/json"
        return await self.calls.send(method, url, b"" if body is None else json.dumps(body).encode(), headers)

    async def register(self, body: object, token: str = "") -> Answer:
        """Register."""
        return await self.send("POST", f"{self.base}/oauth/register", body, token)

    async def made(self, token: str = "", **said: Any) -> dict[str, Any]:
        """Register what is sound, and return the answer's JSON."""
        answer = await self.register({**SHOP, **said}, token)
        assert answer.status == 201, answer.text
        return dict(answer.json())

    async def at(self, made: Mapping[str, Any], method: str = "GET", body: object = None, token: str | None = None) -> Answer:
        """Manage a registration by its own token, or another."""
        return await self.send(method, made["registration_client_uri"], body, made["registration_access_token"] if token is None else token)


def desk(door: Door) -> Desk:
    """Return the door's own desk: dev mode."""
    return Desk(door.calls, BASE)


def desk_outside(door: Door) -> Desk:
    """Return a desk over the same database as production has it."""
    options = Options(base_url=OUTSIDE, dev=False, source_label=lambda reader, address: keys.blind(reader, keys.LOGGED, "address", address))
    edge = build(install(), Directory(OUTSIDE, door.world.db, dev=False), Gate(), door.world.db, Settings([Running(dev=False)]), options)
    return Desk(Client(edge, OUTSIDE), OUTSIDE)


async def initial(door: Door, uses: int | None = 1) -> str:
    """Return an initial access token of an operator's."""
    async with door.world.db.work(ACME, SYSTEM) as work:
        _, secret = await service.make_token(work, uses=uses)
    return secret.reveal()


def error(answer: Answer) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status, answer.json()["error"]
