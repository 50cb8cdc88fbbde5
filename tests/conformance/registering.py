"""Modules of the plans with dynamic registration: what each of the suite's modules registers, and what it expects."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx2
from joserfc.jwk import KeySet, RSAKey

from tests.conformance import signing_in
from tests.conformance.host import Host
from tests.conformance.suite import CALLBACK, HOST, App, Identity, Suite, header, stays

BITS: Final = 2048
FETCHED_AGAIN: Final = 61
"""Seconds after which a client's keys are fetched anew; the suite waits as long."""


SHOWN: Final = 15
"""Seconds after which a new key signs, in dev mode."""


@dataclass
class Registrar:
    """Registers clients with a server, as the suite does."""

    suite: Suite
    host: Host
    response_type: str = "code"
    method: str = "private_key_jwt"

    def body(self, key: RSAKey, **changes: Any) -> dict[str, Any]:
        """Return what is sent; what is changed to None is left out."""
        types = self.response_type.split()
        grants = ["authorization_code"] if "code" in types else []
        usual = {
            "client_name": "A client of the suite",
            "grant_types": grants + (["implicit"] if {"id_token", "token"} & set(types) else []),
            "jwks": KeySet([key]).as_dict(private=False),
            "token_endpoint_auth_method": self.method,
            "response_types": [self.response_type],
            "redirect_uris": [CALLBACK],
            "contacts": ["certification@suite.example"],
        }
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def sent(self, **changes: Any) -> httpx2.Response:
        """Register with a key of the client's own."""
        return self.suite.http.post(self.suite.metadata["registration_endpoint"], json=self.body(new_key(), **changes))

    def app(self, key: RSAKey | None = None, **changes: Any) -> App:
        """Register what is good, and return the client with a browser that nobody used."""
        return self.told(key, **changes)[0]

    def told(self, key: RSAKey | None = None, **changes: Any) -> tuple[App, dict[str, Any]]:
        """Likewise, with what the server said (OpenID Connect Registration 1.0, section 3.2)."""
        signs = key or new_key()
        body = self.body(signs, **changes)
        answer = self.suite.http.post(self.suite.metadata["registration_endpoint"], json=body)
        assert answer.status_code == 201, answer.text
        assert answer.headers["content-type"].startswith("application/json")
        said = answer.json()
        assert said["client_id"]
        assert ("client_secret" in said) == (said["token_endpoint_auth_method"].startswith("client_secret"))
        assert said["registration_client_uri"].startswith("https://")
        for name, value in body.items():
            assert said[name] == value, name
        who = Identity(said["client_id"], said["token_endpoint_auth_method"], said.get("client_secret", ""), signs, "RS256")
        return App(self.suite, who, self.response_type, redirect_uri=body.get("redirect_uris", [""])[0], audience=self.suite.metadata["token_endpoint"]), said

    def gone(self, said: dict[str, Any]) -> None:
        """Unregister, as the suite does at the end of each module (RFC 7592, section 2.3)."""
        headers = {"authorization": f"Bearer {said['registration_access_token']}"}
        assert self.suite.http.delete(said["registration_client_uri"], headers=headers).status_code == 204
        assert self.suite.http.get(said["registration_client_uri"], headers=headers).status_code == 401


Module = Callable[[Registrar], None]


def new_key() -> RSAKey:
    """Return a key for RS256."""
    return RSAKey.generate_key(BITS, {"use": "sig"}, private=True, auto_kid=True)


def refused(answer: httpx2.Response, *codes: str) -> None:
    """A registration was refused as RFC 7591, section 3.2.2, says."""
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["error"] in codes


def server(plan: Registrar) -> None:
    """What registered itself signs somebody in, and unregisters."""
    app, said = plan.told()
    app.whole()
    plan.gone(said)


def of(module: signing_in.Module, **metadata: Any) -> Module:
    """Play a module of the static plans with a client that registered itself."""

    def played(plan: Registrar) -> None:
        """As with a static client."""
        module(plan.app(**metadata))

    return played


def idtoken_rs256(plan: Registrar) -> None:
    """RS256 where it was registered."""
    app = plan.app(id_token_signed_response_alg="RS256")
    assert {header(token)["alg"] for token in signing_in.ids(app)} == {"RS256"}


def idtoken_unsigned(plan: Registrar) -> None:
    """`none` is not offered, and not taken."""
    assert "none" not in plan.suite.metadata["id_token_signing_alg_values_supported"]
    refused(plan.sent(id_token_signed_response_alg="none"), "invalid_client_metadata")


def userinfo_rs256(plan: Registrar) -> None:
    """Userinfo as a JWT for the client, signed with RS256."""
    assert "RS256" in plan.suite.metadata["userinfo_signing_alg_values_supported"]
    app = plan.app(userinfo_signed_response_alg="RS256")
    asked = app.asked()
    tokens = app.redeemed(app.go(asked), asked["nonce"])
    answer = app.userinfo(tokens.access)
    assert answer.headers["content-type"].startswith("application/jwt")
    assert header(answer.text)["alg"] == "RS256"
    said = plan.suite.verified(answer.text)
    assert (said["iss"], said["aud"], said["sub"]) == (plan.suite.issuer, app.who.id, tokens.claims["sub"])
    assert "nonce" not in said


def redirect_uri_missing(plan: Registrar) -> None:
    """With several addresses the request has to name one."""
    app = plan.app(redirect_uris=[CALLBACK, f"{CALLBACK}/other"])
    stays(app.go(app.asked(redirect_uri=None)))


