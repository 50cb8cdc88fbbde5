"""Modules of `fapi-ciba-id1`: a client asks a person who is elsewhere, and `/dev/approve` answers for her."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx2

from tests.conformance.host import Host
from tests.conformance.pushing import MINUTE, is_refused
from tests.conformance.suite import PERSON, App, Suite, Tokens, unsigned

PATH: Final = "/oauth/backchannel_authentication"
CIBA: Final = "urn:openid:params:grant-type:ciba"
CLIENT: Final = ("invalid_client", "invalid_request", "unauthorized_client")
BAD: Final = ("invalid_request",)


@dataclass
class Asking:
    """The plan's clients."""

    suite: Suite
    host: Host
    one: App
    two: App
    ping: Callable[[str], App]
    """Registers a client that is called at a path of the host's."""

    def wish(self, app: App | None = None, **changes: Any) -> dict[str, Any]:
        """Return the claims of a signed request; what is changed to None is left out."""
        now = int(self.suite.now().timestamp())
        usual = {
            "iss": (app or self.one).who.id,
            "aud": self.suite.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + 5 * MINUTE,
            "jti": secrets.token_urlsafe(12),
            "scope": "openid",
            "login_hint": PERSON["identifier"],
            "binding_message": "W4SCT",
        }
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def ask(self, said: Mapping[str, Any], app: App | None = None, *, how: Mapping[str, Any] | None = None, **bent: Any) -> httpx2.Response:
        """Send a signed request; `how` bends its signature, `bent` the client's assertion."""
        asker = app or self.one
        return asker.call(PATH, {"request": asker.signed(said, **(how or {}))}, **bent)

    def begun(self, said: Mapping[str, Any] | None = None, app: App | None = None, **bent: Any) -> str:
        """Send a good one; return its name (CIBA Core 1.0, section 7.3)."""
        answer = self.ask(said or self.wish(app), app, **bent)
        assert answer.status_code == 200, answer.text
        assert "no-store" in answer.headers["cache-control"]
        told = answer.json()
        assert told["expires_in"] > 0
        assert told["interval"] > 0
        return str(told["auth_req_id"])

    def decide(self, name: str, decision: str) -> None:
        """Answer as the suite does: by an address."""
        answer = self.suite.http.post(f"{self.suite.issuer}/dev/approve", params={"auth_req_id": name, "account": PERSON["identifier"], "decision": decision})
        assert answer.status_code == 200, answer.text

    def poll(self, name: str, app: App | None = None, **how: Any) -> httpx2.Response:
        """Ask for tokens, at the pace that was told."""
        self.suite.turn(5)
        return (app or self.one).token({"grant_type": CIBA, "auth_req_id": name}, **how)

    def tokens(self, said: Mapping[str, Any] | None = None, app: App | None = None, **how: Any) -> Tokens:
        """Ask, be told to wait, be allowed, get tokens."""
        asker = app or self.one
        name = self.begun(said, asker)
        is_refused(self.poll(name, asker), "authorization_pending")
        self.decide(name, "allow")
        tokens = asker.checked(self.poll(name, asker, **how))
        assert asker.known(tokens.access)["sub"] == tokens.claims["sub"]
        is_refused(self.poll(name, asker), "invalid_grant")
        return tokens

    def refused(self, said: Mapping[str, Any], *codes: str, **how: Any) -> None:
        """A request is refused."""
        is_refused(self.ask(said, **how), *codes)


Module = Callable[[Asking], None]


def discovery(plan: Asking) -> None:
    """The metadata say what there is."""
    said = plan.suite.metadata
    assert {"poll", "ping"} <= set(said["backchannel_token_delivery_modes_supported"])
    assert said["backchannel_authentication_endpoint"].startswith("https://")
    assert {"PS256", "ES256"} <= set(said["backchannel_authentication_request_signing_alg_values_supported"])
    assert said.get("backchannel_user_code_parameter_supported", False) is False
    assert CIBA in said["grant_types_supported"]


