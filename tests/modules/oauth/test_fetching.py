"""Addresses that clients name (`jwks_uri`, `request_uri`, logout, notification, sector, documents): what the server goes to, and how often."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable
from typing import Any, Final
from urllib.parse import urlencode

import httpx2
import pytest

from limen.kernel import secrets
from limen.kernel.facts import SYSTEM
from limen.modules import sessions
from limen.modules.clients import AuthMethod, Delivery
from limen.modules.oauth import client_keys, request_object
from limen.modules.oauth.client_auth.assertion import TYPE
from limen.modules.sessions import EndReason
from limen.platform.http import Crowd
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, SigningKey
from tests.modules.oauth.conftest import ACME, BASE, CHALLENGE, Door, asked
from tests.modules.oauth.registering import desk
from tests.modules.oauth.test_ciba import allow, decide, name_of
from tests.modules.oauth.test_pushed import KEY, jwks
from tests.rig.ear import Ear, listening

pytestmark = pytest.mark.anyio

INSIDE: Final = (
    "10.0.0.7",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "fe80::1",
    "fd00::1",
    "fec0::1",
    "::ffff:10.0.0.7",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:7",
    "2002:a00:7::",
)
PUBLIC: Final = "93.184.215.14"


class Net:
    """Names as somebody's own name server answers for them, and where the server then turns to; nothing leaves this machine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[str] = []
        """What the name is next, the last one for good."""
        self.asked = 0
        self.called: list[str] = []
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self._resolve, raising=False)
        monkeypatch.setattr(httpx2.AsyncClient, "send", self._sent)

    async def _resolve(self, _host: str, _port: object, **_more: Any) -> Any:
        self.asked += 1
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        family = socket.AF_INET6 if ":" in found else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (found, 0))]

    async def _sent(self, request: httpx2.Request, **_more: Any) -> httpx2.Response:
        self.called.append(request.url.host)
        raise httpx2.ConnectError("nobody there")


@pytest.fixture
async def net(door: Door, monkeypatch: pytest.MonkeyPatch) -> Net:
    """A net in which every name is what the test says."""
    del door
    client_keys._FETCHED.clear()
    return Net(monkeypatch)


def proof(door: Door, key: SigningKey = KEY, client: str = "shop") -> dict[str, str]:
    """Return an assertion of a client's."""
    now = int(door.world.clock.now().timestamp())
    said = {"iss": client, "sub": client, "aud": BASE, "iat": now, "exp": now + 60, "jti": secrets.token()}
    return {"client_assertion_type": TYPE, "client_assertion": jose.encode_jwt(key, said, "JWT")}


async def by_keys(door: Door, uri: str) -> None:
    """Prove oneself with keys that stand there."""
    await door.change("shop", auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks_uri=uri)
    answer = await door.calls.post("/oauth/token", form={"grant_type": "refresh_token", "refresh_token": "x", **proof(door)})
    assert (answer.status, answer.json()["error"]) == (401, "invalid_client")


async def by_request(door: Door, uri: str) -> None:
    """Send a request that stands there."""
    await door.change("shop", request_uris=(uri,))
    answer = await door.ask(door.browser(), request_uri=uri)
    assert "error=invalid_request_uri" in answer.location


async def by_sector(door: Door, uri: str) -> None:
    """Register with a sector that stands there."""
    answer = await desk(door).register({"redirect_uris": ["https://a.example/"], "subject_type": "pairwise", "sector_identifier_uri": uri})
    assert answer.json()["error"] == "invalid_client_metadata"


async def by_document(door: Door, uri: str) -> None:
    """Be a document that stands there."""
    await door.set("registration", client_id_documents=True)
    query = {**asked("shop"), "client_id": uri, "code_challenge": CHALLENGE}
    answer = await door.browser().get(f"/oauth/authorize?{urlencode(query)}", follow=False)
    assert answer.status == 400


async def by_logout(door: Door, uri: str) -> None:
    """Be told of an end there."""
    await door.change("shop", backchannel_logout_uri=uri)
    person = await door.person()
    await door.tokens(person)
    async with door.world.db.work(ACME, SYSTEM) as work:
        assert person.session is not None
        await sessions.end(work, person.session, EndReason.SIGNED_OUT)
    await door.runner.run_due()


async def by_notice(door: Door, uri: str) -> None:
    """Be told of an answer there."""
    await allow(door, "shop", backchannel_token_delivery_mode=Delivery.PING, backchannel_client_notification_endpoint=uri)
    await door.person()
    await decide(door, await name_of(door, client_notification_token="8d67dc78-7faa-4d41-aabd-67707b374255"))
    await door.runner.run_due()


WAYS: Final = (by_keys, by_request, by_sector, by_document, by_logout, by_notice)
Way = Callable[[Door, str], Awaitable[None]]


@pytest.mark.parametrize("way", WAYS)
async def test_no_name_leads_inside(door: Door, net: Net, way: Way) -> None:
    """SSRF (RFC 9700, 4.; RFC 9101, 10.4; RFC 7591, 5): whatever a name resolves to, nothing inside is called, in any spelling of IPv6 either."""
    for number, address in enumerate(INSIDE):
        net.answers = [address]
        await way(door, f"https://h{number}.example/x")
        assert net.asked > number, address
    assert net.called == []


