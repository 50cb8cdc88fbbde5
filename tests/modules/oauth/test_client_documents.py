"""Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document-01)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import ClientId
from limen.modules import clients, consents
from limen.modules.clients import ClientKind, Registered, document_fault, fresh_for
from limen.platform.wire.jose import Alg, SigningKey
from tests.modules.oauth.conftest import ACME, BASE, CHALLENGE, VERIFIER, Door, Person, answered, to_app
from tests.modules.oauth.registering import OUTSIDE, desk_outside
from tests.modules.oauth.test_pushed import assertion
from tests.rig.asgi import Answer
from tests.rig.documents import Site, telling

pytestmark = pytest.mark.anyio


@pytest.fixture
async def site(door: Door, tmp_path: Path) -> AsyncIterator[Site]:
    """A site with documents, and a tenant that reads them."""
    await door.set("registration", client_id_documents=True)
    async with telling(tmp_path) as served:
        yield served


def request(client: str, **changes: str) -> str:
    """Return an authorization request of an agent."""
    query = {"client_id": client, "redirect_uri": "http://127.0.0.1:7777/callback", "response_type": "code", "scope": "openid email"}
    return f"{BASE}/oauth/authorize?{urlencode({**query, 'code_challenge': CHALLENGE, 'code_challenge_method': 'S256', **changes})}"


async def ask(door: Door, client: str, person: Person | None = None) -> Answer:
    """Send one; 303 is on to the person, 400 a page of ours that knows no such app."""
    return await (person.browser if person else door.browser()).get(request(client), follow=False)


async def kept(door: Door, client: str) -> clients.Client | None:
    async with door.world.db.read(ACME) as read:
        return await clients.find(read, ClientId(client))


async def test_an_app_comes_by_its_document(door: Door, site: Site) -> None:
    """It is read once; the person is asked and sees its host; token endpoint, refresh and introspection know it without reading it again."""
    client = site.client(grant_types=["authorization_code", "refresh_token"])
    person = await door.person()
    page = await person.browser.get(request(client))
    assert "The Agent" in page.words
    assert "Its address is localhost:" in page.words.replace("\u2068", "").replace("\u2069", "")
    answer = await person.browser.submit(page, {}, action="allow", follow=False)
    while answer.location.startswith(("/", BASE)):
        answer = await person.browser.get(answer.location, follow=False)
    form = {"client_id": client, "code": answered(answer)["code"], "redirect_uri": "http://127.0.0.1:7777/callback", "code_verifier": VERIFIER}
    tokens = (await door.calls.post(f"{BASE}/oauth/token", form={**form, "grant_type": "authorization_code"})).json()
    assert (await door.userinfo(tokens["access_token"])).status == 200
    again = await door.calls.post(f"{BASE}/oauth/token", form={"client_id": client, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})
    assert again.status == 200
    assert site.asked == ["/app.json"]
    found = await kept(door, client)
    assert found is not None
    assert (found.kind, found.registered, found.consent, found.pkce_required) == (ClientKind.NATIVE, Registered.DOCUMENT, clients.ConsentRule.ASK, True)
    assert [fact.data["by"] for fact in await door.facts("clients.client_registered")] == ["document"]


async def test_an_app_with_a_key_in_its_document_proves_itself(door: Door, site: Site) -> None:
    """Section 6.2: `private_key_jwt` there makes a confidential client, which gets nothing without its assertion."""
    key = SigningKey.generate(Alg.ES256)
    shown = {"keys": [msgspec.to_builtins(key.public.jwk)]}
    client = site.client(token_endpoint_auth_method="private_key_jwt", jwks=shown, redirect_uris=["https://agent.example/callback"])
    person = await door.person()

    async def form() -> dict[str, str]:
        page = await person.browser.get(request(client, redirect_uri="https://agent.example/callback", prompt="consent"))
        answer = await to_app(person.browser, await person.browser.submit(page, {}, action="allow", follow=False))
        about = {"grant_type": "authorization_code", "client_id": client, "code_verifier": VERIFIER}
        return {**about, "code": answered(answer)["code"], "redirect_uri": "https://agent.example/callback"}

    bare = await door.calls.post(f"{BASE}/oauth/token", form=await form())
    assert (bare.status, bare.json()["error"]) == (401, "invalid_client")
    proved = await door.calls.post(f"{BASE}/oauth/token", form={**await form(), **assertion(door, key, iss=client, sub=client)})
    assert proved.status == 200, proved.text


async def test_documents_are_read_where_the_tenant_says_so(door: Door, site: Site) -> None:
    """Off by default, and the metadata say which; switched off, what was read before is unknown again."""
    client = site.client()
    assert (await ask(door, client)).status == 303
    assert (await door.calls.get("/.well-known/openid-configuration")).json()["client_id_metadata_document_supported"] is True
    await door.set("registration", client_id_documents=False)
    assert (await ask(door, client)).status == 400
    assert (await ask(door, site.client("/other.json"))).status == 400
    assert (await door.calls.get("/.well-known/openid-configuration")).json()["client_id_metadata_document_supported"] is False
    assert site.asked == ["/app.json"]


@pytest.mark.parametrize(
    "client",
    [
        *("https://app.example", "https://app.example/", "https://app.example/a?b=c", "https://app.example/#a", "https://app.example/a/../b"),
        *("https://user@app.example/a", "https://app.example/./a", "https://app.example/%2e%2e/a", "https://APP.example/a", "https://app.example/" + "a" * 240),
        *("http://app.example/a", "https://app.example/a b", "https://*.example/a", "https://app.example\\@evil.example/a"),
    ],
)
def test_an_id_that_is_no_address_of_a_document(client: str) -> None:
    """Section 3: https, a path, no fragment, user or steps; no query and no capitals either, so that one document has one name."""
    assert document_fault(client)
    assert not document_fault("https://app.example/oauth/client.json")


@pytest.mark.parametrize(
    "said",
    [
        {"client_id": "https://localhost/app.json"},
        {"client_id": None},
        {"client_secret": "x" * 40},
        {"client_secret_expires_at": 0},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"redirect_uris": None},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": ["http://localhost.evil.example/callback"]},
        {"scope": "openid limen:accounts:read"},
        {"grant_types": ["client_credentials"]},
        {"jwks": {"keys": [{"kty": "EC", "d": "AA"}]}},
    ],
)
async def test_a_document_that_says_what_it_must_not_is_none(door: Door, site: Site, said: dict[str, Any]) -> None:
    """Another address, a secret, a method that needs one, or what the policy forbids: the app is unknown, and nothing is kept."""
    client = site.client(**said)
    assert (await ask(door, client)).status == 400
    assert await kept(door, client) is None


async def test_what_is_no_document_is_none(door: Door, site: Site) -> None:
    """Errors, redirects, another media type, too much, no JSON, a member twice: unknown, and not asked for again for a minute."""
    good = {"client_id": site.url("/redirected"), "redirect_uris": ["http://127.0.0.1/callback"]}
    site.tell("/target", good)
    bad = [
        site.url("/missing"),
        site.tell("/redirected", good, status="302 Found", fields=f"Location: {site.url('/target')}\r\n"),
        site.tell("/page", {**good, "client_id": site.url("/page")}, media="text/html"),
        site.tell("/large", {**good, "client_id": site.url("/large"), "more": "x" * 5_200}),
        site.tell("/broken", b"{"),
        site.tell("/list", []),
        site.tell("/twice", b'{"client_id": "a", "client_id": "b"}'),
    ]
    for client in bad:
        assert (await ask(door, client)).status == 400, client
        assert (await ask(door, client)).status == 400, client
    assert len(site.asked) == len(bad)
    site.client("/missing")
    door.world.advance(61)
    assert (await ask(door, bad[0])).status == 303


async def test_a_document_is_read_again_when_it_is_not_fresh_any_more(door: Door, site: Site) -> None:
    """As long as its header fields say, between a minute and a day; changes are taken over, and what is gone is gone at once."""
    client = site.client(fields="Cache-Control: max-age=600\r\n")
    assert (await ask(door, client)).status == 303
    site.client(client_name="The Agent, renamed", fields="Cache-Control: no-store\r\n")
    door.world.advance(599)
    await ask(door, client)
    assert len(site.asked) == 1
    door.world.advance(2)
    await ask(door, client)
    found = await kept(door, client)
    assert found is not None
    assert (found.name, len(site.asked)) == ("The Agent, renamed", 2)
    door.world.advance(59)
    await ask(door, client)
    assert len(site.asked) == 2
    site.client(redirect_uris=["https://elsewhere.example/"])
    door.world.advance(2)
    assert (await ask(door, client)).status == 400
    site.tell("/app.json", b"", status="404 Not Found")
    door.world.advance(3_700)
    assert (await ask(door, client)).status == 400


async def test_a_site_that_is_away_does_not_lock_its_people_out(door: Door, site: Site) -> None:
    """What it said serves on for a day, asked for once a minute; then the app is unknown."""
    client = site.client(fields="Cache-Control: max-age=60\r\n")
    assert (await ask(door, client)).status == 303
    site.tell("/app.json", b"x" * 6_000)  # too much is as good as nothing
    door.world.advance(61)
    assert (await ask(door, client)).status == 303
    assert (await ask(door, client)).status == 303
    assert len(site.asked) == 2
    door.world.advance(86_400)
    assert (await ask(door, client)).status == 400


async def test_many_who_come_at_once_read_a_document_once(door: Door, site: Site) -> None:
    """One fetch serves all that wait for it."""
    client, site.slow = site.client(), 0.05
    answers = await asyncio.gather(*(ask(door, client) for _ in range(8)))
    assert ({answer.status for answer in answers}, len(site.asked)) == ({303}, 1)


async def test_a_document_nobody_let_in_is_forgotten(door: Door, site: Site) -> None:
    """After a day, unless a person said yes."""
    one, other = site.client("/one.json"), site.client("/other.json")
    await ask(door, one)
    await ask(door, other)
    person = await door.person()
    async with door.world.db.work(ACME, SYSTEM) as work:
        await consents.give(work, person.account, ClientId(other), ("openid",))
    door.world.advance(86_401)
    await door.runner.order_turns()
    await door.runner.run_due()
    assert (bool(await kept(door, one)), bool(await kept(door, other))) == (False, True)


async def test_documents_lead_into_no_network_of_ours(door: Door, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """In production loopback, private and link-local addresses are not read, whatever the name; the answers do not tell them apart."""
    await door.set("registration", client_id_documents=True, hourly=100)
    loop, before = asyncio.get_running_loop(), asyncio.get_running_loop().getaddrinfo

    async def resolve(host: str, _port: object, **more: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 0))] if host == "inside.example" else await before(host, None, **more)

    monkeypatch.setattr(loop, "getaddrinfo", resolve, raising=False)
    browser = desk_outside(door).calls
    hosts = ("127.0.0.1", "localhost", "169.254.169.254", "inside.example", "[::1]", "192.168.1.1", f"localhost:{site.port}")
    for host in hosts:
        answer = await browser.get(f"{OUTSIDE}/oauth/authorize?{urlencode({'client_id': f'https://{host}/app.json', 'response_type': 'code'})}", follow=False)
        assert answer.status == 400, host
    assert site.asked == []


async def test_a_flood_of_documents_is_slowed_and_bounded(door: Door, site: Site) -> None:
    """One address names so many unknown documents an hour, and the tenant keeps so many at most."""
    await door.set("registration", client_id_documents=True, hourly=2, max_clients=3)
    for number in range(2):
        assert (await ask(door, site.client(f"/{number}.json"))).status == 303
    assert (await ask(door, site.client("/2.json"))).status == 429
    assert (await ask(door, site.url("/0.json"))).status == 303
    await door.set("registration", client_id_documents=True, hourly=50, max_clients=2)
    assert (await ask(door, site.client("/3.json"))).status == 400


async def test_a_document_is_no_registration(door: Door, site: Site) -> None:
    """No token manages it, and an operator cannot enter a client under such a name."""
    client = site.client()
    await ask(door, client)
    with pytest.raises(clients.RegistrationTokenRefused):
        async with door.world.db.read(ACME) as read:
            await clients.managed(read, ClientId(client), "")
    async with door.world.db.work(ACME, SYSTEM) as work:
        with pytest.raises(clients.InvalidClient):
            await clients.save(work, clients.Client(id=ClientId("https://app.example/x"), kind=ClientKind.SPA, redirect_uris=("https://app.example/",)))


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({}, 3_600),
        ({"cache-control": "max-age=600"}, 600),
        ({"cache-control": "public, Max-Age=600", "age": "100"}, 500),
        ({"cache-control": "max-age=1"}, 60),
        ({"cache-control": "max-age=999999999"}, 86_400),
        ({"cache-control": "no-store, max-age=600"}, 60),
        ({"cache-control": "no-cache"}, 60),
        ({"expires": "Wed, 25 Nov 2026 12:10:00 GMT"}, 600),
        ({"expires": "Wed, 25 Nov 2026 11:00:00 GMT"}, 60),
        ({"expires": "0"}, 60),
        ({"cache-control": "max-age=120", "expires": "Wed, 25 Nov 2026 12:10:00 GMT"}, 120),
    ],
)
def test_how_long_a_document_serves(fields: dict[str, str], seconds: int) -> None:
    """RFC 9111, section 4.2, within a minute and a day."""
    assert fresh_for(fields, datetime(2026, 11, 25, 12, tzinfo=UTC)) == timedelta(seconds=seconds)
