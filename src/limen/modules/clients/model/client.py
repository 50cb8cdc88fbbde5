"""The record of an application, and what forbids to save one. Names are those of RFC 7591, section 2, less their repetitions."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from limen.kernel import secrets
from limen.kernel.ids import ClientId
from limen.kernel.secrets import Secret
from limen.modules import keys
from limen.modules.clients.model import redirects
from limen.modules.clients.model.metadata import TLS_SUBJECTS, Metadata
from limen.modules.tenants import Flaw
from limen.platform.wire.jose import Alg

SECRET_PREFIX: Final = "lmn_cs_"  # noqa: S105 - what scanners of leaked secrets look for
SECRET_LENGTH: Final = 32
"""Characters a given secret has at least; in dev mode one will do."""
OVERLAP: Final = timedelta(hours=24)
"""How long the previous secret works beside its successor."""

SECRETS: Final = keys.Sealed(name="clients.secrets")

_SECRET_LIMIT: Final = 256


class ClientKind(enum.Enum):
    """Where an application runs, and so whether it can keep a secret."""

    WEB = "web"
    SPA = "spa"
    NATIVE = "native"
    SERVICE = "service"
    DEVICE = "device"


class AuthMethod(enum.Enum):
    """`token_endpoint_auth_method`."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    SECRET_JWT = "client_secret_jwt"  # noqa: S105 - the name of a method
    PRIVATE_KEY_JWT = "private_key_jwt"
    TLS = "tls_client_auth"
    SELF_SIGNED_TLS = "self_signed_tls_client_auth"
    NONE = "none"


class GrantType(enum.Enum):
    """`grant_types`."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a grant
    CLIENT_CREDENTIALS = "client_credentials"
    IMPLICIT = "implicit"
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
    CIBA = "urn:openid:params:grant-type:ciba"
    TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - likewise
    JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class ConsentRule(enum.Enum):
    """Whether people are asked before the application gets what it wants."""

    ASK = "ask"
    NONE = "none"
    """An app of the operator's own: she lets it in herself. `prompt=consent` asks all the same."""


class Registered(enum.Enum):
    """How it came here."""

    OPERATOR = "operator"
    TOKEN = "token"  # noqa: S105 - a way, no token
    """By registration with an initial access token (RFC 7591, section 3)."""
    ANYONE = "anyone"
    """By registration that was open to everybody."""
    DOCUMENT = "document"
    """By a document that stands where its id says."""


PUBLIC: Final = (ClientKind.SPA, ClientKind.NATIVE, ClientKind.DEVICE)
"""Kinds that run in the user's hands: no secret, always PKCE (RFC 6749, section 2.1)."""
_BY_BROWSER: Final = frozenset({GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.IMPLICIT})
_BY_MACHINE: Final = frozenset({GrantType.CLIENT_CREDENTIALS, GrantType.CIBA, GrantType.TOKEN_EXCHANGE, GrantType.JWT_BEARER})
GRANTS: Final[Mapping[ClientKind, frozenset[GrantType]]] = {
    ClientKind.WEB: _BY_BROWSER | _BY_MACHINE | {GrantType.DEVICE_CODE},
    ClientKind.SPA: _BY_BROWSER,
    ClientKind.NATIVE: frozenset({GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.DEVICE_CODE}),
    ClientKind.SERVICE: _BY_MACHINE | {GrantType.REFRESH_TOKEN},
    ClientKind.DEVICE: frozenset({GrantType.DEVICE_CODE, GrantType.REFRESH_TOKEN}),
}
"""What each kind may use."""
ASKS_PEOPLE: Final = frozenset({GrantType.AUTHORIZATION_CODE, GrantType.IMPLICIT, GrantType.DEVICE_CODE, GrantType.CIBA})
"""Grants that begin with a person's yes."""
GIVES_REFRESH: Final = ASKS_PEOPLE - {GrantType.IMPLICIT} | {GrantType.TOKEN_EXCHANGE, GrantType.JWT_BEARER}
"""Grants that may bring a refresh token."""
BROWSERS: Final = frozenset({GrantType.AUTHORIZATION_CODE, GrantType.IMPLICIT})
"""Grants for which a browser is sent to the application."""
BY_SECRET: Final = frozenset({AuthMethod.BASIC, AuthMethod.POST, AuthMethod.SECRET_JWT})
"""Ways to authenticate that need a secret."""


