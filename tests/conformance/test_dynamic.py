"""`oidcc-config`, `oidcc-dynamic` and `oidcc-3rdparty-init-login`: clients that register themselves, module by module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from tests.conformance import registering as m
from tests.conformance import signing_in
from tests.conformance.host import Host
from tests.conformance.registering import Module, Registrar
from tests.conformance.suite import Suite

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plans-dynamic")]

TYPES: Final = ("code", "id_token", "id_token token", "code id_token", "code token", "code id_token token")
DYNAMIC: Final[Mapping[str, Module]] = {
    "oidcc-idtoken-rs256": m.idtoken_rs256,
    "oidcc-idtoken-unsigned": m.idtoken_unsigned,
    "oidcc-userinfo-rs256": m.userinfo_rs256,
    "oidcc-ensure-redirect-uri-in-authorization-request": m.redirect_uri_missing,
    "oidcc-redirect-uri-query-OK": m.query_ok,
    "oidcc-redirect-uri-query-mismatch": m.query_mismatch,
    "oidcc-redirect-uri-query-added": m.query_added,
    "oidcc-redirect-uri-regfrag": m.fragment,
    "oidcc-registration-logo-uri": m.logo_uri,
    "oidcc-registration-policy-uri": m.policy_uri,
    "oidcc-registration-tos-uri": m.tos_uri,
    "oidcc-registration-jwks-uri": m.jwks_uri,
    "oidcc-registration-sector-uri": m.sector_uri,
    "oidcc-registration-sector-bad": m.sector_bad,
    "oidcc-server-rotate-keys": m.rotate_keys,
    "oidcc-refresh-token-rp-key-rotation": m.rp_key_rotation,
    "oidcc-request-uri-unsigned": m.of(signing_in.request_uri_unsigned),
    "oidcc-request-uri-signed-rs256": m.request_uri_signed,
    "oidcc-ensure-request-object-with-redirect-uri": m.of(signing_in.request_object_redirect_uri),
    "oidcc-refresh-token": m.of(signing_in.refresh_token, grant_types=["authorization_code", "refresh_token"]),
    "oidcc-ensure-client-assertion-with-iss-aud-succeeds": m.assertion_for_issuer,
}
INITIATED: Final[Mapping[str, Module]] = {
    "oidcc-3rd_party-init-login": m.initiate_login,
    "oidcc-3rd_party-init-login-nohttps": m.initiate_login_http,
}
CASES: Final = [
    *(pytest.param("code", "private_key_jwt", module, id=f"oidcc-dynamic/code/{name}") for name, module in DYNAMIC.items()),
    *(pytest.param(types, "private_key_jwt", m.server, id=f"oidcc-dynamic/{types.replace(' ', '+')}/oidcc-server") for types in TYPES),
    *(pytest.param("code", method, m.server, id=f"oidcc-basic/{method}/oidcc-server") for method in ("client_secret_basic", "client_secret_post")),
    *(pytest.param("code", "client_secret_basic", module, id=f"oidcc-3rdparty-init-login/{name}") for name, module in INITIATED.items()),
]


@pytest.mark.parametrize(("types", "method", "module"), CASES)
def test_plan(suite: Suite, host: Host, types: str, method: str, module: Module) -> None:
    """What a module of the suite's dynamic plans expects happens, with a client that registered itself a moment ago."""
    module(Registrar(suite, host, types, method))


def test_the_discovery_document(suite: Suite) -> None:
    """`oidcc-discovery-endpoint-verification`, of `oidcc-config` and `oidcc-dynamic`: what must be there is, of the type it must be, on https."""
    answer = suite.http.get(f"{suite.issuer}/.well-known/openid-configuration")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    said: dict[str, Any] = answer.json()
    assert said["issuer"] == suite.issuer
    assert not urlsplit(said["issuer"]).query
    assert {"code", "id_token", "id_token token"} <= set(said["response_types_supported"])
    assert {"public", "pairwise"} == set(said["subject_types_supported"])
    assert "RS256" in said["id_token_signing_alg_values_supported"]
    assert "RS256" in said["request_object_signing_alg_values_supported"]
    assert {"authorization_code", "implicit"} <= set(said["grant_types_supported"])
    assert "openid" in said["scopes_supported"]
    assert said["code_challenge_methods_supported"] == ["S256"]
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "registration_endpoint", "end_session_endpoint"):
        assert said[name].startswith("https://"), name
    for name, value in said.items():
        if name.endswith("_supported") and not isinstance(value, bool):
            assert value, name
            assert len(value) == len(set(value)), name
    for name in ("request_parameter_supported", "request_uri_parameter_supported", "claims_parameter_supported"):
        assert said[name] is True
    kids = [one["kid"] for one in suite.http.get(said["jwks_uri"]).json()["keys"]]
    assert len(kids) == len(set(kids)) > 0
