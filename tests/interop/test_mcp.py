"""The MCP authorization profile with the public Python SDK on both sides: a client that finds Limen through a protected MCP server, and that server.

RFC 9728 (the server says who gives tokens for it), RFC 7591 or a client ID metadata document (the client is unknown before), PKCE, RFC 8707
(the token is for this server alone), RFC 9207 (`iss`), and tokens that the server checks itself (RFC 9068) or asks about (RFC 7662).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
import pytest
import uvicorn
from mcp.client.auth import OAuthClientProvider
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from tests.interop.conftest import PASSWORD
from tests.rig.documents import telling
from tests.rig.server import LimenServer, free_port, serving
from tests.rig.walker import Walker

pytestmark = [pytest.mark.slow, pytest.mark.anyio, pytest.mark.xdist_group("interop")]

TENANT = """
[[tenant]]
name = "acme"
default = true
languages = ["en"]
[tenant.registration]
scopes = ["openid", "offline_access", "notes:read", "mail:read"]
client_id_documents = {documents}
[[tenant.resource]]
identifier = "http://127.0.0.1:{notes}/mcp"
scopes = {{ "notes:read" = "Read your notes" }}
token_format = "jwt"
[[tenant.resource]]
identifier = "http://127.0.0.1:{mail}/mcp"
scopes = {{ "mail:read" = "Read your mail" }}
token_format = "opaque"
client = "mail-server"
[[tenant.client]]
id = "mail-server"
kind = "service"
secret = "a secret of the mail server that only tests know"
grants = ["client_credentials"]
scopes = ["mail:read"]
"""
BACK = "http://127.0.0.1:9019/callback"
EMAIL = "ada@example.com"


@dataclass(frozen=True)
class House:
    """Limen, and where the two MCP servers will stand."""

    limen: LimenServer
    notes: str
    mail: str


def housed(folder: Path, *, documents: bool) -> Iterator[House]:
    """Start Limen with a customer."""
    ports = {"notes": free_port(), "mail": free_port()}
    fields: dict[str, Any]
    with serving(folder, TENANT.format(documents=str(documents).lower(), **ports)) as limen:
        fields = {"identifier": EMAIL, "code": lambda: limen.code_for(EMAIL), "new_password": PASSWORD, "password": PASSWORD}
        Walker().walk(f"{limen.issuer}/signup", {**fields, "given_name": "Ada", "family_name": "Lovelace"}, re.compile("/account$"))
        yield House(limen, *(f"http://127.0.0.1:{ports[one]}/mcp" for one in ("notes", "mail")))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house in which clients register."""
    yield from housed(tmp_path_factory.mktemp("mcp"), documents=False)


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house in which clients have documents."""
    yield from housed(tmp_path_factory.mktemp("mcp"), documents=True)


@dataclass
class ByKey:
    """Checks tokens with Limen's keys (RFC 9068, section 4)."""

    issuer: str
    resource: str

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what a token stands for."""
        return await asyncio.to_thread(self._verified, token)

    def _verified(self, token: str) -> AccessToken | None:
        try:
            key = jwt.PyJWKClient(f"{self.issuer}/oauth/jwks").get_signing_key_from_jwt(token)
            claims = jwt.decode(token, key.key, algorithms=["ES256"], audience=self.resource, issuer=self.issuer)
        except jwt.PyJWTError:
            return None
        return AccessToken(
            token=token,
            client_id=claims["client_id"],
            scopes=claims["scope"].split(),
            expires_at=claims["exp"],
            resource=self.resource,
            subject=claims["sub"],
        )


@dataclass
class ByAsking:
    """Asks Limen about tokens (RFC 7662)."""

    issuer: str
    resource: str

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what a token stands for."""
        who = ("mail-server", "a secret of the mail server that only tests know".replace(" ", "+"))
        async with httpx2.AsyncClient() as calls:
            told = (await calls.post(f"{self.issuer}/oauth/introspect", data={"token": token}, auth=who)).json()
        if not told["active"] or self.resource not in (told["aud"] if isinstance(told["aud"], list) else [told["aud"]]):
            return None
        return AccessToken(
            token=token, client_id=told["client_id"], scopes=told["scope"].split(), expires_at=told["exp"], resource=self.resource, subject=told["sub"]
        )


@asynccontextmanager
async def protected(house: House, resource: str, scope: str, verifier: Any) -> AsyncIterator[None]:
    """Run an MCP server that takes tokens of Limen's for itself alone."""
    settings = AuthSettings.model_validate(
        {"issuer_url": house.limen.issuer, "resource_server_url": resource, "required_scopes": [scope], "validate_token_resource": True}
    )
    served = MCPServer("things", token_verifier=verifier, auth=settings)

    @served.tool()
    def whoami() -> str:
        """Say who asks, through which client, and for what."""
        token = get_access_token()
        assert token is not None
        return f"{token.subject} by {token.client_id} for {' '.join(token.scopes)}"

    port = urlsplit(resource).port
    assert port is not None
    runner = uvicorn.Server(uvicorn.Config(served.streamable_http_app(), host="127.0.0.1", port=port, log_level="error", lifespan="on"))
    task = asyncio.create_task(runner.serve())
    try:
        while not runner.started:
            await asyncio.sleep(0.01)
        yield
    finally:
        runner.should_exit = True
        await task


