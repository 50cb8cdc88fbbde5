"""Authlib with the newer features, over https behind HAProxy: signed requests, signed answers, encrypted id_tokens, certificates, devices."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from limen.app.demo.people import PASSWORD, PEOPLE
from tests.interop.modern import CALLBACK, Keys
from tests.rig.fronted import Fronted

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Authlib's own deprecations
    from authlib.integrations.httpx_client import OAuth2Client
    from authlib.oauth2.rfc7523 import PrivateKeyJWT
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwe, jwt
    from joserfc.jwk import KeySet

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("interop")]

VERIFIER = "a-verifier-of-more-than-forty-three-characters-as-RFC-7636-wants"
PERSON = {"identifier": PEOPLE[0].email, "password": PASSWORD}
LANDED = re.compile("^" + re.escape(CALLBACK))


@pytest.fixture
def metadata(front: Fronted) -> Iterator[dict[str, Any]]:
    """What the server says of itself."""
    with front.app() as app:
        yield app.get(f"{front.issuer}/.well-known/openid-configuration").json()


def keys_of(client: OAuth2Client, metadata: dict[str, Any]) -> KeySet:
    return KeySet.import_key_set(client.request("GET", metadata["jwks_uri"], withhold_token=True).json())


def request_object(keys: Keys, front: Fronted, url: str) -> str:
    """Sign the parameters of a request that Authlib made."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    now = int(time.time())
    said = {**asked, "iss": asked["client_id"], "aud": front.issuer, "iat": now, "nbf": now, "exp": now + 300, "response_mode": "jwt"}
    return jwt.encode({"alg": "ES256", "kid": "sign", "typ": "oauth-authz-req+jwt"}, said, keys.sign)


def test_authlib_signs_its_requests_and_reads_signed_and_encrypted_answers(front: Fronted, keys: Keys, metadata: dict[str, Any]) -> None:
    """Authlib's own private_key_jwt, meant for the token endpoint, is taken from a client marked legacy; answers are signed, and id_tokens sealed."""
    with OAuth2Client(
        *("web", keys.sign, "private_key_jwt", "private_key_jwt"),
        scope="openid email offline_access",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        verify=front.tls(),
    ) as client:
        client.register_client_auth_method(PrivateKeyJWT(metadata["token_endpoint"], headers={"kid": "sign"}, alg="ES256"))
        url, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=VERIFIER, nonce="n-1")
        wrapped = urlencode({"client_id": "web", "request": request_object(keys, front, url)})
        back = front.browser().walk(f"{metadata['authorization_endpoint']}?{wrapped}", PERSON, LANDED)
        assert isinstance(back, str)
        ours = keys_of(client, metadata)
        said = jwt.decode(parse_qs(urlsplit(back).query)["response"][0], ours, algorithms=["ES256"]).claims
        assert (said["iss"], said["aud"], said["state"]) == (front.issuer, "web", state)
        plain = f"{CALLBACK}?{urlencode({'code': said['code'], 'state': said['state']})}"
        token = client.fetch_token(metadata["token_endpoint"], authorization_response=plain, state=state, code_verifier=VERIFIER)

        inner = jwe.decrypt_compact(token["id_token"], keys.open, algorithms=["ECDH-ES+A256KW", "A256GCM"])
        assert inner.plaintext is not None
        claims = CodeIDToken(jwt.decode(inner.plaintext.decode(), ours, algorithms=["ES256"]).claims, {}, params={"nonce": "n-1", "client_id": "web"})
        claims.validate(leeway=10)
        assert client.get(metadata["userinfo_endpoint"]).json()["sub"] == claims["sub"]
        fresh = client.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
        assert client.introspect_token(metadata["introspection_endpoint"], token=fresh["access_token"]).json()["active"] is True
        client.revoke_token(metadata["revocation_endpoint"], token=fresh["refresh_token"])
        assert client.introspect_token(metadata["introspection_endpoint"], token=fresh["access_token"]).json()["active"] is False