def query_ok(plan: Registrar) -> None:
    """A registered query comes back beside the answer."""
    app = plan.app(redirect_uris=[f"{CALLBACK}?foo=bar"])
    assert app.signed_in().said["foo"] == "bar"


def query_mismatch(plan: Registrar) -> None:
    """Another query is another address."""
    app = plan.app(redirect_uris=[f"{CALLBACK}?foo=bar"])
    stays(app.go(app.asked(redirect_uri=f"{CALLBACK}?bar=foo")))


def query_added(plan: Registrar) -> None:
    """So is one where there was none."""
    app = plan.app()
    stays(app.go(app.asked(redirect_uri=f"{CALLBACK}?foo=bar")))


def fragment(plan: Registrar) -> None:
    """An address with a fragment is not registered."""
    refused(plan.sent(redirect_uris=[f"{CALLBACK}#foobar"]), "invalid_redirect_uri", "invalid_client_metadata")


def _page(name: str) -> Module:
    def module(plan: Registrar) -> None:
        """It is registered, told again, and no hindrance. The suite's reviewer looks at the page by eye."""
        app, said = plan.told(None, **{name: f"{HOST}/{name}"})
        assert said[name] == f"{HOST}/{name}"
        app.whole()

    return module


logo_uri = _page("logo_uri")
policy_uri = _page("policy_uri")
tos_uri = _page("tos_uri")


def jwks_uri(plan: Registrar) -> None:
    """The client's keys are fetched from where it said."""
    key = new_key()
    where = plan.host.tell("/client1_jwks", KeySet([key]).as_dict(private=False))
    plan.app(key, jwks=None, jwks_uri=where).whole()


def sector_uri(plan: Registrar) -> None:
    """A sector's list with every address of the client's: its people are called otherwise than elsewhere."""
    uris = [CALLBACK, f"{HOST}/other"]
    where = plan.host.tell("/redirect_uris.json", uris)
    app = plan.app(redirect_uris=uris, subject_type="pairwise", sector_identifier_uri=where)
    assert app.whole().claims["sub"] != plan.app().whole().claims["sub"]


def sector_bad(plan: Registrar) -> None:
    """One that lacks an address is refused."""
    where = plan.host.tell("/redirect_uris.json", [f"{HOST}/other"])
    refused(plan.sent(subject_type="pairwise", sector_identifier_uri=where), "invalid_client_metadata")


def rotate_keys(plan: Registrar) -> None:
    """After a rotation there is a new key beside the old one, then it signs, and what the old one signed is still good."""
    app = plan.app()
    old, before = {one.kid for one in plan.suite.keys().keys}, signing_in.ids(app)[0]
    plan.suite.front.server.run("key", "rotate", "--signing", "RS256")
    until = time.monotonic() + 15
    while (now := {one.kid for one in plan.suite.keys().keys}) == old:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert old < now
    plan.suite.known = plan.suite.keys()
    plan.suite.turn(SHOWN)
    after = signing_in.ids(app)[0]
    assert header(after)["kid"] in now - old
    assert plan.suite.verified(before)["sub"] == plan.suite.verified(after)["sub"]


def rp_key_rotation(plan: Registrar) -> None:
    """A client that changed its keys proves itself with the new one, a minute later at most."""
    first, second = new_key(), new_key()
    where = plan.host.tell("/client2_jwks", KeySet([first]).as_dict(private=False))
    app = plan.app(first, jwks=None, jwks_uri=where, grant_types=["authorization_code", "refresh_token"])
    tokens = app.whole(scope="openid offline_access", prompt="consent")
    plan.host.tell("/client2_jwks", KeySet([second]).as_dict(private=False))
    app.who = replace(app.who, key=second)
    plan.suite.turn(FETCHED_AGAIN)
    answer = app.token({"grant_type": "refresh_token", "refresh_token": tokens.said["refresh_token"]})
    assert answer.status_code == 200, answer.text


def request_uri_signed(plan: Registrar) -> None:
    """A request object signed with RS256 is fetched from where it was registered, and counts."""
    assert "RS256" in plan.suite.metadata["request_object_signing_alg_values_supported"]
    where = plan.host.url("/request.jwt")
    app = plan.app(request_uris=[where], request_object_signing_alg="RS256")
    asked = app.asked()
    object_ = app.signed({**asked, "iss": app.who.id, "aud": plan.suite.issuer})
    plan.host.tell("/request.jwt", object_.encode())
    outside = {name: asked[name] for name in ("client_id", "response_type", "scope")}
    app.check_answer(asked, app.go({**outside, "request_uri": where}))


def assertion_for_issuer(plan: Registrar) -> None:
    """The issuer as audience of an assertion, as RFC 7523 has it by now."""
    app = plan.app()
    app.audience = plan.suite.issuer
    app.whole()


def initiate_login(plan: Registrar) -> None:
    """Where others begin a sign-in is registered, told again, and used."""
    where = f"{HOST}/initiate_login"
    app, said = plan.told(initiate_login_uri=where)
    assert said["initiate_login_uri"] == where
    again = plan.suite.http.get(said["registration_client_uri"], headers={"authorization": f"Bearer {said['registration_access_token']}"})
    assert (again.status_code, again.json()["initiate_login_uri"]) == (200, where)
    seen = app.browser.once(f"{plan.suite.issuer}/oauth/initiate_login?client_id={app.who.id}")
    assert seen.headers["location"].startswith(f"{where}?iss=")


def initiate_login_http(plan: Registrar) -> None:
    """It is https."""
    refused(plan.sent(initiate_login_uri="http://suite.example/initiate_login"), "invalid_client_metadata")