def happy(plan: Asking) -> None:
    """Two clients ask the same person, and she says yes."""
    assert plan.tokens().claims["sub"] == plan.tokens(app=plan.two).claims["sub"]


def rejects(plan: Asking) -> None:
    """She says no."""
    name = plan.begun()
    plan.decide(name, "deny")
    is_refused(plan.poll(name), "access_denied")


def hasty(plan: Asking) -> None:
    """Who asks again and again is told to wait, and then to slow down."""
    name = plan.begun()
    for codes in (("authorization_pending",), ("slow_down", "authorization_pending", "invalid_request"), ("slow_down", "invalid_request")):
        is_refused(plan.one.token({"grant_type": CIBA, "auth_req_id": name}), *codes)


def expired(plan: Asking) -> None:
    """A request has its time."""
    name = plan.begun(plan.wish(requested_expiry=10))
    plan.suite.turn(11)
    is_refused(plan.poll(name), "expired_token")


def binding_message(plan: Asking) -> None:
    """A short message is shown."""
    plan.tokens(plan.wish(binding_message="1234"))


def bad_binding_message(plan: Asking) -> None:
    """One that cannot be shown is refused by its own name."""
    plan.refused(plan.wish(binding_message="1234 \U0001f44d\U0001f3ff 品川 " * 40), "invalid_binding_message")


def scope_order(plan: Asking) -> None:
    """The order of scopes says nothing."""
    plan.tokens(plan.wish(scope="email openid"))


def expiry_as_text(plan: Asking) -> None:
    """`requested_expiry` may be a text, too."""
    plan.tokens(plan.wish(requested_expiry="30"))


def _object(**bent: Any) -> Module:
    def module(plan: Asking) -> None:
        """A request that is bent is refused."""
        now = int(plan.suite.now().timestamp())
        plan.refused(plan.wish(**{name: value(now) if callable(value) else value for name, value in bent.items()}), *BAD)

    return module


no_aud = _object(aud=None)
bad_aud = _object(aud="https://other.example/")
no_iss = _object(iss=None)
bad_iss = _object(iss="https://other.example/")
no_exp = _object(exp=None)
exp_past = _object(exp=lambda now: now - 5 * MINUTE, nbf=lambda now: now - 10 * MINUTE, iat=lambda now: now - 10 * MINUTE)
exp_far = _object(exp=lambda now: now + 70 * MINUTE)
no_iat = _object(iat=None)
no_nbf = _object(nbf=None)
nbf_future = _object(nbf=lambda now: now + 10 * MINUTE, exp=lambda now: now + 20 * MINUTE)
nbf_past = _object(nbf=lambda now: now - 70 * MINUTE)
no_jti = _object(jti=None)
two_hints = _object(id_token_hint="a.b.c")


def alg_none(plan: Asking) -> None:
    """`alg: none` signs nothing."""
    is_refused(plan.one.call(PATH, {"request": unsigned(plan.wish())}), *BAD)


def alg_bad(plan: Asking) -> None:
    """Nor does an algorithm that nobody knows."""
    token = plan.one.signed(plan.wish())
    is_refused(plan.one.call(PATH, {"request": f"{unsigned({}).replace('bm9uZSJ9', 'ZmFrZSJ9').split('.')[0]}.{token.split('.', 1)[1]}"}), *BAD)


def alg_rs256(plan: Asking) -> None:
    """RS256 is not for FAPI."""
    plan.refused(plan.wish(), *BAD, how={"alg": "RS256"})


def other_key(plan: Asking) -> None:
    """Another client's key is not this one's."""
    plan.refused(plan.wish(), *BAD, how={"key": plan.two.who.key})


def not_signed(plan: Asking) -> None:
    """A client that signs its requests signs them all."""
    said = plan.wish()
    is_refused(plan.one.call(PATH, {name: said[name] for name in ("scope", "login_hint", "binding_message")}), *BAD)


