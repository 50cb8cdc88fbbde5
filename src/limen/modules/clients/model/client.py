"""The record of an application, and what forbids to save one. Names are those of RFC 7591, section 2, less their repetitions."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from limen.kernel import secrets
from limen.kernel.ids import ClientId
from limen.kernel.secrets import Secret
from limen.modules import keys, tenants
from limen.modules.clients.model import redirects
from limen.modules.tenants import Flaw
from limen.platform.wire.jose import Alg

SECRET_PREFIX: Final = "lmn_cs_"  # noqa: S105 - what scanners of leaked secrets look for
SECRET_LENGTH: Final = 32
"""Characters a given secret has at least; in dev mode one will do."""
OVERLAP: Final = timedelta(hours=24)
"""How long the previous secret works beside its successor."""

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,99}")
_ANOTHERS_ID: Final = re.compile(r"(?!cli_)[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}")
"""How people, sessions and grants are called here: a service of such a name would pass for one in `sub` (RFC 9700, section 4.15)."""
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}")  # RFC 6749, section 3.3
_MOST: Final = 50
_NAME_LIMIT: Final = 100
_SECRET_LIMIT: Final = 256


class ClientKind(enum.Enum):
    """Where an application runs, and so whether it can keep a secret."""

    WEB = "web"
    SPA = "spa"
    NATIVE = "native"
    SERVICE = "service"


class AuthMethod(enum.Enum):
    """`token_endpoint_auth_method`."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    NONE = "none"


class GrantType(enum.Enum):
    """`grant_types`."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a grant
    CLIENT_CREDENTIALS = "client_credentials"


class ConsentRule(enum.Enum):
    """Whether people are asked before the application gets what it wants."""

    ASK = "ask"
    NONE = "none"
    """An app of the operator's own: she lets it in herself. `prompt=consent` asks all the same."""


PUBLIC: Final = frozenset({ClientKind.SPA, ClientKind.NATIVE})
"""Kinds that run in the user's hands: no secret, always PKCE (RFC 6749, section 2.1)."""
_BY_PERSON: Final = frozenset({GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN})
GRANTS: Final[Mapping[ClientKind, frozenset[GrantType]]] = {
    ClientKind.WEB: _BY_PERSON | {GrantType.CLIENT_CREDENTIALS},
    ClientKind.SPA: _BY_PERSON,
    ClientKind.NATIVE: _BY_PERSON,
    ClientKind.SERVICE: frozenset({GrantType.CLIENT_CREDENTIALS}),
}
"""What each kind may use."""


@dataclass(frozen=True, slots=True)
class SecretDigest:
    """How a secret is known: SHA-256, since it is machine-made. `expires` is set once a successor is there."""

    digest: bytes
    made: datetime
    expires: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An application. `auth_method` None is either way of showing the secret; a public client has none to show."""

    id: ClientId
    kind: ClientKind
    name: str = ""
    auth_method: AuthMethod | None = None
    secrets: tuple[SecretDigest, ...] = ()
    """The current one first."""
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
    made: datetime | None = None
    version: int = 0

    @property
    def display(self) -> str:
        """What people are told it is called."""
        return self.name or self.id

    @property
    def public(self) -> bool:
        """Whether it cannot keep a secret."""
        return self.kind in PUBLIC

    def accepts(self, method: AuthMethod) -> bool:
        """Whether it may authenticate that way at the token endpoint."""
        if self.public or method is AuthMethod.NONE:
            return self.public and method is AuthMethod.NONE
        return self.auth_method in (None, method)


def completed(client: Client) -> Client:
    """Fill in what follows from the kind: the usual grants, and the method of public clients."""
    usual = (GrantType.CLIENT_CREDENTIALS,) if client.kind is ClientKind.SERVICE else (GrantType.AUTHORIZATION_CODE,)
    return replace(client, grants=client.grants or usual, auth_method=AuthMethod.NONE if client.public else client.auth_method)


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


def flaws(client: Client, *, dev: bool) -> tuple[Flaw, ...]:
    """Return everything that forbids to save it; in dev mode http to this machine is allowed. For what its tenant has see `flaws_beside`."""
    return (*_flaws_of_record(client), *_flaws_of_grants(client), *_flaws_of_uris(client, dev=dev), *_flaws_of_consent(client))


def flaws_beside(client: Client, tenant: tenants.Tenant) -> tuple[Flaw, ...]:
    """Return a flaw for each scope that is no resource's of the tenant and not about the person, and for an algorithm it does not sign with."""
    own = frozenset() if client.kind is ClientKind.SERVICE else tenants.OWN_SCOPES
    known = {*own, *tenants.API_SCOPES, *(scope for resource in tenant.resources for scope in resource.scopes)}
    return (*(Flaw("scopes", *_unknown(scope)) for scope in client.scopes if scope not in known), *_flaws_of_algorithm(client, tenant))


def _flaws_of_algorithm(client: Client, tenant: tenants.Tenant) -> Iterator[Flaw]:
    wanted = client.id_token_signed_response_alg
    if wanted is not None and wanted not in (offered := keys.offered(tenant)):
        names = ", ".join(one.value for one in offered)
        yield Flaw("id_token_signed_response_alg", f"`{wanted.value}` is not what this tenant signs with", f"There are {names} ([tenant.keys] algorithms)")


