"""`fapi2-security-profile-final` with DPoP and with mutual TLS, and `fapi2-message-signing-final`: the suite's modules by name."""

from __future__ import annotations

import json
import socket
import ssl
import warnings
from collections.abc import Mapping
from typing import Final

import pytest
from joserfc.jwk import RSAKey

from tests.conformance import proving, securing, signing_requests
from tests.conformance.pushing import Module, Plan
from tests.conformance.suite import App, Identity, Suite
from tests.rig.certificates import Certified
from tests.rig.prover import Prover

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plans-fapi2")]

ALWAYS: Final[Mapping[str, Module]] = {
    "discovery-end-point-verification": securing.discovery,
    "happy-flow": securing.happy,
    "user-rejects-authentication": securing.rejects,
    "ensure-authorization-request-without-state-success": securing.no_state,
    "ensure-authorization-request-without-nonce-success": securing.no_nonce,
    "ensure-authorization-request-with-64-char-nonce-success": securing.nonce_64,
    "ensure-authorization-request-with-long-nonce": securing.nonce_384,
    "ensure-authorization-request-with-long-state": securing.long_state,
    "ensure-other-scope-order-succeeds": securing.scope_order,
    "test-claims-parameter-identity-claims": securing.claims,
    "access-token-type-header-case-sensitivity": securing.scheme_case,
    "ensure-registered-redirect-uri": securing.unregistered,
    "ensure-redirect-uri-in-authorization-request": securing.no_redirect_uri,
    "ensure-unsigned-authorization-request-without-using-par-fails": securing.not_pushed,
    "ensure-response-type-code-idtoken-fails": securing.type_hybrid,
    "ensure-response-type-token-fails": securing.type_token,
    "ensure-client-id-in-token-endpoint": securing.client_id_of_another,
    "ensure-holder-of-key-required": securing.no_holder,
    "ensure-authorization-code-is-bound-to-client": securing.code_of_another,
    "attempt-reuse-authorization-code-after-one-second": securing.code_again,
    "ensure-token-endpoint-fails-with-expired-auth-code": securing.code_too_old,
    "refresh-token": securing.refresh,
    "par-ensure-reused-request-uri-prior-to-auth-completion-succeeds": securing.par_twice_before,
    "par-attempt-reuse-request_uri": securing.par_again,
    "par-attempt-to-use-expired-request_uri": securing.par_too_old,
    "par-attempt-to-use-request_uri-for-different-client": securing.par_of_another,
    "par-authorization-request-containing-request_uri-form-param": securing.par_nested,
    "par-attempt-invalid-http-method": securing.par_by_get,
    "par-ensure-pkce-required": securing.no_pkce,
    "par-plain-pkce-rejected": securing.plain_pkce,
    "ensure-pkce-code-verifier-required": securing.no_verifier,
    "incorrect-pkce-code-verifier-rejected": securing.wrong_verifier,
    "par-without-duplicate-parameters": securing.nothing_beside,
}
ASSERTIONS: Final[Mapping[str, Module]] = {
    "ensure-signed-client-assertion-with-RS256-fails": securing.assertion_rs256,
    "ensure-client-assertion-in-token-endpoint": securing.no_assertion,
    "ensure-client-assertion-with-exp-is-5-minutes-in-past-fails": securing.assertion_old,
    "ensure-client-assertion-with-wrong-aud-fails": securing.assertion_elsewhere,
    "ensure-client-assertion-with-no-sub-fails": securing.assertion_no_sub,
    "par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted": securing.par_nbf_8,
    "par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails": securing.par_nbf_60,
    "par-test-array-as-audience-fails": securing.par_array,
    "par-test-par-endpoint-url-as-audience-fails": securing.par_endpoint,
    "par-test-token-endpoint-url-as-audience-fails": securing.par_token_endpoint,
}
"""With private_key_jwt."""
DPOP: Final[Mapping[str, Module]] = {
    "check-dpop-proof-nbf-exp": proving.nbf_exp,
    "ensure-dpopproof-with-iat-10seconds-before-succeeds": proving.iat_before,
    "ensure-dpopproof-with-iat-10seconds-after-succeeds": proving.iat_after,
    "ensure-mismatched-dpop-jkt-fails": proving.jkt_mismatch,
    "ensure-token-endpoint-fails-with-mismatched-dpop-jkt": proving.jkt_kept,
    "ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt": proving.proof_kept,
    "ensure-dpop-auth-code-binding-success": proving.jkt_right,
    "ensure-dpopproof-at-par-endpoint-binding-success": proving.proof_right,
    "dpop-negative-tests": proving.negative,
}
SIGNED: Final[Mapping[str, Module]] = {
    "ensure-request-object-with-multiple-aud-succeeds": signing_requests.multiple_aud,
    "ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted": signing_requests.nbf_8,
    "ensure-request-object-without-exp-fails": signing_requests.no_exp,
    "ensure-request-object-without-nbf-fails": signing_requests.no_nbf,
    "ensure-expired-request-object-fails": signing_requests.expired,
    "ensure-request-object-with-bad-aud-fails": signing_requests.bad_aud,
    "ensure-request-object-with-exp-over-60-fails": signing_requests.exp_over_60,
    "ensure-request-object-with-nbf-over-60-fails": signing_requests.nbf_over_60,
    "ensure-signed-request-object-with-RS256-fails": signing_requests.rs256,
    "ensure-request-object-signature-algorithm-is-not-none": signing_requests.none,
    "ensure-request-object-with-invalid-signature-fails": signing_requests.scratched,
    "ensure-matching-key-in-authorization-request": signing_requests.other_key,
    "ensure-request-object-without-redirect-uri-fails": signing_requests.no_redirect_uri,
    "ensure-unsigned-request-at-par-endpoint-fails": signing_requests.plain,
    "par-authorization-request-containing-request_uri": signing_requests.nested,
    "state-only-outside-request-object-not-used": signing_requests.state_outside,
    "ensure-different-nonce-inside-and-outside-request-object": signing_requests.nonce_differs,
    "ensure-different-state-inside-and-outside-request-object": signing_requests.state_differs,
    "(RFC 9701)": signing_requests.introspection,
    "(another key under the client's kid)": signing_requests.unknown_key,
}
"""Message signing; what stands in brackets is ours, the suite has no module for it."""
PLANS: Final[Mapping[str, tuple[str, Mapping[str, Module]]]] = {
    "fapi2-security-profile-final/private_key_jwt+dpop": ("fapi", {**ALWAYS, **ASSERTIONS, **DPOP}),
    "fapi2-security-profile-final/mtls+mtls": ("fapi-mtls", ALWAYS),
    "fapi2-message-signing-final/private_key_jwt+dpop": ("signing", {**ALWAYS, **ASSERTIONS, **DPOP, **SIGNED}),
}
CASES: Final = [pytest.param(clients, module, id=f"{plan}/{name}") for plan, (clients, modules) in PLANS.items() for name, module in modules.items()]


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    """The clients of each plan, the first with the browser of somebody who stays signed in."""
    return {}


