"""Applications that register by themselves and manage what they registered (RFC 7591, RFC 7592), within the tenant's policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from limen.kernel import secrets
from limen.kernel.ids import ClientId, TenantId, new
from limen.kernel.secrets import Secret
from limen.modules import keys, tenants
from limen.modules.clients.errors import InvalidClient, InvalidStatement, NoSuchClient, RegistrationTokenRefused, TooManyClients
from limen.modules.clients.facts import ClientRegistered
from limen.modules.clients.model import ASKS_PEOPLE, Client, Registered, client_of, flaws, flaws_beside, new_secret, with_secret
from limen.modules.clients.service import records
from limen.modules.clients.service.policy import policy, refusals
from limen.modules.clients.settings import NEVER
from limen.modules.clients.store import registrations, tokens
from limen.modules.clients.store.registrations import Registration
from limen.modules.tenants import Flaw
from limen.platform.sql import Reader, Work
from limen.platform.wire.jose import Alg

ACCESS_PREFIX: Final = "lmn_ra_"
"""Of registration access tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A client as it is to be, sound and allowed, with the secret that was made for it; `before` is the one it replaces."""

    client: Client
    secret: Secret[str] | None = None
    before: Client | None = None


async def propose(reader: Reader, said: Mapping[str, object], *, dev: bool, before: Client | None = None, document: ClientId | None = None) -> Proposal:
    """Return the client of what an application says (`read_metadata`). InvalidClient with everything that forbids it.

    `before` is what it is now; `document` is where a document says it (`read_document`).
    """
    allowed, tenant = await policy(reader), await tenants.find(reader)
    client = client_of(before.id if before else document or ClientId(new("cli", reader.now)), said, allowed.scopes)
    client = replace(client, registered=before.registered if before else Registered.DOCUMENT if document else Registered.OPERATOR)
    if client.id_token_signed_response_alg is None and Alg.RS256 in keys.offered(tenant) and not ASKS_PEOPLE.isdisjoint(client.grants):
        client = replace(client, id_token_signed_response_alg=Alg.RS256)  # OpenID Connect Registration 1.0, section 2
    client = replace(client, pkce_required=allowed.pkce_required or client.public, legacy=allowed.legacy and not client.public)
    secret = None
    if client.needs_secret and before is not None and before.secrets and (before.sealed_secret or not client.signs_with_secret):
        client = replace(client, secrets=before.secrets, sealed_secret=before.sealed_secret)
    elif client.needs_secret:
        secret = new_secret()
        client = with_secret(client, secret, reader.now)
    if found := (*refusals(client, allowed), *flaws(client, dev=dev), *flaws_beside(client, tenant)):
        raise InvalidClient(*dict.fromkeys(found))
    return Proposal(client=client, secret=secret, before=before)


async def register(work: Work, proposal: Proposal, *, initial: str | None = None, issuer: str | None = None, dev: bool = False) -> Secret[str]:
    """Save a new client and return its registration access token, which is known by its digest from here on.

    `initial` is the initial access token it came with, used up by one; None: anybody's. RegistrationTokenRefused, TooManyClients.
    """
    allowed = await policy(work)
    token = None if initial is None else await tokens.use(work, secrets.digest(initial))
    if initial is not None and token is None:
        raise RegistrationTokenRefused("The initial access token is unknown, used up or too old.")
    if await registrations.count(work) >= allowed.max_clients:
        raise TooManyClients("No more applications can register here.", operator="[tenant.registration] max_clients is reached")
    client = replace(proposal.client, registered=_came_by(token))
    await records.save(work, await records.sealing(work, client, proposal.secret), dev=dev, expected=0)
    access = Secret(secrets.token(ACCESS_PREFIX))
    drop_at = work.now + allowed.drop_unused if _may_go(client, allowed.drop_unused) else None
    await registrations.add(
        work, Registration(client=client.id, made=work.now, digest=secrets.digest(access.reveal()), token=token, issuer=issuer, drop_at=drop_at)
    )
    work.record(ClientRegistered(client=client.id, by=client.registered, token=token or "", issuer=issuer or ""))
    return access


def _may_go(client: Client, after: timedelta) -> bool:
    """Whether it goes if nobody lets it in: that is seen of those that ask people alone."""
    return after > NEVER and client.registered is not Registered.TOKEN and not ASKS_PEOPLE.isdisjoint(client.grants)


async def managed(reader: Reader, client: ClientId, access: str) -> Client:
    """Return the client whose registration access token this is, as it is in the database; RegistrationTokenRefused, whatever is wrong."""
    registration = await registrations.find(reader, client)
    good = registration is not None and registration.digest is not None and secrets.same(secrets.digest(access), registration.digest)
    found = (await records.named(reader, [client])).get(client) if good else None
    if found is None:
        raise RegistrationTokenRefused("The registration access token is not this client's, or the client is gone.")
    return found


async def change(work: Work, proposal: Proposal, *, issuer: str | None = None, dev: bool = False) -> None:
    """Save a client in place of what it was; one that somebody vouched for needs that again. ClientChangedMeanwhile, NoSuchClient, InvalidStatement.

    What an operator had made one of hers is the application's own word again, once that says anything new: people are warned of it.
    """
    registration = await registrations.find(work, proposal.client.id)
    if proposal.before is None or registration is None:
        raise NoSuchClient("there is no such client")
    if registration.issuer is not None and registration.issuer != issuer:
        raise InvalidStatement(Flaw("software_statement", f"of {registration.issuer} is needed, as at registration"))
    client = await records.sealing(work, proposal.client, proposal.secret)
    if not client.dynamic and records.changes(client, proposal.before):
        client = replace(client, registered=_came_by(registration.token))
    await records.save(work, client, dev=dev, expected=proposal.before.version)


def _came_by(token: str | None) -> Registered:
    """Return how a client registered, by the initial access token it showed."""
    return Registered.ANYONE if token is None else Registered.TOKEN


async def keep(work: Work, client: ClientId) -> None:
    """Say that somebody let a client in: it stays."""
    known = await records.find(work, client)
    if known is not None and known.dynamic:
        await registrations.keep(work, client)


async def unused(reader: Reader, most: int) -> list[tuple[TenantId, ClientId]]:
    """Return clients of all tenants that nobody let in within their time."""
    return await registrations.unused(reader, most)


async def drop_unused(work: Work, client: ClientId) -> bool:
    """Delete a client unless somebody let it in by now."""
    return await registrations.take_unused(work, client) and await records.drop(work, client)
