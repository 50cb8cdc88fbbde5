"""`sector_identifier_uri` at registration: the list is fetched, has to name every address, and leads into no network of ours."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.modules.oauth.conftest import Door
from tests.modules.oauth.registering import SHOP, desk, desk_outside, error

pytestmark = pytest.mark.anyio

CIBA = "urn:openid:params:grant-type:ciba"
TWO = ["https://one.example/callback", "https://two.example/callback"]


@asynccontextmanager
async def listing(body: bytes, status: str = "200 OK", extra: str = "") -> AsyncIterator[tuple[str, list[bytes]]]:
    """Serve one document on loopback; yields its address and the requests that came."""
    heads: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/sector", heads


def pairwise(uri: str) -> dict[str, Any]:
    return {**SHOP, "redirect_uris": TWO, "subject_type": "pairwise", "sector_identifier_uri": uri}


async def test_a_sector_lists_its_addresses(door: Door) -> None:
    """It is fetched at registration and at every change; more than the client's own may stand there (OpenID Connect Core 1.0, section 8.1)."""
    async with listing(json.dumps([*TWO, "https://three.example/"]).encode()) as (uri, heads):
        made = await desk(door).made(**pairwise(uri))
        assert (made["subject_type"], made["sector_identifier_uri"], len(heads)) == ("pairwise", uri, 1)
        changed = await desk(door).at(made, "PUT", {"client_id": made["client_id"], **pairwise(uri), "redirect_uris": ["https://four.example/"]})
        assert (error(changed), len(heads)) == ((400, "invalid_client_metadata"), 2)


@pytest.mark.parametrize(
    ("body", "status", "extra"),
    [
        (json.dumps(TWO[:1]).encode(), "200 OK", ""),
        (json.dumps({"redirect_uris": TWO}).encode(), "200 OK", ""),
        (b"nothing", "200 OK", ""),
        (json.dumps(TWO).encode(), "404 Not Found", ""),
        (json.dumps(TWO).encode(), "302 Found", "Location: https://one.example/\r\n"),
        (json.dumps([*TWO, "x" * 70_000]).encode(), "200 OK", ""),
    ],
)
async def test_a_sector_that_does_not_list_them_is_none(door: Door, body: bytes, status: str, extra: str) -> None:
    """An address missing, another shape, no JSON, an error, a redirect, too much: registration fails."""
    async with listing(body, status, extra) as (uri, _):
        answer = await desk(door).register(pairwise(uri))
    assert error(answer) == (400, "invalid_client_metadata")
    assert "sector_identifier_uri" in answer.json()["error_description"]


async def test_a_sector_of_the_back_channel_is_where_the_keys_stand(door: Door) -> None:
    """CIBA Core 1.0, 4: with pairwise subjects `poll` and `ping` need `jwks_uri`, which the sector lists, and `push` has its own address listed."""
    await door.set("registration", grants=["authorization_code", CIBA], response_types=["code"])
    here, called = "https://one.example/keys", "https://one.example/called"
    ways: dict[str, dict[str, Any]] = {
        "poll": {"jwks_uri": here},
        "ping": {"jwks_uri": here, "backchannel_client_notification_endpoint": called},
        "push": {"backchannel_client_notification_endpoint": called},
    }
    for mode, more in ways.items():
        for listed, status in (([*TWO, here, called], 201), (TWO, 400)):
            async with listing(json.dumps(listed).encode()) as (uri, _):
                asked = {**pairwise(uri), "grant_types": ["authorization_code", CIBA], "backchannel_token_delivery_mode": mode, **more}
                answer = await desk(door).register(asked)
            assert answer.status == status, (mode, answer.text)
    bare = {**SHOP, "subject_type": "pairwise", "grant_types": ["authorization_code", CIBA], "backchannel_token_delivery_mode": "poll"}
    refused = await desk(door).register(bare)
    assert (error(refused), "jwks_uri" in refused.json()["error_description"]) == ((400, "invalid_client_metadata"), True)


async def test_a_client_without_addresses_joins_no_sector(door: Door) -> None:
    """No browser goes to a device, so another's list proves nothing of it: it would get the subjects of that sector."""
    device = "urn:ietf:params:oauth:grant-type:device_code"
    await door.set("registration", grants=[device])
    async with listing(json.dumps(TWO).encode()) as (uri, _):
        said = {**pairwise(uri), "redirect_uris": [], "grant_types": [device], "token_endpoint_auth_method": "none"}
        refused = await desk(door).register(said)
    assert error(refused) == (400, "invalid_client_metadata"), refused.text
    assert "sector_identifier_uri" in refused.json()["error_description"]


async def test_a_sector_leads_into_no_network_of_ours(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """In production loopback, private and link-local addresses are not called, by name either, and the answers do not tell them apart."""
    await door.set("registration", open="anyone")
    private = "10.0.0.7"
    loop, before = asyncio.get_running_loop(), asyncio.get_running_loop().getaddrinfo

    async def resolve(host: str, _port: object, **more: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (private, 0))] if host == "inside.example" else await before(host, None, **more)

    monkeypatch.setattr(loop, "getaddrinfo", resolve, raising=False)
    hosts = ("127.0.0.1", "169.254.169.254", "inside.example", "[::1]", "192.168.1.1", "metadata.google.internal")
    answers = [await desk_outside(door).register(pairwise(f"https://{host}/sector")) for host in hosts]
    assert {error(answer) for answer in answers} == {(400, "invalid_client_metadata")}
    assert len({answer.text for answer in answers}) == 1
    async with listing(json.dumps(TWO).encode()) as (uri, heads):
        for scheme in ("http", "https"):
            assert error(await desk_outside(door).register(pairwise(uri.replace("http", scheme)))) == (400, "invalid_client_metadata")
        assert heads == []
