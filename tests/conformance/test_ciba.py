"""`fapi-ciba-id1`, poll and ping, with private_key_jwt and tokens bound to a certificate: the suite's modules by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pytest

from tests.conformance import asking as m
from tests.conformance.asking import CIBA, Asking, Module
from tests.conformance.host import Host
from tests.conformance.registering import Registrar
from tests.conformance.suite import App, Identity, Suite
from tests.conformance.test_fapi2 import key_of
from tests.rig.certificates import Certified

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plans-fapi2")]

MODULES: Final[Mapping[str, Module]] = {
    "fapi-ciba-id1-discovery-end-point-verification": m.discovery,
    "fapi-ciba-id1": m.happy,
    "fapi-ciba-id1-user-rejects-authentication": m.rejects,
    "fapi-ciba-id1-multiple-call-to-token-endpoint": m.hasty,
    "fapi-ciba-id1-auth-req-id-expired": m.expired,
    "fapi-ciba-id1-ensure-authorization-request-with-binding-message-succeeds": m.binding_message,
    "fapi-ciba-id1-ensure-authorization-request-with-potentially-bad-binding-message": m.bad_binding_message,
    "fapi-ciba-id1-ensure-other-scope-order-succeeds": m.scope_order,
    "fapi-ciba-id1-ensure-requested-expiry-as-string-succeeds": m.expiry_as_text,
    "fapi-ciba-id1-ensure-request-object-missing-aud-fails": m.no_aud,
    "fapi-ciba-id1-ensure-request-object-bad-aud-fails": m.bad_aud,
    "fapi-ciba-id1-ensure-request-object-missing-iss-fails": m.no_iss,
    "fapi-ciba-id1-ensure-request-object-bad-iss-fails": m.bad_iss,
    "fapi-ciba-id1-ensure-request-object-missing-exp-fails": m.no_exp,
    "fapi-ciba-id1-ensure-request-object-expired-exp-fails": m.exp_past,
    "fapi-ciba-id1-ensure-request-object-exp-is-70-minutes-in-future-fails": m.exp_far,
    "fapi-ciba-id1-ensure-request-object-missing-iat-fails": m.no_iat,
    "fapi-ciba-id1-ensure-request-object-missing-nbf-fails": m.no_nbf,
    "fapi-ciba-id1-ensure-request-object-nbf-is-10-minutes-in-future-fails": m.nbf_future,
    "fapi-ciba-id1-ensure-request-object-nbf-is-70-minutes-in-past-fails": m.nbf_past,
    "fapi-ciba-id1-ensure-request-object-missing-jti-fails": m.no_jti,
    "fapi-ciba-id1-ensure-request-object-signature-algorithm-is-none-fails": m.alg_none,
    "fapi-ciba-id1-ensure-request-object-signature-algorithm-is-bad-fails": m.alg_bad,
    "fapi-ciba-id1-ensure-request-object-signature-algorithm-is-RS256-fails": m.alg_rs256,
    "fapi-ciba-id1-ensure-request-object-signed-by-other-client-fails": m.other_key,
    "fapi-ciba-id1-ensure-authorization-request-with-multiple-hints-fails": m.two_hints,
    "fapi-ciba-id1-ensure-wrong-auth-req-id-in-token-endpoint-request": m.name_of_another,
    "fapi-ciba-id1-ensure-different-client-id-and-issuer-in-backchannel-authorization-request": m.client_differs,
    "fapi-ciba-id1-ensure-wrong-client-id-in-token-endpoint-request": m.wrong_client_at_token,
    "fapi-ciba-id1-ensure-wrong-client-id-in-backchannel-authorization-request": m.wrong_client,
    "fapi-ciba-id1-ensure-without-client-assertion-in-token-endpoint-request": m.no_assertion_at_token,
    "fapi-ciba-id1-ensure-without-client-assertion-in-backchannel-authorization-request": m.no_assertion,
    "fapi-ciba-id1-ensure-client-assertion-signature-algorithm-in-backchannel-authorization-request-is-RS256-fails": m.assertion_rs256,
    "fapi-ciba-id1-ensure-client-assertion-signature-algorithm-in-token-endpoint-request-is-RS256-fails": m.assertion_rs256_at_token,
    "fapi-ciba-id1-ensure-client-assertion-with-iss-aud-to-token-endpoint-succeeds": m.assertion_for_issuer,
    "fapi-ciba-id1-ensure-unsigned-backchannel-authorization-request-fails": m.not_signed,
    "fapi-ciba-id1-refresh-token": m.refresh,
    "fapi-ciba-id1-ensure-mtls-holder-of-key-required": m.holder_of_key,
    "ping/fapi-ciba-id1": m.ping,
    "ping/fapi-ciba-id1-ping-backchannel-notification-endpoint-response-has-body": m.ping_body,
    "ping/fapi-ciba-id1-ping-backchannel-notification-endpoint-response-401": m.ping_401,
    "ping/fapi-ciba-id1-ping-backchannel-notification-endpoint-response-403": m.ping_403,
    "ping/fapi-ciba-id1-ping-backchannel-notification-endpoint-return-redirect-request": m.ping_redirect,
}


def made(suite: Suite, number: str) -> App:
    """Return a client of the plan with its key and certificate; its assertions are for the token endpoint's address for certificates."""
    certificate = Certified.read(suite.front.proxy.folder / f"client-{number}.pem")
    who = Identity(f"ciba-{number}", "private_key_jwt", key=key_of(suite, number), alg="PS256", certificate=certificate)
    return App(suite, who, audience=suite.metadata["mtls_endpoint_aliases"]["token_endpoint"])


@pytest.mark.parametrize("module", [pytest.param(module, id=name) for name, module in MODULES.items()])
def test_plan(suite: Suite, host: Host, module: Module) -> None:
    """What a module of the suite's FAPI-CIBA plan expects happens."""
    one = made(suite, "one")

    def ping(path: str) -> App:
        registrar = Registrar(suite, host)
        app, _ = registrar.told(
            key_of(suite, "one"),
            grant_types=[CIBA],
            response_types=None,
            redirect_uris=None,
            backchannel_token_delivery_mode="ping",
            backchannel_client_notification_endpoint=host.url(path),
            backchannel_authentication_request_signing_alg="PS256",
            tls_client_certificate_bound_access_tokens=True,
        )
        return replace(app, who=replace(app.who, alg="PS256", certificate=one.who.certificate))

    module(Asking(suite, host, one, made(suite, "two"), ping))