@pytest.mark.parametrize("way", WAYS)
async def test_a_name_that_changes_its_mind_is_asked_once(door: Door, net: Net, way: Way) -> None:
    """DNS rebinding: the address that was looked at is the one that is called, whatever the name says a moment later."""
    net.answers = [PUBLIC, "169.254.169.254"]
    await way(door, "https://rebinding.example/x")
    assert net.called == [PUBLIC]
    assert net.asked == 1


@pytest.fixture
async def ear(door: Door) -> AsyncIterator[Ear]:
    """The shop's server, where its keys stand."""
    client_keys._FETCHED.clear()
    async with listening() as opened:
        await door.change("shop", auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks_uri=opened.uri("/jwks"))
        yield opened


async def known(door: Door, key: SigningKey = KEY) -> bool:
    """Say whether the shop is believed with a key."""
    answer = await door.calls.post("/oauth/token", form={"grant_type": "refresh_token", "refresh_token": "x", **proof(door, key)})
    return bool(answer.json()["error"] == "invalid_grant")


async def test_a_crowd_with_unknown_keys_makes_one_call_a_minute(door: Door, ear: Ear) -> None:
    """However many name keys that nobody has, at once or one after the other, the client's server is asked once, and again a minute later."""
    ear.says(*[200] * 3, body=jwks(KEY).encode())
    assert await known(door)
    assert len(ear.lines) == 1
    strangers = [SigningKey.generate(Alg.ES256) for _ in range(20)]
    assert not any(await asyncio.gather(*(known(door, one) for one in strangers)))
    assert len(ear.lines) == 1
    door.world.advance(61)
    assert not any(await asyncio.gather(*(known(door, one) for one in strangers)))
    assert len(ear.lines) == 2
    assert await known(door)
    door.world.advance(301)
    assert all(await asyncio.gather(*(known(door) for _ in range(10))))
    assert len(ear.lines) == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 200_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"8000\r\n" + b"x" * 0x8000 + b"\r\n8000\r\n" + b"x" * 0x8000 + b"\r\n8000\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 307 Again\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"rubbish\r\n\r\n",
        b"",
    ],
)
async def test_what_comes_back_is_little_and_from_there(door: Door, ear: Ear, answer: bytes) -> None:
    """Giant, endless, packed and broken answers give no keys, and redirects are not followed; the next ones do not make it call again."""
    ear.answers.append(answer)
    for _ in range(5):
        assert not await known(door)
    assert len(ear.lines) <= 2


class Gathering(Crowd[Any]):
    """A crowd that is answered when twenty have come."""

    def __init__(self) -> None:
        super().__init__()
        self.come = 0
        self.all = asyncio.Event()

    async def wait(self, key: Hashable, fetch: Callable[[], Coroutine[None, None, Any]]) -> Any:
        """Count who comes."""
        self.come += 1
        if self.come == 20:
            self.all.set()
        return await super().wait(key, fetch)


async def test_a_crowd_with_one_request_uri_makes_one_call_at_a_time(door: Door, net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may open an app's address with its `request_uri`, as often as they like: the app's server is not called by all of them at once."""
    crowd = Gathering()

    async def slow(_: httpx2.AsyncClient, request: httpx2.Request, **more: Any) -> httpx2.Response:
        await crowd.all.wait()
        return await net._sent(request, **more)

    monkeypatch.setattr(httpx2.AsyncClient, "send", slow)
    monkeypatch.setattr(request_object, "_CROWD", crowd)
    net.answers = [PUBLIC]
    await door.change("shop", request_uris=("https://crowd.example/x",))
    answers = await asyncio.gather(*(door.ask(door.browser(), request_uri=f"https://crowd.example/x#{number}") for number in range(20)))
    assert all("error=invalid_request_uri" in answer.location for answer in answers)
    assert net.called == [PUBLIC]
    assert len(crowd) == 0


async def test_keys_of_a_crowd_of_addresses_are_bounded(door: Door, net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever registers clients by the dozen with addresses of their own fills no memory: the oldest are forgotten."""
    monkeypatch.setattr(client_keys, "_MOST", 20)
    client_keys._FETCHED.clear()
    net.answers = [PUBLIC]
    for number in range(30):
        await by_keys(door, f"https://crowd{number}.example/x")
        assert len(client_keys._FETCHED) <= 20
    assert len(client_keys._CROWD) == 0
    client_keys._FETCHED.clear()


async def test_large_key_sets_are_bounded_together(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strangers with key sets as large as may be push each other out, however few they are."""
    monkeypatch.setattr(client_keys, "_MOST_OCTETS", 100_000)
    client_keys._FETCHED.clear()
    async with listening() as ear:
        ear.says(*[200] * 8, body=jwks(KEY).encode() + b" " * 30_000)
        for number in range(8):
            await door.change("shop", auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks_uri=ear.uri(f"/{number}"))
            assert await known(door)
            assert sum(len(one.raw) for one in client_keys._FETCHED.values()) <= 100_000
    client_keys._FETCHED.clear()
