"""What the extensions of OAuth ask beside their attacks: metadata, shapes of answers, requests by reference, resources named."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from limen.modules.clients import AuthMethod
from limen.platform.wire import jose
from tests.modules.oauth.conftest import API, BASE, CALLBACK, SECRET, VAULT, Door, answered, asked, basic
from tests.modules.oauth.test_exchange import exchange, served
from tests.modules.oauth.test_pushed import KEY, assertion, jwks, push, request_object
from tests.rig.ear import listening

pytestmark = pytest.mark.anyio

__all__ = ["served"]

DOCUMENT = "/.well-known/openid-configuration"


async def test_the_metadata_tell_of_every_extension(door: Door) -> None:
    """RFC 9126, 5; RFC 9101, 10.5; JARM, 4; RFC 9396, 10; RFC 8705, 3.3; RFC 9449, 5.1; RFC 9470, 7; RFC 9701, 7; Session, Front, Back."""
    await door.set("oauth", details=[{"type": "payment", "words": "Pay"}])
    told = (await door.calls.get(DOCUMENT)).json()
    for name, path in (
        ("pushed_authorization_request_endpoint", "/oauth/par"),
        ("device_authorization_endpoint", "/oauth/device_authorization"),
        ("backchannel_authentication_endpoint", "/oauth/backchannel_authentication"),
        ("revocation_endpoint", "/oauth/revoke"),
        ("introspection_endpoint", "/oauth/introspect"),
        ("end_session_endpoint", "/oauth/logout"),
        ("check_session_iframe", "/oauth/check_session"),
        ("registration_endpoint", "/oauth/register"),
    ):
        assert told[name] == BASE + path
    assert told["authorization_details_types_supported"] == ["payment"]
    assert told["require_pushed_authorization_requests"] is False
    assert told["tls_client_certificate_bound_access_tokens"] is True
    assert {"query.jwt", "fragment.jwt", "form_post.jwt", "jwt", "form_post"} <= set(told["response_modes_supported"])
    assert {"public", "pairwise"} == set(told["subject_types_supported"])
    assert told["acr_values_supported"]
    for name in ("token", "revocation", "introspection"):  # RFC 8414, 2: where a method signs, the algorithms are told
        assert "private_key_jwt" in told[f"{name}_endpoint_auth_methods_supported"]
        assert "ES256" in told[f"{name}_endpoint_auth_signing_alg_values_supported"]
    every = [value for name, value in told.items() if name.endswith("_alg_values_supported")]
    assert len(every) > 10
    assert all("none" not in value for value in every)
    assert "HS256" not in {*told["dpop_signing_alg_values_supported"], *told["request_object_signing_alg_values_supported"]}
    assert set(told["dpop_signing_alg_values_supported"]) <= {"ES256", "PS256", "RS256", "Ed25519", "EdDSA"}


@pytest.fixture
async def keyed(door: Door) -> Door:
    """The shop has a key of its own."""
    await door.change("shop", auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks=jwks(KEY))
    return door


async def test_a_push_is_answered_as_it_has_to_be(keyed: Door) -> None:
    """RFC 9126, 2, 2.2 and 2.3: POST of a form alone; 201, not to be kept, a name of 256 bits that nobody guesses, five seconds to ten minutes."""
    first, second = await push(keyed), await push(keyed)
    for made in (first, second):
        assert (made.status, made.headers["cache-control"]) == (201, "no-store")
        assert 5 <= made.json()["expires_in"] <= 600
        name = made.json()["request_uri"]
        assert name.startswith("urn:ietf:params:oauth:request_uri:")
        assert len(name.rpartition(":")[2]) >= 43
    assert first.json()["request_uri"] != second.json()["request_uri"]
    assert (await keyed.calls.get("/oauth/par")).status == 405
    assert (await keyed.calls.post("/oauth/par", form={**asked("shop", state="x" * 200_000), **assertion(keyed)})).status == 413
    doubled = urlencode({**asked("shop"), **assertion(keyed)}) + "&scope=openid"
    sent = await keyed.calls.send("POST", "/oauth/par", doubled.encode(), {"content-type": "application/x-www-form-urlencoded"})
    assert (sent.status, sent.json()["error"]) == (400, "invalid_request")


async def test_a_pushed_object_is_the_pushers_own(keyed: Door) -> None:
    """RFC 9126, 3: who authenticates and whom the object names are one; a public client of the same tenant cannot push it either."""
    assert (await push(keyed, request=request_object(keyed))).status == 201
    other = await keyed.call("/oauth/par", auth="old", request=request_object(keyed))
    assert (other.status, other.json()["error"]) == (400, "invalid_request_object")
    public = await keyed.call("/oauth/par", auth="spa", request=request_object(keyed))
    assert (public.status, public.json()["error"]) == (400, "invalid_request_object")


async def test_a_request_may_stand_at_a_registered_address(keyed: Door) -> None:
    """RFC 9101, 5.2 and OpenID Connect Core 1.0, 6.2: read where the client registered it, a fragment apart; from nowhere else, and it must be the object."""
    person = await keyed.person()
    async with listening() as ear:
        uri = ear.uri("/request.jwt")
        await keyed.change("shop", request_uris=(uri,))

        async def by(reference: str, **beside: Any) -> dict[str, str]:
            query = {"client_id": "shop", "redirect_uri": CALLBACK, "request_uri": reference, **beside}
            return answered(await person.browser.get(f"/oauth/authorize?{urlencode(query)}", follow=False))

        ear.says(200, 200, body=request_object(keyed, scope="openid").encode())
        assert "code" in await by(uri, scope="openid email")
        assert "code" in await by(f"{uri}#sha-256")
        assert ear.lines == ["GET /request.jwt HTTP/1.1"] * 2
        for strange in (ear.uri("/other.jwt"), f"{uri}?x=1", f"{uri}/", uri.replace("127.0.0.1", "localhost")):
            assert (await by(strange))["error"] == "invalid_request_uri"
        assert (await by(uri, request=request_object(keyed)))["error"] == "invalid_request"
        assert len(ear.lines) == 2
        for status, body, error in ((404, b"", "invalid_request_uri"), (302, b"", "invalid_request_uri"), (200, b"<html>", "invalid_request_object")):
            ear.says(status, body=body)
            assert (await by(uri))["error"] == error


async def test_an_app_names_the_apis_it_wants_tokens_for(door: Door) -> None:
    """RFC 8707, 2, 2.1 and 2.2: one or several, known, absolute and whole; each token for one of them, never for what was not named."""
    person = await door.person()
    for wrong in ("https://unknown.example", f"{API}#x", "/relative", f"{API}/", "urn:x"):
        assert answered(await door.ask(person.browser, resource=wrong))["error"] == "invalid_target", wrong
    assert answered(await door.ask(person.browser, resource=VAULT, scope="read"))["error"] == "invalid_target"
    both = f"/oauth/authorize?{urlencode(asked(scope='openid offline_access read open'))}&{urlencode([('resource', API), ('resource', VAULT)])}"
    code = answered(await person.browser.get(both, follow=False))["code"]
    body = (await door.redeem(code, resource=API)).json()
    assert jose.peek(body["access_token"]).claims["aud"] == [API, BASE]
    assert "open" not in body["scope"].split()
    vault = (await door.refresh(body["refresh_token"], resource=VAULT)).json()
    looked = (await door.call("/oauth/introspect", auth="orders-api", token=vault["access_token"])).json()
    assert (VAULT in looked["aud"], API in looked["aud"]) == (True, False)
    narrow = (await door.redeem(await door.code(person, resource=API, scope="offline_access read"))).json()
    assert (await door.refresh(narrow["refresh_token"], resource=VAULT)).json()["error"] == "invalid_target"


async def test_an_exchange_is_answered_as_it_has_to_be(served: Door) -> None:
    """RFC 8693, 2.1 and 2.2.1: the client proves itself; kind, type and lifetime are told, nothing is kept; an actor's type stands with its token alone."""
    body = await served.tokens(await served.person(), scope="openid read")
    answer = await exchange(served, body["access_token"])
    assert {"access_token", "issued_token_type", "token_type", "expires_in", "scope"} == answer.json().keys()
    assert (answer.json()["token_type"], answer.headers["cache-control"]) == ("Bearer", "no-store")
    alone = await exchange(served, body["access_token"], actor_token_type="urn:ietf:params:oauth:token-type:access_token")
    assert alone.json()["error"] == "invalid_request"
    wrong = await served.token(auth="orders", secret="wrong", grant_type="urn:ietf:params:oauth:grant-type:token-exchange", subject_token="x")
    assert (wrong.status, wrong.json()["error"]) == (401, "invalid_client")
    for missing in ({"subject_token": body["access_token"]}, {"subject_token_type": "urn:ietf:params:oauth:token-type:access_token"}):
        refused = await served.token(auth="orders", grant_type="urn:ietf:params:oauth:grant-type:token-exchange", **missing)
        assert refused.json()["error"] == "invalid_request"


async def test_a_resource_learns_how_somebody_signed_in(door: Door) -> None:
    """RFC 9470, 4, 6.1 and 6.2: `acr` and `auth_time` stand in the token and in introspection; the class asked for is reached or the app is told."""
    person = await door.person(acr="aal1", ago=100)
    body = await door.tokens(person, scope="openid read")
    said: dict[str, Any] = dict(jose.peek(body["access_token"]).claims)
    looked = (await door.call("/oauth/introspect", auth="orders-api", token=body["access_token"])).json()
    for told in (said, looked):
        assert told["acr"] == "aal1"
        assert int(door.world.clock.now().timestamp()) - int(told["auth_time"]) >= 100
    assert answered(await door.ask(person.browser, prompt="none", max_age="50"))["error"] == "login_required"
    assert answered(await door.ask(person.browser, prompt="none", acr_values="aal2"))["error"] in ("login_required", "unmet_authentication_requirements")
    signed = await door.calls.post(
        "/oauth/introspect",
        form={"token": body["access_token"]},
        headers={"authorization": basic("shop", SECRET), "accept": "application/token-introspection+jwt"},
    )
    assert set(jose.peek(signed.text).claims) == {"iss", "aud", "iat", "token_introspection"}