def test_authlib_with_a_certificate(front: Fronted, metadata: dict[str, Any]) -> None:
    """Authlib over a connection with a certificate pushes its request, gets tokens bound to it, and nobody without it is told anything by them."""
    there = metadata["mtls_endpoint_aliases"]
    with OAuth2Client(
        *("vault", None, "none"),
        scope="openid email offline_access",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        verify=front.tls(front.client("vault")),
    ) as client:
        url, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=VERIFIER, nonce="n-1")
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        pushed = client.request("POST", there["pushed_authorization_request_endpoint"], data=asked, withhold_token=True)
        assert pushed.status_code == 201
        short = urlencode({"client_id": "vault", "request_uri": pushed.json()["request_uri"]})
        back = front.browser().walk(f"{metadata['authorization_endpoint']}?{short}", PERSON, LANDED)
        token = client.fetch_token(there["token_endpoint"], authorization_response=back, state=state, code_verifier=VERIFIER)
        assert client.get(there["userinfo_endpoint"]).json()["email"] == PERSON["identifier"]
        assert client.refresh_token(there["token_endpoint"], refresh_token=token["refresh_token"])["access_token"] != token["access_token"]
    with front.app() as thief:
        headers = {"authorization": f"Bearer {token['access_token']}"}
        assert [thief.get(one, headers=headers).status_code for one in (there["userinfo_endpoint"], metadata["userinfo_endpoint"])] == [401, 401]


def test_authlib_as_a_television(front: Fronted, metadata: dict[str, Any]) -> None:
    """Authlib gets the tokens of a device whose code was typed on a page elsewhere."""
    with OAuth2Client("tv", token_endpoint_auth_method="none", verify=front.tls()) as client:
        begun = {"client_id": "tv", "scope": "openid email"}
        shown = client.request("POST", metadata["device_authorization_endpoint"], data=begun, withhold_token=True).json()
        done = front.browser().walk(shown["verification_uri"], {**PERSON, "user_code": shown["user_code"]}, re.compile("/device/done"))
        assert not isinstance(done, str)
        assert done.status == 200
        client.fetch_token(metadata["token_endpoint"], grant_type="urn:ietf:params:oauth:grant-type:device_code", device_code=shown["device_code"])
        assert client.get(metadata["userinfo_endpoint"]).json()["email"] == PERSON["identifier"]


def test_authlib_asks_a_person_who_is_elsewhere(front: Fronted, keys: Keys, metadata: dict[str, Any]) -> None:
    """Authlib has no word for the back channel, and needs none: its own authentication and grants suffice (CIBA Core 1.0)."""
    with OAuth2Client("till", keys.sign, "private_key_jwt", verify=front.tls()) as client:
        client.register_client_auth_method(PrivateKeyJWT(front.issuer, headers={"kid": "sign"}, alg="ES256"))
        auth = client.client_auth("private_key_jwt")
        asked = {"scope": "openid email", "login_hint": PERSON["identifier"], "binding_message": "W4SCT"}
        begun = client.request("POST", metadata["backchannel_authentication_endpoint"], data=asked, auth=auth).json()
        yes = {"auth_req_id": begun["auth_req_id"], "account": PERSON["identifier"], "decision": "approve"}
        client.request("POST", f"{front.issuer}/dev/approve", json=yes, withhold_token=True)
        client.fetch_token(metadata["token_endpoint"], grant_type="urn:openid:params:grant-type:ciba", auth_req_id=begun["auth_req_id"])
        assert client.get(metadata["userinfo_endpoint"]).json()["email"] == PERSON["identifier"]


def test_authlib_registers_itself(front: Fronted, metadata: dict[str, Any]) -> None:
    """Authlib signs somebody in as the client that registered itself a moment ago (RFC 7591)."""
    with front.app() as app:
        made = app.post(metadata["registration_endpoint"], json={"redirect_uris": [CALLBACK], "client_name": "A stranger"})
        assert made.status_code == 201, made.text
        new = made.json()
    with OAuth2Client(
        new["client_id"],
        new["client_secret"],
        new["token_endpoint_auth_method"],
        scope="openid email",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        verify=front.tls(),
    ) as client:
        url, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=VERIFIER)
        back = front.browser().walk(url, PERSON, LANDED)
        client.fetch_token(metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=VERIFIER)
        assert client.get(metadata["userinfo_endpoint"]).json()["email"] == PERSON["identifier"]