def _unknown(scope: str) -> tuple[str, str]:
    if scope in tenants.OWN_SCOPES:
        return f"`{scope}` is about a person, and a service is none", "Leave it out"
    return f"`{scope[:60]}` belongs to no resource of this tenant", "Name it in a [[tenant.resource]] first, or leave it out"


def _flaws_of_record(client: Client) -> Iterator[Flaw]:
    if not _ID.fullmatch(client.id):
        yield Flaw("id", f"`{client.id[:60]}` is no client's id", "Up to 100 of letters, digits, `.`, `_`, `~` and `-`")
    if _ANOTHERS_ID.fullmatch(client.id):
        yield Flaw("id", f"`{client.id}` looks like the id of a person or a session", "Choose a name that says what it is")
    for field, text in (("name", client.name), *(("contacts", contact) for contact in client.contacts)):
        if len(text) > _NAME_LIMIT or not text.isprintable():
            yield Flaw(field, f"is longer than {_NAME_LIMIT} characters, or has control characters")
    for scope in client.scopes:
        if not _SCOPE.fullmatch(scope):
            yield Flaw("scopes", f"`{scope[:60]}` is no scope (RFC 6749, section 3.3)")
    yield from _flaws_of_public(client) if client.public else _flaws_of_confidential(client)


def _flaws_of_public(client: Client) -> Iterator[Flaw]:
    if client.secrets:
        yield Flaw("secret", f"a client of kind {client.kind.value} cannot keep one", "Leave it out: PKCE protects it")
    if client.auth_method is not AuthMethod.NONE:
        yield Flaw("auth_method", f"a client of kind {client.kind.value} has no secret to show", "Leave it out")
    if not client.pkce_required:
        yield Flaw("pkce_required", "PKCE is what protects a public client", "Leave it out")


def _flaws_of_confidential(client: Client) -> Iterator[Flaw]:
    if not client.secrets:
        yield Flaw("secret", f"a client of kind {client.kind.value} needs one", "Let `limen client rotate` or the API make one, or give env:NAME")
    if client.auth_method is AuthMethod.NONE:
        yield Flaw("auth_method", f"a client of kind {client.kind.value} has a secret and must show it", "Leave it out")


def _flaws_of_grants(client: Client) -> Iterator[Flaw]:
    kind = client.kind.value
    for grant in client.grants:
        if grant not in GRANTS[client.kind]:
            allowed = ", ".join(sorted(one.value for one in GRANTS[client.kind]))
            yield Flaw("grants", f"`{grant.value}` is not for kind {kind}", f"There are {allowed}")
    if GrantType.REFRESH_TOKEN in client.grants and GrantType.AUTHORIZATION_CODE not in client.grants:
        yield Flaw("grants", "`refresh_token` comes with a code", "Add authorization_code")
    if GrantType.AUTHORIZATION_CODE in client.grants and not client.redirect_uris:
        yield Flaw("redirect_uris", "`authorization_code` needs at least one", 'Write for example ["https://app.example.com/callback"]')
    if GrantType.AUTHORIZATION_CODE not in client.grants and (client.redirect_uris or client.post_logout_redirect_uris):
        yield Flaw("redirect_uris", "without `authorization_code` no browser is sent anywhere", "Leave them out, or add the grant")


def _flaws_of_uris(client: Client, *, dev: bool) -> Iterator[Flaw]:
    native = client.kind is ClientKind.NATIVE
    for field, several in (("redirect_uris", client.redirect_uris), ("post_logout_redirect_uris", client.post_logout_redirect_uris)):
        if len(several) > _MOST:
            yield Flaw(field, f"there are more than {_MOST}")
        if len(set(several)) < len(several):
            yield Flaw(field, "one stands there twice")
        for uri in several[:_MOST]:
            if found := redirects.fault(uri, native=native, dev=dev):
                yield Flaw(field, f"`{_shown(uri)}` {found[0]}", found[1])
    for field, page in (("client_uri", client.client_uri), ("policy_uri", client.policy_uri), ("tos_uri", client.tos_uri)):
        if page is not None and (redirects.fault(page, native=False, dev=dev) or urlsplit(page).scheme not in ("http", "https")):
            yield Flaw(field, f"`{_shown(page)}` is no web page", 'Write for example "https://example.com/terms"')


def _flaws_of_consent(client: Client) -> Iterator[Flaw]:
    """Without a question nothing but its address tells an app: one that another app on the device could claim is not enough (RFC 8252, 8.6)."""
    if client.consent is ConsentRule.ASK:
        return
    if GrantType.AUTHORIZATION_CODE not in client.grants:
        yield Flaw("consent", "without `authorization_code` nobody is asked", "Leave it out")
    if any(not is_assured(client, uri) for uri in client.redirect_uris):
        yield Flaw(
            "consent",
            "`none` is not for a native app that is reached by a scheme of its own or by loopback: another app could come in its name (RFC 8252, 8.6)",
            "Register https addresses that the app has claimed, or leave people to be asked",
        )


def _shown(uri: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in uri[:80])
