"""What forbids to save an application, each said so that its developer knows what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from limen.modules import keys, tenants
from limen.modules.clients.model import redirects
from limen.modules.clients.model.client import (
    ASKS_PEOPLE,
    BROWSERS,
    GIVES_REFRESH,
    GRANTS,
    AuthMethod,
    Client,
    ClientKind,
    ConsentRule,
    GrantType,
    Registered,
    is_assured,
)
from limen.modules.clients.model.documents import document_fault
from limen.modules.clients.model.protocol import FAPI_ALGS, flaws_of_metadata
from limen.modules.tenants import Flaw

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,99}")
_ANOTHERS_ID: Final = re.compile(r"(?!cli_)[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}")
"""How people, sessions and grants are called here: a service of such a name would pass for one in `sub` (RFC 9700, section 4.15)."""
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}")  # RFC 6749, section 3.3
_MOST: Final = 50
_NAME_LIMIT: Final = 100


def flaws(client: Client, *, dev: bool) -> tuple[Flaw, ...]:
    """Return everything that forbids to save it; in dev mode http to this machine is allowed. For what its tenant has see `flaws_beside`."""
    return (
        *_flaws_of_record(client),
        *_flaws_of_grants(client),
        *_flaws_of_uris(client, dev=dev),
        *_flaws_of_consent(client),
        *flaws_of_metadata(client, dev=dev),
    )


def flaws_beside(client: Client, tenant: tenants.Tenant) -> tuple[Flaw, ...]:
    """Return a flaw for each scope that is no resource's of the tenant and not about the person, and for algorithms that do not fit."""
    own = frozenset() if client.kind is ClientKind.SERVICE else tenants.OWN_SCOPES
    known = {*own, *tenants.API_SCOPES, *(scope for resource in tenant.resources for scope in resource.scopes)}
    return (
        *(Flaw("scopes", *_unknown(scope)) for scope in client.scopes if scope not in known),
        *_flaws_of_algorithm(client, tenant),
        *_flaws_of_profile(client, tenant),
    )


_OURS: Final = ("id_token_signed_response_alg", "userinfo_signed_response_alg", "authorization_signed_response_alg", "introspection_signed_response_alg")


def _flaws_of_algorithm(client: Client, tenant: tenants.Tenant) -> Iterator[Flaw]:
    offered = keys.offered(tenant)
    for name in _OURS:
        wanted = getattr(client, name)
        if wanted is not None and wanted not in offered:
            names = ", ".join(one.value for one in offered)
            yield Flaw(name, f"`{wanted.value}` is not what this tenant signs with", f"There are {names} ([tenant.keys] algorithms)")


def _flaws_of_profile(client: Client, tenant: tenants.Tenant) -> Iterator[Flaw]:
    """The tenant's first algorithm signs access tokens, and whatever else the client names none for (FAPI 2.0 Security Profile, section 5.4.1)."""
    first = keys.offered(tenant)[0]
    if client.fapi and first not in FAPI_ALGS:
        yield Flaw("profile", f"this tenant signs with {first.value} first, which FAPI 2.0 does not take", "Put ES256 first in [tenant.keys] algorithms")


def _unknown(scope: str) -> tuple[str, str]:
    if scope in tenants.OWN_SCOPES:
        return f"`{scope}` is about a person, and a service is none", "Leave it out"
    return f"`{scope[:60]}` belongs to no resource of this tenant", "Name it in a [[tenant.resource]] first, or leave it out"


def _flaws_of_record(client: Client) -> Iterator[Flaw]:
    yield from _flaws_of_id(client)
    for field, text in (("name", client.name), *(("contacts", contact) for contact in client.contacts)):
        if len(text) > _NAME_LIMIT or not text.isprintable():
            yield Flaw(field, f"is longer than {_NAME_LIMIT} characters, or has control characters")
    for scope in client.scopes:
        if not _SCOPE.fullmatch(scope):
            yield Flaw("scopes", f"`{scope[:60]}` is no scope (RFC 6749, section 3.3)")
    yield from _flaws_of_public(client) if client.public else _flaws_of_confidential(client)


def _flaws_of_id(client: Client) -> Iterator[Flaw]:
    if client.registered is Registered.DOCUMENT:
        if fault := document_fault(client.id):
            yield Flaw("id", fault)
    elif not _ID.fullmatch(client.id):
        yield Flaw("id", f"`{client.id[:60]}` is no client's id", "Up to 100 of letters, digits, `.`, `_`, `~` and `-`")
    if _ANOTHERS_ID.fullmatch(client.id):
        yield Flaw("id", f"`{client.id}` looks like the id of a person or a session", "Choose a name that says what it is")


def _flaws_of_public(client: Client) -> Iterator[Flaw]:
    if client.secrets:
        yield Flaw("secret", f"a client of kind {client.kind.value} cannot keep one", "Leave it out: PKCE protects it")
    if client.auth_method is not AuthMethod.NONE:
        yield Flaw("auth_method", f"a client of kind {client.kind.value} has no secret to show", "Leave it out")
    if not client.pkce_required:
        yield Flaw("pkce_required", "PKCE is what protects a public client", "Leave it out")


def _flaws_of_confidential(client: Client) -> Iterator[Flaw]:
    if client.needs_secret and not client.secrets:
        yield Flaw("secret", f"a client of kind {client.kind.value} needs one", "Let `limen client rotate` or the API make one, or give env:NAME")
    if client.auth_method is AuthMethod.NONE:
        yield Flaw("auth_method", f"a client of kind {client.kind.value} has a secret and must show it", "Leave it out")


def _flaws_of_grants(client: Client) -> Iterator[Flaw]:
    kind = client.kind.value
    for grant in client.grants:
        if grant not in GRANTS[client.kind]:
            allowed = ", ".join(sorted(one.value for one in GRANTS[client.kind]))
            yield Flaw("grants", f"`{grant.value}` is not for kind {kind}", f"There are {allowed}")
    if GrantType.REFRESH_TOKEN in client.grants and GIVES_REFRESH.isdisjoint(client.grants):
        yield Flaw("grants", "`refresh_token` comes with a code", "Add authorization_code")
    if not BROWSERS.isdisjoint(client.grants) and not client.redirect_uris:
        yield Flaw("redirect_uris", "`authorization_code` needs at least one", 'Write for example ["https://app.example.com/callback"]')
    if BROWSERS.isdisjoint(client.grants) and (client.redirect_uris or client.post_logout_redirect_uris):
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
    if ASKS_PEOPLE.isdisjoint(client.grants):
        yield Flaw("consent", "without `authorization_code` nobody is asked", "Leave it out")
    if any(not is_assured(client, uri) for uri in client.redirect_uris):
        yield Flaw(
            "consent",
            "`none` is not for a native app that is reached by a scheme of its own or by loopback: another app could come in its name (RFC 8252, 8.6)",
            "Register https addresses that the app has claimed, or leave people to be asked",
        )


def _shown(uri: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in uri[:80])
