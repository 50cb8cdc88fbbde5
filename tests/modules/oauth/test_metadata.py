"""Metadata and keys: OpenID Connect Discovery 1.0, RFC 8414, RFC 7517."""

from __future__ import annotations

from dataclasses import replace

import pytest

from limen.app.compose import install
from limen.modules import tenants
from limen.modules.oauth.token import GRANTS
from limen.platform.wire import jose
from limen.platform.wire.jose import Alg, KeySet
from tests.modules.oauth.conftest import BASE, RIVAL, Door

pytestmark = pytest.mark.anyio

OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"


async def test_both_documents_say_the_same_of_each_tenant(door: Door) -> None:
    """RFC 8414 puts its name between host and path, Discovery behind the issuer."""
    mine = await door.calls.get(OPENID)
    assert mine.json() == (await door.calls.get(OAUTH)).json()
    assert mine.json()["issuer"] == BASE
    theirs = await door.calls.get(f"/t/rival{OPENID}")
    assert theirs.json() == (await door.calls.get(f"{OAUTH}/t/rival")).json()
    assert theirs.json()["issuer"] == RIVAL
    assert theirs.json()["token_endpoint"] == f"{RIVAL}/oauth/token"
    assert mine.headers["access-control-allow-origin"] == "*"
    assert "max-age" in mine.headers["cache-control"]


async def test_it_claims_only_what_exists(door: Door) -> None:
    """Every endpoint it names is there, and nothing is named that is not."""
    document = (await door.calls.get(OPENID)).json()
    paths = {one.path for one in install()}
    named = {value.removeprefix(BASE) for name, value in document.items() if name.endswith("_endpoint") or name == "jwks_uri"}
    assert named <= paths
    assert document["response_types_supported"][0] == "code"
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert set(document["grant_types_supported"]) == {*GRANTS, "implicit"}
    assert document["authorization_response_iss_parameter_supported"] is True
    assert document["require_request_uri_registration"] is True
    assert {"openid", "offline_access", "read", "limen:accounts:read"} <= set(document["scopes_supported"])
    assert document["prompt_values_supported"] == ["none", "login", "consent", "select_account", "create"]
    assert "none" in document["token_endpoint_auth_methods_supported"]
    assert "none" not in document["introspection_endpoint_auth_methods_supported"]


async def test_it_follows_the_tenant(door: Door) -> None:
    """A language or scope that is set shows at once: the octets are kept only while the tenant is the same."""
    assert (await door.calls.get(OPENID)).json()["ui_locales_supported"] == ["en", "de", "ar"]
    async with door.world.work() as work:
        await tenants.save(work, replace(await tenants.find(work), languages=("de",)))
    assert (await door.calls.get(OPENID)).json()["ui_locales_supported"] == ["de"]


async def test_tokens_verify_with_the_keys_shown(door: Door) -> None:
    """As a stranger would do it: fetch, parse, verify; no private part is among them."""
    document = (await door.calls.get(OPENID)).json()
    answer = await door.calls.get(document["jwks_uri"])
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert all("d" not in key for key in answer.json()["keys"])
    shown = KeySet.parse(answer.body, [Alg(name) for name in document["id_token_signing_alg_values_supported"]])
    body = await door.tokens(await door.person())
    assert jose.verify_jwt(body["id_token"], shown, typ=("jwt",)).claims["iss"] == BASE
    assert jose.verify_jwt(body["access_token"], shown, typ=("at+jwt",)).claims["iss"] == BASE


async def test_a_tenant_that_never_signed_has_a_key_when_asked(door: Door) -> None:
    """An app that reads the keys at its start finds the one that will sign; a tenant may choose another algorithm."""
    await door.set("keys", algorithms=["Ed25519"])
    first = (await door.calls.get("/oauth/jwks")).json()
    body = await door.tokens(await door.person())
    assert jose.peek(body["id_token"]).header.alg == "Ed25519"
    assert jose.peek(body["access_token"]).header.alg == "Ed25519"
    assert jose.peek(body["id_token"]).header.kid in {key["kid"] for key in first["keys"]}
    assert (await door.calls.get(OPENID)).json()["id_token_signing_alg_values_supported"] == ["Ed25519"]
    assert await door.active(body["access_token"])


async def test_the_documents_have_what_is_required(door: Door) -> None:
    """RFC 8414, 2 and 3.2; Discovery 1.0, 3 and 4.2: as JSON, every required member, no empty list, every address below the issuer, GET alone."""
    for issuer in (BASE, RIVAL):
        answer = await door.calls.get(f"{issuer}{OPENID}")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        document = answer.json()
        required = {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported", "subject_types_supported"}
        required |= {"id_token_signing_alg_values_supported", "userinfo_endpoint", "scopes_supported", "claims_supported", "grant_types_supported"}
        required |= {"code_challenge_methods_supported", "end_session_endpoint", "revocation_endpoint", "introspection_endpoint"}
        assert required <= document.keys()
        assert document["issuer"] == issuer
        assert all(value != [] and value is not None for value in document.values())
        assert all(isinstance(value, str) and value.startswith(f"{issuer}/") for name, value in document.items() if name.endswith(("_endpoint", "_uri")))
        assert {document["request_parameter_supported"], document["claims_parameter_supported"]} == {True}
        assert "openid" in document["scopes_supported"]
        assert {"sub", "iss", "auth_time", "acr", "email", "email_verified", "name", "address", "phone_number"} <= set(document["claims_supported"])
        assert "plain" not in document["code_challenge_methods_supported"]


async def test_a_key_says_what_it_is_for_and_nothing_more(door: Door) -> None:
    """RFC 7517, 4 and 5; RFC 7518, 6; RFC 9864: type, use, algorithm and a name of its own, public members only."""
    found: list[dict[str, str]] = []
    for alg, members in (("ES256", {"crv", "x", "y"}), ("RS256", {"n", "e"}), ("Ed25519", {"crv", "x"})):
        await door.set("keys", algorithms=[alg])
        found = (await door.calls.get("/oauth/jwks")).json()["keys"]
        (key,) = [key for key in found if key["alg"] == alg]
        assert set(key) == {"kty", "use", "alg", "kid"} | members
        assert key["use"] == "sig"
    assert len({key["kid"] for key in found}) == len(found) == 3
    assert {(key["kty"], key.get("crv")) for key in found} == {("EC", "P-256"), ("RSA", None), ("OKP", "Ed25519")}