@dataclass
class Memory:
    """What the client keeps."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@dataclass
class Agent:
    """An MCP client whose person signs in by walking the pages."""

    resource: str
    document: str | None = None
    memory: Memory = field(default_factory=Memory)
    sent: list[dict[str, str]] = field(default_factory=list)
    """The authorization requests."""
    seen: str = ""
    back: str = ""

    def provider(self) -> OAuthClientProvider:
        """Return the SDK's own way to get tokens."""
        metadata = OAuthClientMetadata(client_name="The Agent", redirect_uris=[AnyUrl(BACK)])
        return OAuthClientProvider(self.resource, metadata, self.memory, self._lead, self._come_back, client_metadata_url=self.document)

    async def _lead(self, url: str) -> None:
        self.sent.append({name: value[0] for name, value in parse_qs(urlsplit(url).query).items()})
        walker = Walker()
        answer = await asyncio.to_thread(walker.walk, url, {"identifier": EMAIL, "password": PASSWORD}, re.compile("^" + re.escape(BACK)))
        assert isinstance(answer, str)
        self.back = answer

    async def _come_back(self) -> AuthorizationCodeResult:
        query = parse_qs(urlsplit(self.back).query)
        return AuthorizationCodeResult(code=query["code"][0], state=query["state"][0], iss=query["iss"][0])

    async def asks(self, provider: OAuthClientProvider | None = None) -> str:
        """Call the server's tool, and return what it says."""
        async with (
            httpx2.AsyncClient(auth=provider or self.provider(), timeout=30) as http,
            Client(streamable_http_client(self.resource, http_client=http)) as client,
        ):
            result = await client.call_tool("whoami", {})
        return str(result.content[0].text)  # type: ignore[union-attr] # a text


async def test_an_mcp_client_registers_and_its_token_is_for_one_server(house: House) -> None:
    """Unknown before, it finds Limen by the server's 401, registers, asks with PKCE and `resource`, and refreshes; the server checks the JWT itself."""
    agent = Agent(house.notes)
    async with protected(house, house.notes, "notes:read", ByKey(house.limen.issuer, house.notes)):
        provider = agent.provider()
        said = await agent.asks(provider)
        assert agent.memory.client is not None
        assert agent.memory.tokens is not None
        assert re.fullmatch(rf"acc_\w+ by {agent.memory.client.client_id} for notes:read.*", said)
        assert (agent.memory.client.token_endpoint_auth_method, agent.memory.client.client_secret) == ("none", None)
        assert agent.memory.client.client_id.startswith("cli_")
        assert (agent.sent[0]["resource"], agent.sent[0]["code_challenge_method"]) == (house.notes, "S256")
        first = agent.memory.tokens
        claims = jwt.decode(first.access_token, options={"verify_signature": False})
        assert (claims["aud"], claims["iss"]) == (house.notes, house.limen.issuer)

        provider.context.token_expiry_time = 1.0
        assert await agent.asks(provider) == said
        assert agent.memory.tokens.access_token != first.access_token
        assert jwt.decode(agent.memory.tokens.access_token, options={"verify_signature": False})["aud"] == house.notes
        assert len(agent.sent) == 1


async def test_an_mcp_client_with_a_document_need_not_register(reading: House, tmp_path: Path) -> None:
    """Limen says that it reads documents, so the SDK comes by the address of its own; the server asks Limen about each token, and a revoked one ends."""
    async with telling(tmp_path) as site, protected(reading, reading.mail, "mail:read", ByAsking(reading.limen.issuer, reading.mail)):
        document = site.client(redirect_uris=[BACK], grant_types=["authorization_code", "refresh_token"], application_type="native")
        agent = Agent(reading.mail, document)
        said = await agent.asks()
        assert re.fullmatch(rf"acc_\w+ by {re.escape(document)} for mail:read.*", said)
        assert site.asked == ["/app.json"]
        assert agent.memory.tokens is not None
        assert agent.memory.tokens.access_token.startswith("lmn_at_")
        async with httpx2.AsyncClient() as calls:
            revoke = {"token": agent.memory.tokens.access_token, "client_id": document}
            assert (await calls.post(f"{reading.limen.issuer}/oauth/revoke", data=revoke)).status_code == 200
            refused = await calls.post(reading.mail, json={}, headers={"authorization": f"Bearer {agent.memory.tokens.access_token}"})
        assert refused.status_code == 401


async def test_a_token_for_one_mcp_server_is_nothing_to_another(house: House) -> None:
    """Each server is a resource of its own: what was given for the notes does not read the mail (RFC 8707, section 2.1)."""
    agent = Agent(house.notes)
    async with protected(house, house.notes, "notes:read", ByKey(house.limen.issuer, house.notes)):
        await agent.asks()
    assert agent.memory.tokens is not None
    async with protected(house, house.mail, "mail:read", ByAsking(house.limen.issuer, house.mail)), httpx2.AsyncClient() as calls:
        refused = await calls.post(house.mail, json={}, headers={"authorization": f"Bearer {agent.memory.tokens.access_token}"})
        told = await calls.get(re.search(r'resource_metadata="([^"]+)"', refused.headers["www-authenticate"])[1])  # type: ignore[index] # else the test fails
    assert refused.status_code == 401
    assert told.json()["authorization_servers"] == [house.limen.issuer]
