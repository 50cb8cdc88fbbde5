"""Clients that prove themselves by certificates, and tokens bound to them (RFC 8705), as a trusted proxy hands them on (RFC 9440)."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from limen.modules.clients import AuthMethod
from limen.platform.wire import jose
from limen.platform.wire.jose import certificate_thumbprint
from tests.modules.oauth.conftest import BASE, PROXY, Door, answered
from tests.modules.oauth.test_pushed import change, redeeming
from tests.rig.asgi import Client
from tests.rig.certificates import Certified, certified

pytestmark = pytest.mark.anyio

AUTHORITY = certified("Authority", authority=True)
SHOP = certified("shop.example", AUTHORITY)
OTHER = certified("other.example", AUTHORITY)
FORGED = certified("shop.example")
"""It bears the name, and nobody but itself says so."""


def field(shown: Certified) -> dict[str, str]:
    """Return the header of RFC 9440."""
    return {"client-cert": f":{base64.b64encode(shown.der).decode()}:"}


async def call(door: Door, path: str, form: dict[str, str], shown: Certified | None, *, via: str = PROXY) -> Any:
    """Call an endpoint as the proxy does for a client that showed this certificate."""
    return await Client(door.app, BASE, address=via).post(path, form=form, headers=field(shown) if shown else {})


async def redeemed(door: Door, shown: Certified | None, **more: Any) -> Any:
    """Redeem a fresh code with a certificate."""
    person = await door.person()
    code = answered(await door.ask(person.browser))["code"]
    return await call(door, "/oauth/token", {**redeeming(code), "client_id": "shop"}, shown, **more)


async def test_a_certificate_of_the_registered_name_proves_the_client(door: Door) -> None:
    """Section 2.1: the name that was registered, vouched for by an authority the proxy knows; shown by the trusted proxy alone."""
    await change(door, "shop", auth_method=AuthMethod.TLS, tls_client_auth_subject_dn="CN=shop.example")
    assert (await redeemed(door, SHOP)).status == 200
    for shown, via in ((OTHER, PROXY), (FORGED, PROXY), (None, PROXY), (SHOP, "127.0.0.1"), (SHOP, "192.0.2.1")):
        refused = await redeemed(door, shown, via=via)
        assert (refused.status, refused.json()["error"]) == (401, "invalid_client"), (shown, via)


async def test_a_self_signed_certificate_is_known_by_itself(door: Door) -> None:
    """Section 2.2: the very certificate that was registered in the client's keys, whoever signed it."""
    mine = certified("anything")
    jwk = msgspec.to_builtins(jose.VerifyKey(mine.key.public_key(), jose.Alg.ES256).jwk)
    keys = msgspec.json.encode({"keys": [{**jwk, "x5c": [base64.b64encode(mine.der).decode()]}]}).decode()
    await change(door, "shop", auth_method=AuthMethod.SELF_SIGNED_TLS, jwks=keys)
    assert (await redeemed(door, mine)).status == 200
    for shown in (certified("anything"), SHOP, None):
        assert (await redeemed(door, shown)).status == 401


async def test_tokens_are_bound_to_the_certificate(door: Door) -> None:
    """Section 3: `cnf` tells the thumbprint; with another certificate, or none, the token is worth nothing, and a refresh needs it too."""
    await change(door, "shop", auth_method=AuthMethod.TLS, tls_client_auth_subject_dn="CN=shop.example", tls_client_certificate_bound_access_tokens=True)
    body = (await redeemed(door, SHOP)).json()
    assert body["token_type"] == "Bearer"
    assert jose.peek(body["access_token"]).claims["cnf"] == {"x5t#S256": certificate_thumbprint(SHOP.der)}
    looked = (await call(door, "/oauth/introspect", {"token": body["access_token"], "client_id": "shop"}, SHOP)).json()
    assert looked["cnf"] == {"x5t#S256": certificate_thumbprint(SHOP.der)}
    proxy = Client(door.app, BASE, address=PROXY)
    bearer = {"authorization": f"Bearer {body['access_token']}"}
    assert (await proxy.get("/oauth/userinfo", headers={**bearer, **field(SHOP)})).status == 200
    for headers in (bearer, {**bearer, **field(OTHER)}, {**bearer, **field(FORGED)}):
        refused = await proxy.get("/oauth/userinfo", headers=headers)
        assert (refused.status, refused.json()["error"]) == (401, "invalid_token")
    straight = await door.calls.get("/oauth/userinfo", headers={**bearer, **field(SHOP)})
    assert straight.status == 401
    form = {"grant_type": "refresh_token", "refresh_token": body["refresh_token"], "client_id": "shop"}
    assert (await call(door, "/oauth/token", form, OTHER)).status == 401
    again = (await call(door, "/oauth/token", form, SHOP)).json()
    assert jose.peek(again["access_token"]).claims["cnf"] == {"x5t#S256": certificate_thumbprint(SHOP.der)}


async def test_a_bound_client_has_to_bring_its_certificate(door: Door) -> None:
    """Section 3: one that proves itself by a secret and wants bound tokens connects with a certificate all the same."""
    await change(door, "shop", tls_client_certificate_bound_access_tokens=True)
    person = await door.person()
    refused = await door.redeem(await door.code(person))
    assert (refused.status, refused.json()["error"]) == (400, "invalid_request")


async def test_other_addresses_for_certificates_are_told(door: Door) -> None:
    """Section 5: where the tenant has them, each endpoint to which a client comes with its certificate."""
    plain = (await door.calls.get("/.well-known/openid-configuration")).json()
    assert "mtls_endpoint_aliases" not in plain
    await door.set("oauth", mtls_base="https://mtls.example.com")
    told = (await door.calls.get("/.well-known/openid-configuration")).json()["mtls_endpoint_aliases"]
    assert told["token_endpoint"] == "https://mtls.example.com/oauth/token"
    assert "authorization_endpoint" not in told
