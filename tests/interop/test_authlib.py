"""Authlib, the Python client library most applications use, against a running server."""

from __future__ import annotations

import re
import warnings

import pytest

from tests.rig.server import LimenServer
from tests.rig.walker import Walker

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Authlib's own deprecations
    from authlib.integrations.httpx_client import OAuth2Client
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwt
    from joserfc.jwk import KeySet

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("interop")]


def test_authlib_completes_code_refresh_and_sign_out(server: LimenServer, customer: dict[str, str]) -> None:
    """Authlib with PKCE and client_secret_basic gets tokens, reads claims, refreshes, revokes, and signs out at the provider."""
    back_to = "http://127.0.0.1:9009/callback"
    with OAuth2Client(
        "shop", "a secret of the shop that only tests know", scope="openid profile email offline_access", redirect_uri=back_to, code_challenge_method="S256"
    ) as client:
        metadata = client.request("GET", f"{server.issuer}/.well-known/openid-configuration", withhold_token=True).json()
        verifier = "a verifier of more than forty-three characters, as RFC 7636 wants".replace(" ", "-").replace(",", "")
        url, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier, nonce="n-1")
        walker = Walker()
        back = walker.walk(url, customer, re.compile("^" + re.escape(back_to)))
        assert isinstance(back, str)
        token = client.fetch_token(metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier)

        keys = KeySet.import_key_set(client.request("GET", metadata["jwks_uri"], withhold_token=True).json())
        claims = CodeIDToken(jwt.decode(token["id_token"], keys, algorithms=["ES256"]).claims, {}, params={"nonce": "n-1", "client_id": "shop"})
        claims.validate(leeway=10)
        assert claims["iss"] == server.issuer
        assert client.get(metadata["userinfo_endpoint"]).json()["email"] == customer["identifier"]

        fresh = client.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
        assert fresh["access_token"] != token["access_token"]
        assert client.introspect_token(metadata["introspection_endpoint"], token=fresh["access_token"]).json()["active"] is True
        client.revoke_token(metadata["revocation_endpoint"], token=fresh["refresh_token"])
        assert client.introspect_token(metadata["introspection_endpoint"], token=fresh["access_token"]).json()["active"] is False

    away = walker.walk(
        f"{metadata['end_session_endpoint']}?id_token_hint={token['id_token']}&post_logout_redirect_uri=http://127.0.0.1:9009/bye&state=s",
        {},
        re.compile("/bye"),
    )
    assert away == "http://127.0.0.1:9009/bye?state=s"