def made(suite: Suite, clients: str, number: str) -> App:
    """Return a client of a plan, with the key or the certificate that `make conformance` made for it."""
    mtls = clients.endswith("mtls")
    if mtls:
        certificate = Certified.read(suite.front.proxy.folder / f"client-{number}.pem")
        return App(suite, Identity(f"{clients}-{number}", "tls_client_auth", certificate=certificate), pkce=True)
    who = Identity(f"{clients}-{number}", "private_key_jwt", key=key_of(suite, number), alg="PS256")
    return App(suite, who, pkce=True, prover=Prover(clock=suite))


def key_of(suite: Suite, number: str) -> RSAKey:
    """Return the key of a client, as `make conformance` wrote it."""
    kept = json.loads((suite.front.server.folder / f"client-{number}.jwks").read_text())["keys"][0]
    del kept["alg"]  # the suite signs with RS256 too, to be refused
    return RSAKey.import_key(kept)


@pytest.mark.parametrize(("clients", "module"), CASES)
def test_plan(suite: Suite, plans: dict[str, Plan], clients: str, module: Module) -> None:
    """What a module of the suite's FAPI 2.0 plans expects happens, over mutual TLS and with DPoP, signed and unsigned."""
    plan = plans.get(clients)
    if plan is None:
        plan = plans[clients] = Plan(suite, made(suite, clients, "one"), made(suite, clients, "two"), signs=clients == "signing")
    module(plan)


def shaken(suite: Suite, port: int, version: ssl.TLSVersion, ciphers: str = "ALL:@SECLEVEL=0") -> str:
    """Return the cipher of a connection with this version of TLS and these ciphers; "" where there is none."""
    context = suite.front.tls()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old versions are deprecated, which is the point
        context.minimum_version = context.maximum_version = version
    context.set_ciphers(ciphers)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw, context.wrap_socket(raw, server_hostname="localhost") as made:
            return (made.cipher() or ("",))[0]
    except (ssl.SSLError, ConnectionError):
        return ""


def test_the_proxy_shakes_hands_as_the_profile_wants(suite: Suite) -> None:
    """What the suite looks at with every endpoint of the FAPI plans: TLS 1.2 with the ciphers of RFC 9325 alone, TLS 1.3, and nothing older."""
    good = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384")
    for port in (suite.front.proxy.https, suite.front.proxy.mtls):
        assert [shaken(suite, port, ssl.TLSVersion.TLSv1_2, one) for one in good] == list(good)
        assert shaken(suite, port, ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305") == ""
        assert shaken(suite, port, ssl.TLSVersion.TLSv1_3)
        assert shaken(suite, port, ssl.TLSVersion.TLSv1_1) == ""
