"""The words of the protocol as values: parameters of requests, claims of tokens, bodies of answers. Names are the specifications'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

from limen.kernel.ids import ClientId
from limen.modules.clients import GrantType
from limen.modules.journey import Ask

OPENID: Final = "openid"
TOKEN_TYPE: Final = "Bearer"  # noqa: S105 - RFC 6750, section 6.1.1
REPEATABLE: Final = frozenset({"resource"})
"""The one parameter that a request may have more than once (RFC 8707, section 2)."""
STANDARD_SCOPES: Final = ("openid", "profile", "email", "address", "phone", "offline_access")
PROMPTS: Final = ("none", "login", "consent", "select_account", "create")
CODE: Final = "code"
ID_TOKEN: Final = "id_token"  # noqa: S105 - a word of the protocol
TOKEN: Final = "token"  # noqa: S105 - a response type
"""Words of response types (OAuth 2.0 Multiple Response Type Encoding Practices)."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The parameters of an authorization request as they came (RFC 6749, 4.1.1; OpenID Connect Core 1.0, 3.1.2.1). What is absent is empty."""

    client_id: ClientId = ClientId("")
    redirect_uri: str = ""
    response_type: str = ""
    response_mode: str = ""
    scope: str = ""
    state: str | None = None
    nonce: str = ""
    code_challenge: str = ""
    code_challenge_method: str = ""
    prompt: str = ""
    max_age: str = ""
    login_hint: str = ""
    id_token_hint: str = ""
    ui_locales: str = ""
    acr_values: str = ""
    request: str = ""
    request_uri: str = ""
    registration: str = ""
    claims: str = ""
    """JSON text (OpenID Connect Core 1.0, section 5.5)."""
    authorization_details: str = ""
    """JSON text (RFC 9396, section 2)."""
    resource: tuple[str, ...] = ()
    """RFC 8707, section 2."""
    dpop_jkt: str = ""
    """The key the code is bound to (RFC 9449, section 10)."""

    @property
    def types(self) -> frozenset[str]:
        """The words of `response_type`."""
        return frozenset(self.response_type.split())

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes asked for, each once, in order."""
        return words(self.scope)

    @property
    def prompts(self) -> frozenset[str]:
        """The prompts asked for."""
        return frozenset(self.prompt.split())

    @property
    def longest_age(self) -> int | None:
        """`max_age` in seconds; None where absent or no number."""
        return int(self.max_age) if self.max_age.isascii() and self.max_age.isdigit() else None

    def ask(self, redirect_uri: str) -> Ask:
        """Return what the steps of a journey may know of the request."""
        return Ask(
            client=self.client_id,
            scopes=self.scopes,
            acr_values=words(self.acr_values),
            max_age=self.longest_age,
            prompt=self.prompts,
            login_hint=self.login_hint,
            locales=words(self.ui_locales),
            form_target=form_target(redirect_uri),
        )


class Leaving(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The parameters of a logout request (RP-Initiated Logout 1.0, section 2)."""

    id_token_hint: str = ""
    logout_hint: str = ""
    client_id: ClientId = ClientId("")
    post_logout_redirect_uri: str = ""
    state: str | None = None
    ui_locales: str = ""


class ErrorBody(msgspec.Struct, frozen=True):
    """An error of the token endpoint and its like (RFC 6749, section 5.2)."""

    error: str
    error_description: str


class TokenBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens (RFC 6749, section 5.1; OpenID Connect Core 1.0, 3.1.3.3)."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str = ""
    """Left out where the client has none to ask for."""
    refresh_token: str | None = None
    id_token: str | None = None
    authorization_details: msgspec.Raw | None = None
    """RFC 9396, section 7."""
    issued_token_type: str = ""
    """RFC 8693, section 2.2.1."""


GRANT_TYPES: Final[Mapping[str, GrantType]] = {one.value: one for one in GrantType}


def words(text: str) -> tuple[str, ...]:
    """Return the words of a space-delimited parameter, each once, in order."""
    return tuple(dict.fromkeys(text.split()))


def form_target(redirect_uri: str) -> str:
    """Return origin or scheme of an address, as `form-action` takes it: a policy can name no IPv6 address (CSP level 3, `host-source`)."""
    parts = urlsplit(redirect_uri)
    named = parts.netloc and parts.scheme in ("http", "https") and "[" not in parts.netloc
    return f"{parts.scheme}://{parts.netloc}" if named else f"{parts.scheme}:"


def with_parameters(uri: str, parameters: Mapping[str, str | None]) -> str:
    """Return an address with parameters added to its query (RFC 6749, section 4.1.2); those that are None are left out."""
    added = urlencode({name: value for name, value in parameters.items() if value is not None})
    if not added:
        return uri
    joint = "" if uri.endswith(("?", "&")) else "&" if "?" in uri else "?"
    return f"{uri}{joint}{added}"
