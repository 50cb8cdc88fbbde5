"""Modules of `fapi2-security-profile-final`; those about tokens and assertions hold for message signing too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tests.conformance.pushing import MINUTE, Module, Plan, is_refused
from tests.conformance.suite import CALLBACK, QUERY, App, stays

MOST: Final = ("invalid_request", "invalid_request_object")
CLIENT: Final = ("invalid_client", "invalid_request")
GRANT: Final = ("invalid_grant",)
PROOF: Final = ("invalid_dpop_proof", "invalid_grant", "invalid_request")
USED: Final = ("invalid_request_uri", "invalid_request", "access_denied")
HOUR: Final = 60 * MINUTE


def discovery(plan: Plan) -> None:
    """The metadata say what FAPI 2.0 needs of them."""
    said = plan.suite.metadata
    assert {"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"} <= set(said["token_endpoint_auth_methods_supported"])
    assert {"PS256", "ES256"} <= set(said["token_endpoint_auth_signing_alg_values_supported"])
    assert {"ES256", "PS256"} <= set(said["dpop_signing_alg_values_supported"])
    assert said["pushed_authorization_request_endpoint"].startswith("https://")
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert said["authorization_response_iss_parameter_supported"] is True
    assert said["tls_client_certificate_bound_access_tokens"] is True
    assert all(one.startswith(plan.suite.front.mtls) for one in said["mtls_endpoint_aliases"].values())


def happy(plan: Plan) -> None:
    """Two clients, the second with a query in its address; each gets tokens bound to its key, and neither's token serves the other."""
    first = plan.tokens()
    second = plan.tokens(replace(plan.other, redirect_uri=QUERY))
    assert plan.app.known(first.access)["sub"] == plan.other.known(second.access)["sub"]
    assert plan.app.userinfo(second.access).status_code == 401


def rejects(plan: Plan) -> None:
    """She says no, and the app is told."""
    asked = plan.asked(prompt="consent")
    back = plan.go(plan.pushed(asked), action="deny")
    assert (back.error, back.said["state"]) == ("access_denied", asked["state"])


def no_state(plan: Plan) -> None:
    """`state` is not needed, and not invented."""
    assert "state" not in plan.back(plan.asked(state=None)).said


def no_nonce(plan: Plan) -> None:
    """`nonce` neither."""
    assert "nonce" not in plan.tokens(nonce=None).claims


def _nonce(length: int) -> Module:
    def module(plan: Plan) -> None:
        """A long nonce comes back whole."""
        assert plan.tokens(nonce="n" * length).claims["nonce"] == "n" * length

    return module


nonce_64 = _nonce(64)
nonce_384 = _nonce(384)


def long_state(plan: Plan) -> None:
    """A long state comes back whole."""
    plan.back(plan.asked(state="s" * 1_000))


def scope_order(plan: Plan) -> None:
    """The order of scopes says nothing."""
    plan.tokens(scope="email openid")


def claims(plan: Plan) -> None:
    """A claim asked for by name comes."""
    tokens = plan.tokens(claims='{"userinfo": {"given_name": {"essential": true}}}')
    assert plan.app.known(tokens.access)["given_name"]


def scheme_case(plan: Plan) -> None:
    """The name of an authentication scheme has no case (RFC 9110, section 11.1)."""
    tokens = plan.tokens()
    for scheme in ("dpop", "DPOP", "dPoP") if plan.app.prover else ("bearer", "BEARER"):
        assert plan.app.userinfo(tokens.access, scheme=scheme).status_code == 200


def unregistered(plan: Plan) -> None:
    """An address that is not registered is refused where it is pushed."""
    plan.refused(plan.form(plan.asked(redirect_uri=f"{CALLBACK}/elsewhere")), "invalid_request", "invalid_redirect_uri")


def no_redirect_uri(plan: Plan) -> None:
    """And so is a request without one."""
    plan.refused(plan.form(plan.asked(redirect_uri=None)), *MOST)


def _types(types: str) -> Module:
    def module(plan: Plan) -> None:
        """`code` is all there is."""
        plan.refused(plan.form(plan.asked(response_type=types)), "unsupported_response_type", "unauthorized_client", *MOST)

    return module


type_hybrid = _types("code id_token")
type_token = _types("token")


def not_pushed(plan: Plan) -> None:
    """A request that was not pushed goes back as an error."""
    back = plan.opened(plan.app, plan.app.go(plan.asked()))
    assert back.error == "invalid_request"


def client_id_of_another(plan: Plan) -> None:
    """`client_id` of another client beside one's own proof."""
    plan.not_redeemed(*CLIENT, client_id=plan.other.who.id)


def no_holder(plan: Plan) -> None:
    """Without a key there are no tokens."""
    if plan.app.prover is not None:
        plan.not_redeemed("invalid_dpop_proof", "invalid_request", dpop="")
        return
    bare = replace(plan.app, who=replace(plan.app.who, certificate=None))
    plan.not_redeemed(*CLIENT, app=bare)


def code_of_another(plan: Plan) -> None:
    """A code is its client's alone."""
    back = plan.back(plan.asked())
    thief = replace(plan.other, verifier=plan.app.verifier)
    plan.not_redeemed(*GRANT, back=back, app=thief)


def code_again(plan: Plan) -> None:
    """A code works once; the second time what it gave ends."""
    back = plan.back(plan.asked())
    tokens = plan.app.redeemed(back)
    plan.suite.turn(1)
    plan.not_redeemed(*GRANT, back=back)
    assert plan.app.userinfo(tokens.access).status_code == 401


