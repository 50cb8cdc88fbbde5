"""What a tenant lets applications have that register by themselves. Each refusal says what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

from limen.modules import tenants
from limen.modules.clients.model import LOCALHOST, Client, Registered, is_local, is_native
from limen.modules.clients.settings import Openness, Tenant
from limen.modules.clients.store import registrations
from limen.modules.tenants import Flaw
from limen.platform.sql import Reader

_SINGLE: Final = (
    *("client_uri", "policy_uri", "tos_uri", "logo_uri", "jwks_uri", "sector_identifier_uri", "initiate_login_uri"),
    *("frontchannel_logout_uri", "backchannel_logout_uri", "backchannel_client_notification_endpoint"),
)
_LISTS: Final = ("redirect_uris", "post_logout_redirect_uris", "request_uris")


async def policy(reader: Reader) -> Tenant:
    """Return what the tenant says of registrations."""
    return await tenants.settings(reader, Tenant.section, Tenant)


def policy_of(tenant: tenants.Tenant) -> Tenant:
    """Return what `policy` does, of a tenant at hand."""
    return tenants.settings_of(tenant, Tenant.section, Tenant)


async def openness(reader: Reader, *, dev: bool) -> Openness:
    """Return who may register with the tenant."""
    return (await policy(reader)).openness(dev=dev)


def refusals(client: Client, allowed: Tenant) -> tuple[Flaw, ...]:
    """Return everything the policy forbids a client to have."""
    return (
        *_of_choices("grants", (one.value for one in client.grants), (one.value for one in allowed.grants)),
        *_of_choices("auth_method", (client.auth_method.value,) if client.auth_method else (), (one.value for one in allowed.auth_methods)),
        *_of_choices("response_types", client.response_types, (_sorted(one) for one in allowed.response_types)),
        *_of_choices("scopes", client.scopes, allowed.scopes),
        *_of_addresses(client, allowed),
    )


async def is_vouched_for(reader: Reader, client: Client, uri: str) -> bool:
    """Whether a browser may be sent to an address of a client's before its person wanted that: somebody here answers for where it leads.

    An operator, an initial access token, a software statement, or the policy; and what is on the person's own device is no place to lure her to.
    """
    if client.registered in (Registered.OPERATOR, Registered.TOKEN):
        return True
    allowed = await policy(reader)
    if allowed.trust_addresses or is_native(uri) or _is_among(urlsplit(uri).hostname or "", allowed):
        return True
    registration = await registrations.find(reader, client.id)
    return registration is not None and registration.issuer is not None


def _sorted(words: str) -> str:
    return " ".join(sorted(words.split()))


def _of_choices(field: str, wanted: Iterable[str], allowed: Iterable[str]) -> Iterator[Flaw]:
    there = tuple(allowed)
    for one in wanted:
        if one not in there and _sorted(one) not in there:
            yield Flaw(field, f"`{one[:60]}` is not given to applications that register here", f"There are {', '.join(there)}" if there else "There is none")


def _of_addresses(client: Client, allowed: Tenant) -> Iterator[Flaw]:
    for field, uri in _addresses(client):
        if is_native(uri):
            yield from _of_native(field, uri, allowed)
        elif allowed.hosts and not _is_among(urlsplit(uri).hostname or "", allowed):
            yield Flaw(field, "is on a host that is not allowed here", f"There are {', '.join(allowed.hosts)}")


def _addresses(client: Client) -> Iterator[tuple[str, str]]:
    for field in _LISTS:
        yield from ((field, uri) for uri in getattr(client, field))
    yield from ((field, uri) for field in _SINGLE if (uri := getattr(client, field)) is not None)


def _of_native(field: str, uri: str, allowed: Tenant) -> Iterator[Flaw]:
    if uri.startswith("http:"):
        if not allowed.loopback:
            yield Flaw(field, "is a loopback address, which is not allowed here", "Use an https address")
        elif not allowed.localhost and urlsplit(uri).hostname == LOCALHOST:
            yield Flaw(field, "is localhost by name, which is not allowed here", "Use http://127.0.0.1 or http://[::1]: any port matches")
    elif not allowed.private_use:
        yield Flaw(field, "has a scheme of its own, which is not allowed here", "Use an https address" + (", or http://127.0.0.1" if allowed.loopback else ""))


def _is_among(host: str, allowed: Tenant) -> bool:
    """Whether a host is one that is named, or under one; this machine by name (dev mode lets it pass until here) goes with loopback."""
    if is_local(host):
        return allowed.loopback
    return any(host == one or (one.startswith(".") and host.endswith(one)) for one in allowed.hosts)