@dataclass(frozen=True, slots=True)
class SecretDigest:
    """How a secret is known: SHA-256, since it is machine-made. `expires` is set once a successor is there."""

    digest: bytes
    made: datetime
    expires: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(Metadata):
    """An application. `auth_method` None is either way of showing the secret; a public client has none to show."""

    id: ClientId
    kind: ClientKind
    name: str = ""
    auth_method: AuthMethod | None = None
    secrets: tuple[SecretDigest, ...] = ()
    """The current one first."""
    sealed_secret: bytes | None = None
    """The current one, sealed: only where something is signed or encrypted with it (OpenID Connect Core 1.0, section 10)."""
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grants: tuple[GrantType, ...] = ()
    scopes: tuple[str, ...] = ()
    pkce_required: bool = True
    consent: ConsentRule = ConsentRule.ASK
    id_token_signed_response_alg: Alg | None = None
    """What its ID tokens are signed with; None: the first of the tenant's."""
    client_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: tuple[str, ...] = ()
    registered: Registered = Registered.OPERATOR
    """Not its own word; an operator who saves it makes it one of hers."""
    made: datetime | None = None
    version: int = 0

    @property
    def dynamic(self) -> bool:
        """Whether it came by itself: nobody here looked at what it says, and people are always asked."""
        return self.registered is not Registered.OPERATOR

    @property
    def display(self) -> str:
        """What people are told it is called."""
        return self.name or self.id

    @property
    def public(self) -> bool:
        """Whether it cannot keep a secret."""
        return self.kind in PUBLIC

    @property
    def needs_secret(self) -> bool:
        """Whether it proves itself by a secret."""
        return not self.public and (self.auth_method is None or self.auth_method in BY_SECRET)

    @property
    def signs_with_secret(self) -> bool:
        """Whether its secret has to be known in full."""
        return self.auth_method is AuthMethod.SECRET_JWT

    @property
    def fapi(self) -> bool:
        """Whether FAPI 2.0 is enforced for it."""
        return self.profile is not None

    @property
    def constrained(self) -> bool:
        """Whether its access tokens are bound to a key of its own."""
        return self.dpop_bound_access_tokens or self.tls_client_certificate_bound_access_tokens

    @property
    def types(self) -> tuple[str, ...]:
        """The response types it may ask for, their words in order."""
        usual = ("code",) if GrantType.AUTHORIZATION_CODE in self.grants else ()
        return tuple(" ".join(sorted(one.split())) for one in self.response_types) or usual

    def accepts(self, method: AuthMethod) -> bool:
        """Whether it may authenticate that way at the token endpoint."""
        if self.public or method is AuthMethod.NONE:
            return self.public and method is AuthMethod.NONE
        return method is self.auth_method or (self.auth_method is None and method in (AuthMethod.BASIC, AuthMethod.POST))

    def proves_alike(self, other: Client) -> bool:
        """Whether it proves itself by the same things as another record of it, secrets aside."""
        return all(getattr(self, name) == getattr(other, name) for name in _PROOFS)


_PROOFS: Final = ("kind", "auth_method", "jwks", "jwks_uri", *TLS_SUBJECTS)
_USUAL: Final = {ClientKind.SERVICE: GrantType.CLIENT_CREDENTIALS, ClientKind.DEVICE: GrantType.DEVICE_CODE}


def completed(client: Client) -> Client:
    """Fill in what follows from the kind: the usual grants, and the method of public clients."""
    usual = _USUAL.get(client.kind, GrantType.AUTHORIZATION_CODE)
    return replace(client, grants=client.grants or (usual,), auth_method=AuthMethod.NONE if client.public else client.auth_method)


def matches_redirect(client: Client, uri: str) -> bool:
    """Whether `uri` is registered, letter by letter; for native apps a loopback address matches with any port (RFC 8252, section 7.3)."""
    if uri in client.redirect_uris:
        return True
    bare = redirects.without_port(uri) if client.kind is ClientKind.NATIVE else None
    return bare is not None and any(redirects.without_port(one) == bare for one in client.redirect_uris)


def is_assured(client: Client, uri: str) -> bool:
    """Whether what is sent to `uri` reaches this application and no other.

    Any app of a device may listen at a loopback port or claim a private-use scheme (RFC 8252, section 8.6).
    """
    return client.kind is not ClientKind.NATIVE or uri.startswith("https:")


def matches_post_logout(client: Client, uri: str) -> bool:
    """Whether the browser may be sent to `uri` after logout: letter by letter, ports too (RP-Initiated Logout 1.0, section 3)."""
    return uri in client.post_logout_redirect_uris


def check_secret(client: Client, secret: str, now: datetime) -> bool:
    """Whether `secret` is one of the client's that works at `now`; about 2 us, and the time says nothing of the secret."""
    shown = secrets.digest(secret)
    good = False
    for one in client.secrets:
        alike = secrets.same(shown, one.digest)
        good = good or (alike and (one.expires is None or now < one.expires))
    return good


def new_secret() -> Secret[str]:
    """Return a fresh secret: 256 bits behind a prefix that scanners know."""
    return Secret(secrets.token(SECRET_PREFIX))


def with_secret(client: Client, secret: Secret[str], now: datetime, overlap: timedelta = OVERLAP) -> Client:
    """Return the client with this secret as its current one, the previous one ending after `overlap`; the same client if it has it already."""
    digest = secrets.digest(secret.reveal())
    current = next((one for one in client.secrets if one.expires is None), None)
    if current is not None and secrets.same(current.digest, digest):
        return client
    kept = (replace(current, expires=now + overlap),) if current is not None and overlap else ()
    return replace(client, secrets=(SecretDigest(digest, now), *kept))


def secret_flaw(secret: Secret[str], *, dev: bool) -> Flaw | None:
    """Return why a given secret will not do."""
    length = len(secret.reveal())
    if not (1 if dev else SECRET_LENGTH) <= length <= _SECRET_LIMIT:
        return Flaw("secret", f"has {length} characters, and needs {SECRET_LENGTH} to {_SECRET_LIMIT}", "`limen client rotate` makes one")
    if not secret.reveal().isascii() or not secret.reveal().isprintable():
        return Flaw("secret", "must be printable ASCII (RFC 6749, appendix A.2)", "`limen client rotate` makes one")
    return None
