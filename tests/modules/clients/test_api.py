"""Clients over HTTP."""

from __future__ import annotations

import pytest

from limen.kernel.ids import ClientId
from limen.modules import clients
from limen.modules.clients.api import ENDPOINTS
from limen.platform.wire.jose import Alg, SigningKey
from tests.conftest import World
from tests.rig.api import Api, open_api

pytestmark = pytest.mark.anyio

SHOP = {
    "client_id": "shop",
    "client_name": "The shop",
    "kind": "web",
    "redirect_uris": ["http://localhost:8401/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid email",
}


async def opened(world: World) -> Api:
    return (await open_api(world, ENDPOINTS)).having("clients:read", "clients:write")


async def check(world: World, secret: str) -> bool:
    async with world.read() as read:
        kept = await clients.find(read, ClientId("shop"))
        assert kept is not None
        return clients.check_secret(kept, secret, read.now)


async def test_a_client_is_registered_and_its_secret_shown_once(world: World) -> None:
    """201 in the words of RFC 7591; afterwards nobody can read the secret."""
    api = await opened(world)
    made = await api.call("POST", "/clients", SHOP)
    assert made.status == 201
    shown = made.json()
    assert shown["client_secret"].startswith("lmn_cs_")
    assert (shown["client_secret_expires_at"], shown["client_name"], shown["scope"], shown["registered"]) == (0, "The shop", "openid email", "operator")
    assert await check(world, shown["client_secret"])
    read = await api.call("GET", "/clients/shop")
    assert "secret" not in read.text.replace("client_secret_basic", "")
    assert [one["client_id"] for one in (await api.done("GET", "/clients"))["items"]] == ["shop"]


async def test_a_public_client_has_no_secret_and_an_id_is_made(world: World) -> None:
    """A single-page app is registered without one."""
    api = await opened(world)
    shown = await api.done("POST", "/clients", {"kind": "spa", "redirect_uris": ["https://spa.example/"]})
    assert shown["client_id"].startswith("cli_")
    assert "client_secret" not in shown
    assert (shown["token_endpoint_auth_method"], shown["grant_types"]) == ("none", ["authorization_code"])


async def test_a_client_is_described_anew_and_dropped(world: World) -> None:
    """PUT replaces what it says and keeps its secret; DELETE ends it."""
    api = await opened(world)
    secret = (await api.done("POST", "/clients", SHOP))["client_secret"]
    fresh = {name: value for name, value in SHOP.items() if name not in ("client_id", "client_name")}
    shown = await api.done("PUT", "/clients/shop", fresh, if_match='"1"')
    assert (shown["client_name"], shown["version"]) == ("", 2)
    assert await check(world, secret)
    stale = await api.call("PUT", "/clients/shop", fresh | {"client_name": "x"}, if_match='"1"')
    assert (stale.status, stale.json()["code"]) == (409, "client_changed_meanwhile")
    assert (await api.call("DELETE", "/clients/shop")).status == 204
    assert (await api.call("DELETE", "/clients/shop")).status == 404
    assert (await api.call("GET", "/clients/shop")).status == 404


async def test_whether_people_are_asked_and_what_signs_is_told_and_changed(world: World) -> None:
    """Both have their defaults, are described anew like everything else, and fall back when left out."""
    api = await opened(world)
    shown = await api.done("POST", "/clients", SHOP)
    assert (shown["consent"], shown["id_token_signed_response_alg"]) == ("ask", None)
    fresh = {name: value for name, value in SHOP.items() if name != "client_id"}
    shown = await api.done("PUT", "/clients/shop", fresh | {"consent": "none", "id_token_signed_response_alg": "RS256"})
    assert (shown["consent"], shown["id_token_signed_response_alg"]) == ("none", "RS256")
    shown = await api.done("PUT", "/clients/shop", fresh)
    assert (shown["consent"], shown["id_token_signed_response_alg"]) == ("ask", None)


async def test_a_secret_is_rotated(world: World) -> None:
    """Both work for a day."""
    api = await opened(world)
    first = (await api.done("POST", "/clients", SHOP))["client_secret"]
    second = (await api.done("POST", "/clients/shop/secret"))["client_secret"]
    assert await check(world, first)
    assert await check(world, second)
    world.advance(86_401)
    assert not await check(world, first)
    assert (await api.call("POST", "/clients/nobody/secret")).status == 404


async def test_nobody_makes_a_client_stronger_than_themselves(world: World) -> None:
    """A `limen:` scope is given away by who has it; what a client has already may stay."""
    api = await opened(world)
    robot = {"client_id": "robot", "kind": "service", "scope": "limen:audit:read"}
    refused = await api.call("POST", "/clients", robot)
    assert (refused.status, refused.json()["code"]) == (403, "scope_not_held")
    mighty = api.having("clients:read", "clients:write", "audit:read")
    assert (await mighty.call("POST", "/clients", robot)).status == 201
    assert (await api.call("PUT", "/clients/robot", {"kind": "service", "scope": "limen:audit:read"})).status == 200
    assert (await api.call("PUT", "/clients/robot", {"kind": "service", "scope": "limen:audit:read limen:accounts:write"})).status == 403
    assert (await api.call("POST", "/clients/robot/secret")).status == 403


async def test_nobody_takes_over_a_stronger_client(world: World) -> None:
    """Whoever lacks a `limen:` scope of a client gives it no other key, method or certificate by which to prove itself; the rest may be written anew."""
    api = await opened(world)
    robot = {"client_id": "robot", "kind": "service", "scope": "limen:audit:read"}
    mighty = api.having("clients:read", "clients:write", "audit:read")
    assert (await mighty.call("POST", "/clients", robot)).status == 201
    fresh = {"kind": "service", "scope": "limen:audit:read"}
    keyed = {**fresh, "token_endpoint_auth_method": "private_key_jwt"}
    own = {"keys": [SigningKey.generate(Alg.ES256).public.jwk]}
    for theft in (
        {**keyed, "jwks": own},
        {**keyed, "jwks_uri": "https://thief.example/keys"},
        {**fresh, "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "thief.example"},
    ):
        refused = await api.call("PUT", "/clients/robot", theft)
        assert (refused.status, refused.json()["code"]) == (403, "scope_not_held"), theft
    assert (await mighty.call("PUT", "/clients/robot", {**keyed, "jwks": own})).status == 200
    assert (await api.call("PUT", "/clients/robot", {**keyed, "jwks_uri": "https://thief.example/keys"})).status == 403
    assert (await api.call("PUT", "/clients/robot", {**keyed, "jwks": own, "client_name": "Robot"})).status == 200


async def test_bad_metadata_is_refused(world: World) -> None:
    """400 with the code of RFC 7591, section 3.2.2, or 409 where the id is taken; nothing is registered."""
    api = await opened(world)
    wrong: tuple[dict[str, object], ...] = (
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": ["http://app.example.com/"]},
        {"redirect_uris": []},
        {"scope": "raed"},
        {"client_id": "a b"},
        {"token_endpoint_auth_method": "none"},
        {"require_pkce": False, "kind": "spa"},
        {"id_token_signed_response_alg": "EdDSA"},
        {"kind": "native", "redirect_uris": ["com.example.app:/x"], "consent": "none"},
    )
    for change in wrong:
        refused = await api.call("POST", "/clients", SHOP | change)
        assert (refused.status, refused.json()["code"]) == (400, "invalid_client_metadata"), change
    malformed: tuple[dict[str, object], ...] = (
        {"kind": "tablet"},
        {"grant_types": ["password"]},
        {"client_secret": "x" * 40},
        {"redirect_uris": "https://a.example/"},
        {"consent": "maybe"},
        {"id_token_signed_response_alg": "none"},
    )
    for change in malformed:
        assert (await api.call("POST", "/clients", SHOP | change)).status == 400, change
    assert (await api.done("GET", "/clients"))["items"] == []
    await api.done("POST", "/clients", SHOP)
    taken = await api.call("POST", "/clients", SHOP)
    assert (taken.status, taken.json()["code"]) == (409, "client_exists")
