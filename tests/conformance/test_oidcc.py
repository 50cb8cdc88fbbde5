"""`oidcc-basic`, `-implicit`, `-hybrid` and their `-formpost-` twins: the suite's modules by name, each played for each response type of its plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest

from tests.conformance import signing_in as m
from tests.conformance.signing_in import Module
from tests.conformance.suite import App, Identity, Suite

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("plans-oidcc")]

COMMON: Final[Mapping[str, Module]] = {
    "oidcc-server": m.server,
    "oidcc-idtoken-signature": m.idtoken_signature,
    "oidcc-scope-profile": m.scope_profile,
    "oidcc-scope-email": m.scope_email,
    "oidcc-scope-address": m.scope_address,
    "oidcc-scope-phone": m.scope_phone,
    "oidcc-scope-all": m.scope_all,
    "oidcc-alternate-happy-flow": m.alternate_happy_flow,
    "oidcc-display-page": m.display_page,
    "oidcc-display-popup": m.display_popup,
    "oidcc-prompt-login": m.prompt_login,
    "oidcc-prompt-none-not-logged-in": m.prompt_none_not_logged_in,
    "oidcc-prompt-none-logged-in": m.prompt_none_logged_in,
    "oidcc-max-age-1": m.max_age_1,
    "oidcc-max-age-10000": m.max_age_10000,
    "oidcc-ensure-request-with-unknown-parameter-succeeds": m.unknown_parameter,
    "oidcc-id-token-hint": m.id_token_hint,
    "oidcc-login-hint": m.login_hint,
    "oidcc-ui-locales": m.ui_locales,
    "oidcc-claims-locales": m.claims_locales,
    "oidcc-ensure-request-with-acr-values-succeeds": m.acr_values,
    "oidcc-ensure-registered-redirect-uri": m.registered_redirect_uri,
    "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported": m.request_uri_unsigned,
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported": m.request_unsigned,
    "oidcc-claims-essential": m.claims_essential,
    "oidcc-ensure-request-object-with-redirect-uri": m.request_object_redirect_uri,
}
"""In every plan, for every response type."""
CODE: Final[Mapping[str, Module]] = {
    "oidcc-codereuse": m.codereuse,
    "oidcc-codereuse-30seconds": m.codereuse_30seconds,
    "oidcc-server-client-secret-post": m.client_secret_post,
    "oidcc-refresh-token": m.refresh_token,
}
"""Where there is a code."""
USERINFO: Final[Mapping[str, Module]] = {
    "oidcc-userinfo-get": m.userinfo_get,
    "oidcc-userinfo-post-header": m.userinfo_post_header,
    "oidcc-userinfo-post-body": m.userinfo_post_body,
}
"""Where there is an access token."""
NONCE: Final[Mapping[str, Module]] = {"oidcc-ensure-request-without-nonce-fails": m.without_nonce_fails}
NO_NONCE: Final[Mapping[str, Module]] = {"oidcc-ensure-request-without-nonce-succeeds-for-code-flow": m.without_nonce_succeeds}
ONCE: Final[Mapping[str, Module]] = {"oidcc-response-type-missing": m.response_type_missing}
"""For one response type of a plan."""
PKCE: Final[Mapping[str, Module]] = {"oidcc-ensure-request-with-valid-pkce-succeeds": m.valid_pkce}

PLANS: Final[Mapping[str, Mapping[str, Mapping[str, Module]]]] = {
    "basic": {
        "code": {
            **COMMON,
            **CODE,
            **USERINFO,
            **NO_NONCE,
            **ONCE,
            **PKCE,
            "oidcc-idtoken-unsigned": m.idtoken_unsigned,
            "oidcc-ensure-post-request-succeeds": m.post_request,
        },
    },
    "implicit": {
        "id_token token": {**COMMON, **USERINFO, **NONCE, **ONCE},
        "id_token": {**COMMON, **NONCE},
    },
    "hybrid": {
        "code id_token": {**COMMON, **CODE, **USERINFO, **NONCE, **ONCE, **PKCE},
        "code token": {**COMMON, **CODE, **USERINFO, **NO_NONCE},
        "code id_token token": {**COMMON, **CODE, **USERINFO, **NONCE},
    },
}
"""By plan and response type."""
MODES: Final = {"oidcc": "", "oidcc-formpost": "form_post"}
"""By the plan's prefix."""
CASES: Final = [
    pytest.param(f"{prefix}-{plan}", types, mode, module, id=f"{prefix}-{plan}/{types.replace(' ', '+')}/{name}")
    for prefix, mode in MODES.items()
    for plan, variants in PLANS.items()
    for types, modules in variants.items()
    for name, module in modules.items()
]


@pytest.fixture(scope="module")
def apps() -> dict[tuple[str, str], App]:
    """The clients of the plans, each with the browser of somebody who stays signed in."""
    return {}


@pytest.mark.parametrize(("plan", "types", "mode", "module"), CASES)
def test_plan(suite: Suite, apps: dict[tuple[str, str], App], plan: str, types: str, mode: str, module: Module) -> None:
    """What a module of the OpenID Foundation's suite expects happens, for its plan's response type and response mode."""
    app = apps.get((plan, types))
    if app is None:
        who = Identity("one", secret="a secret of the first client, for trying only")
        app = apps[plan, types] = App(suite, who, response_type=types, response_mode=mode)
        app.whole()
    module(app)