def name_of_another(plan: Asking) -> None:
    """A request's name is its client's alone."""
    answer = plan.poll(plan.begun(), plan.two)
    assert answer.status_code == 400
    is_refused(answer, "invalid_grant")


def client_differs(plan: Asking) -> None:
    """`client_id` of another client, and no proof."""
    answer = replace(plan.two, who=replace(plan.two.who, method="none")).call(PATH, {"request": plan.one.signed(plan.wish())})
    assert answer.status_code == 401
    is_refused(answer, "invalid_client")


def wrong_client(plan: Asking) -> None:
    """Another client's name over one's own key."""
    is_refused(plan.ask(plan.wish(), replace(plan.one, who=replace(plan.one.who, id=plan.two.who.id))), *CLIENT)


def wrong_client_at_token(plan: Asking) -> None:
    """Likewise at the token endpoint."""
    is_refused(plan.poll(plan.begun(), replace(plan.one, who=replace(plan.one.who, id=plan.two.who.id))), *CLIENT, "invalid_grant")


def no_assertion(plan: Asking) -> None:
    """Without a proof nobody is asked."""
    is_refused(replace(plan.one, who=replace(plan.one.who, method="none")).call(PATH, {"request": plan.one.signed(plan.wish())}), *CLIENT)


def no_assertion_at_token(plan: Asking) -> None:
    """And nothing is given."""
    is_refused(plan.poll(plan.begun(), replace(plan.one, who=replace(plan.one.who, method="none"))), *CLIENT)


def assertion_rs256(plan: Asking) -> None:
    """An assertion with RS256 is none."""
    plan.refused(plan.wish(), *CLIENT, alg="RS256")


def assertion_rs256_at_token(plan: Asking) -> None:
    """Nor at the token endpoint."""
    is_refused(plan.poll(plan.begun(), bent={"alg": "RS256"}), *CLIENT)


def assertion_for_issuer(plan: Asking) -> None:
    """The issuer as audience is taken, as the token endpoint is."""
    plan.tokens(bent={"aud": plan.suite.issuer})


def refresh(plan: Asking) -> None:
    """A refresh gives tokens for the same person; another client gets none."""
    first = plan.tokens(plan.wish(scope="openid offline_access"))
    second = plan.one.checked(plan.one.refresh(first.said["refresh_token"]))
    assert plan.one.known(second.access)["sub"] == first.claims["sub"]
    is_refused(plan.two.refresh(second.said.get("refresh_token", first.said["refresh_token"])), "invalid_grant")


def holder_of_key(plan: Asking) -> None:
    """Without a certificate there are no tokens, and with another one they are worth nothing."""
    name = plan.begun()
    plan.decide(name, "allow")
    bare = replace(plan.one, who=replace(plan.one.who, certificate=None))
    is_refused(plan.poll(name, bare), "invalid_grant", *CLIENT)
    tokens = plan.tokens()
    assert plan.two.userinfo(tokens.access).status_code == 401
    assert bare.userinfo(tokens.access).status_code == 401


def _called(status: int, body: bytes = b"", *, elsewhere: bool = False) -> Module:
    def module(plan: Asking) -> None:
        """A client is called with its own token and the request's name, whatever it answers, and gets its tokens."""
        path, token = f"/ciba/{secrets.token_urlsafe(6)}", secrets.token_urlsafe(24)
        plan.host.answers[path] = (status, body)
        app = plan.ping(path)
        name = plan.begun(plan.wish(app, client_notification_token=token), app)
        plan.decide(name, "allow")
        call = plan.host.wait(path)[0]
        assert call.headers["authorization"] == f"Bearer {token}"
        assert call.headers["content-type"].startswith("application/json")
        assert call.body == f'{{"auth_req_id":"{name}"}}'
        app.checked(plan.poll(name, app))
        assert not [one for one in plan.host.heard if one.path == "/elsewhere"] or not elsewhere

    return module


ping = _called(204)
ping_body = _called(200, b'{"some": "thing"}')
ping_401 = _called(401)
ping_403 = _called(403)
ping_redirect = _called(301, elsewhere=True)
