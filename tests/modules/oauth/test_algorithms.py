"""What ID tokens are signed with: `id_token_signed_response_alg` of the client (OpenID Connect Dynamic Client Registration 1.0, section 2)."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

import pytest

from limen.kernel.ids import ClientId
from limen.modules import clients
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, KeySet
from tests.modules.oauth.conftest import BASE, Door, answered

pytestmark = pytest.mark.anyio

OPENID = "/.well-known/openid-configuration"


async def register(door: Door, alg: Alg | None, client: str = "shop") -> None:
    """Set what a client's ID tokens are signed with."""
    async with door.world.work() as work:
        held = await clients.take(work, ClientId(client))
        await clients.save(work, replace(held, id_token_signed_response_alg=alg), dev=True)


async def shown(door: Door) -> KeySet:
    """Return the keys as an app reads them, for the algorithms that the metadata name."""
    names = (await door.calls.get(OPENID)).json()["id_token_signing_alg_values_supported"]
    return KeySet.parse((await door.calls.get("/oauth/jwks")).body, [Alg(name) for name in names])


async def test_the_metadata_name_what_there_is(door: Door) -> None:
    """Every algorithm the tenant offers, its usual one first; a tenant may offer fewer."""
    assert (await door.calls.get(OPENID)).json()["id_token_signing_alg_values_supported"] == ["ES256", "RS256", "Ed25519"]
    await door.set("keys", algorithms=["RS256"])
    assert (await door.calls.get(OPENID)).json()["id_token_signing_alg_values_supported"] == ["RS256"]


@pytest.mark.parametrize("alg", [Alg.RS256, Alg.ED25519, Alg.ES256])
async def test_a_client_gets_its_own_algorithm(door: Door, alg: Alg) -> None:
    """At the code and at every refresh; the access token has the tenant's, and other clients theirs; the key is among those shown."""
    await register(door, alg)
    person = await door.person()
    first = await door.tokens(person)
    second = (await door.refresh(first["refresh_token"])).json()
    for body in (first, second):
        assert jose.peek(body["id_token"]).header.alg == alg.value
        assert jose.peek(body["access_token"]).header.alg == "ES256"
        assert jose.verify_jwt(body["id_token"], await shown(door), typ=("jwt",)).claims["iss"] == BASE
    assert jose.peek((await door.tokens(person, "spa"))["id_token"]).header.alg == "ES256"


@pytest.mark.parametrize("alg", [Alg.PS256, Alg.EDDSA])
async def test_what_fapi_asks_for_is_offered_where_the_tenant_says_so(door: Door, alg: Alg) -> None:
    """PS256, and Ed25519 by its older name: header and key in the JWKS bear the very name that the client registered (FAPI 2.0 Security Profile, 5.4.1)."""
    with pytest.raises(clients.InvalidClient, match=alg.value):
        await register(door, alg)
    await door.set("keys", algorithms=["ES256", alg.value])
    await register(door, alg)
    token = (await door.tokens(await door.person()))["id_token"]
    header = jose.peek(token).header
    read = jose.verify_jwt(token, await shown(door), typ=("jwt",))
    assert (header.alg, read.claims["iss"]) == (alg.value, BASE)
    assert [(key["kid"], key["alg"]) for key in (await door.calls.get("/oauth/jwks")).json()["keys"] if key["alg"] == alg.value] == [(header.kid, alg.value)]


async def test_a_shared_secret_is_nothing_a_tenant_signs_with(door: Door) -> None:
    """HS256 is not offered by being known: a client cannot have it beside the tenant's keys."""
    with pytest.raises(clients.InvalidClient, match="HS256"):
        await register(door, Alg.HS256)


async def test_an_algorithm_changed_meanwhile_shows_at_the_next_refresh(door: Door) -> None:
    """A client that was described anew need not send anybody back to sign in."""
    body = await door.tokens(await door.person())
    await register(door, Alg.RS256)
    body = (await door.refresh(body["refresh_token"])).json()
    assert jose.peek(body["id_token"]).header.alg == "RS256"
    await register(door, None)
    body = (await door.refresh(body["refresh_token"])).json()
    assert jose.peek(body["id_token"]).header.alg == "ES256"


async def test_the_very_first_tokens_of_a_tenant_may_need_two_keys(door: Door) -> None:
    """Neither the tenant's usual key nor the client's was ever needed: both are made, and the request is answered."""
    await door.set("keys", algorithms=["Ed25519", "RS256"])
    await register(door, Alg.RS256)
    body = await door.tokens(await door.person())
    assert jose.peek(body["id_token"]).header.alg == "RS256"
    assert jose.peek(body["access_token"]).header.alg == "Ed25519"


async def test_it_comes_back_as_a_hint(door: Door) -> None:
    """An ID token is recognised whatever it was signed with."""
    await register(door, Alg.RS256)
    ada, bob = await door.person(), await door.person()
    hint = (await door.tokens(ada))["id_token"]
    assert answered(await door.ask(bob.browser, prompt="none", id_token_hint=hint))["error"] == "login_required"
    assert "code" in answered(await door.ask(ada.browser, prompt="none", id_token_hint=hint))
    query = urlencode({"id_token_hint": hint, "post_logout_redirect_uri": "https://shop.example/bye"})
    assert (await ada.browser.get(f"/oauth/logout?{query}", follow=False)).location == "https://shop.example/bye"


async def test_a_client_keeps_its_algorithm_when_the_tenant_drops_it(door: Door) -> None:
    """What an app was told to expect it goes on getting; only new registrations are refused."""
    await register(door, Alg.RS256)
    await door.set("keys", algorithms=["ES256"])
    body = await door.tokens(await door.person())
    assert jose.peek(body["id_token"]).header.alg == "RS256"
    with pytest.raises(clients.InvalidClient, match="ES256"):
        await register(door, Alg.ED25519)