def code_too_old(plan: Plan) -> None:
    """And it lives a minute."""
    back = plan.back(plan.asked())
    plan.suite.turn(MINUTE + 1)
    plan.not_redeemed(*GRANT, back=back)


def refresh(plan: Plan) -> None:
    """A refresh token is not replaced, is bound to its client, and asks for its key each time."""
    first = plan.tokens(scope="openid offline_access", prompt="consent")
    token = first.said["refresh_token"]
    second = plan.app.checked(plan.app.refresh(token))
    assert second.said.get("refresh_token", token) == token
    assert plan.app.checked(plan.app.refresh(token)).access not in {first.access, second.access}
    is_refused(plan.other.refresh(token), *GRANT)
    assert second.claims.get("sub", first.claims["sub"]) == first.claims["sub"]


# assertions


def _assertion(*codes: str, at: str = "token", **bent: Any) -> Module:
    def module(plan: Plan) -> None:
        """An assertion that is not one of ours for here and now proves nobody."""
        now = int(plan.suite.now().timestamp())
        made = {name: value(plan, now) if callable(value) else value for name, value in bent.items()}
        if at == "par":
            plan.refused(plan.form(plan.asked()), *codes, **made)
        else:
            plan.not_redeemed(*codes, bent=made)

    return module


assertion_rs256 = _assertion("invalid_client", alg="RS256")
assertion_old = _assertion(*CLIENT, exp=lambda _, now: now - 5 * MINUTE, iat=lambda _, now: now - 6 * MINUTE)
assertion_elsewhere = _assertion(*CLIENT, aud="https://other.example/")
assertion_no_sub = _assertion(*CLIENT, sub=None)
par_array = _assertion(*CLIENT, at="par", aud=lambda plan, _: [plan.suite.issuer])
par_endpoint = _assertion(*CLIENT, at="par", aud=lambda plan, _: plan.suite.metadata["pushed_authorization_request_endpoint"])
par_token_endpoint = _assertion(*CLIENT, at="par", aud=lambda plan, _: plan.suite.metadata["token_endpoint"])
par_nbf_60 = _assertion(*CLIENT, at="par", iat=lambda _, now: now + 2 * MINUTE, nbf=lambda _, now: now + 2 * MINUTE, exp=lambda _, now: now + 3 * MINUTE)


def no_assertion(plan: Plan) -> None:
    """Without an assertion nobody is proved."""
    back = plan.back(plan.asked())
    plan.not_redeemed(*CLIENT, back=back, app=replace(plan.app, who=replace(plan.app.who, method="none")))


def par_nbf_8(plan: Plan) -> None:
    """A clock that goes a little before ours is no error."""
    soon = int(plan.suite.now().timestamp()) + 8
    plan.pushed(plan.asked(), iat=soon, nbf=soon)


# pushed requests


def par_twice_before(plan: Plan) -> None:
    """A page opened twice is no error, as long as nobody answered."""
    name = plan.pushed(plan.asked())
    app = plan.app.fresh()
    app.browser.once(f"{plan.suite.metadata['authorization_endpoint']}?client_id={app.who.id}&request_uri={name}")
    assert plan.go(name, app).said["code"]


def par_again(plan: Plan) -> None:
    """Once it was answered it is over."""
    name = plan.pushed(plan.asked())
    assert plan.go(name).said["code"]
    _over(plan, name, plan.app)


def par_too_old(plan: Plan) -> None:
    """And after its minute."""
    name = plan.pushed(plan.asked())
    plan.suite.turn(MINUTE + 1)
    _over(plan, name, plan.app)


def par_of_another(plan: Plan) -> None:
    """It is its client's alone."""
    _over(plan, plan.pushed(plan.asked()), plan.other)


def _over(plan: Plan, name: str, app: App) -> None:
    """No code: an error at a page, or at an address that is surely the client's."""
    back = app.go({"client_id": app.who.id, "request_uri": name})
    if back.page is not None:
        stays(back)
    else:
        assert plan.opened(app, back).error in USED


def par_nested(plan: Plan) -> None:
    """A pushed request names none."""
    name = plan.pushed(plan.asked())
    plan.refused({**plan.form(plan.asked()), "request_uri": name}, *MOST)


def par_by_get(plan: Plan) -> None:
    """It is pushed by POST."""
    assert plan.app.http.get(plan.suite.metadata["pushed_authorization_request_endpoint"]).status_code in {400, 404, 405}


def no_pkce(plan: Plan) -> None:
    """PKCE is required."""
    plan.refused(plan.form(plan.asked(code_challenge=None, code_challenge_method=None)), "invalid_request")


def plain_pkce(plan: Plan) -> None:
    """With S256."""
    plan.refused(plan.form(plan.asked(code_challenge=plan.app.verifier, code_challenge_method="plain")), "invalid_request")


def no_verifier(plan: Plan) -> None:
    """And so is the verifier."""
    plan.not_redeemed("invalid_grant", "invalid_request", code_verifier=None)


def wrong_verifier(plan: Plan) -> None:
    """The right one."""
    plan.not_redeemed(*GRANT, code_verifier="w" * 43)


def nothing_beside(plan: Plan) -> None:
    """`client_id` and `request_uri` are all the browser carries."""
    assert plan.back(plan.asked()).said["code"]
