"""Finding, saving and dropping clients, and their secrets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from limen.kernel import secrets
from limen.kernel.ids import ClientId
from limen.kernel.secrets import Secret
from limen.modules import keys, tenants
from limen.modules.clients.errors import ClientChangedMeanwhile, InvalidClient, NoSuchClient
from limen.modules.clients.facts import ClientChanged, ClientDropped, SecretRotated
from limen.modules.clients.model import OVERLAP, SECRETS, Client, completed, flaws, flaws_beside, new_secret, with_secret
from limen.modules.clients.store import clients as store
from limen.modules.clients.store import registrations
from limen.modules.tenants import Flaw, Tenant
from limen.platform.sql import Cached, Reader, Work

_PAGE: Final = 200
_CACHE: Final[Cached[ClientId, Client]] = Cached("clients", load=store.find, limit=20_000)


async def find(reader: Reader, client: ClientId) -> Client | None:
    """Return a client, from memory where it is there."""
    return await _CACHE.get(reader, client)


async def take(work: Work, client: ClientId) -> Client:
    """Return a client as it is in the database, and hold its row; NoSuchClient."""
    held = await store.take(work, client)
    if held is None:
        raise NoSuchClient("there is no such client")
    return held


async def named(reader: Reader, clients: Collection[ClientId]) -> dict[ClientId, Client]:
    """Return those of these that there are, as they are in the database."""
    return {one.id: one for one in await store.named(reader, clients)} if clients else {}


@dataclass(frozen=True, slots=True)
class Held:
    """What several clients are saved upon, asked for once: their tenant, and those of them that there are, with their rows held."""

    tenant: Tenant
    clients: Mapping[ClientId, Client]


async def hold(work: Work, clients: Collection[ClientId]) -> Held:
    """Return what `save` needs in this Work for any of these clients."""
    tenant = await tenants.find(work)
    return Held(tenant, {one.id: one for one in await store.take_named(work, clients)})


async def every(reader: Reader) -> AsyncIterator[Client]:
    """Go through all clients of the tenant in order, page by page."""
    after = ""
    while page := await store.page(reader, after, _PAGE):
        for client in page:
            yield client
        after = page[-1].id


async def list_of(reader: Reader, after: str = "", limit: int = 100) -> list[Client]:
    """Return up to `limit` clients after an id, in order; a full page means there may be more."""
    return await store.page(reader, after, limit)


async def save(work: Work, client: Client, *, dev: bool = False, expected: int | None = None, held: Held | None = None) -> tuple[str, ...]:
    """Register or change a client; return the fields that changed, nothing if it is as it was.

    `dev` allows http to this machine. `expected` is the version the change builds on (0: it must be new): ClientChangedMeanwhile
    if it is another by now. `held` is what `hold` returned in this Work, if this client was among those. InvalidClient says what
    forbids it.
    """
    client = completed(client)
    found = (*flaws(client, dev=dev), *flaws_beside(client, held.tenant if held else await tenants.find(work)))
    if client.signs_with_secret and client.sealed_secret is None:
        found = (*found, Flaw("secret", "is needed in full, since the client signs with it", "Give it anew, or let `limen client rotate` make one"))
    if found:
        raise InvalidClient(*found)
    before = held.clients.get(client.id) if held else await store.take(work, client.id)
    if expected is not None and expected != (before.version if before else 0):
        raise ClientChangedMeanwhile("it was changed since it was read; read it again")
    changed = changes(client, before)
    if not changed:
        return ()
    if before is not None:
        await store.put(work, replace(client, made=before.made, version=before.version + 1))
        if before.dynamic and not client.dynamic:  # an operator made it one of hers
            await registrations.keep(work, client.id)
    elif not await store.add(work, replace(client, made=work.now, version=1)):
        raise ClientChangedMeanwhile("it was made a moment ago; read it again")
    _CACHE.changed(work, client.id)
    work.record(ClientChanged(client=client.id, made=before is None, changed=changed))
    return changed


def changes(client: Client, before: Client | None) -> tuple[str, ...]:
    """Return the fields in which a client differs from what it was."""
    return tuple(name for name in (*store.FIELDS, "registered") if before is None or getattr(before, name) != getattr(client, name))


async def drop(work: Work, client: ClientId) -> bool:
    """Delete a client; False if there was none. What it was given ends, by the reactions to the fact."""
    if not await store.drop(work, client):
        return False
    await registrations.drop(work, client)
    _CACHE.changed(work, client)
    work.record(ClientDropped(client=client))
    return True


async def rotate_secret(work: Work, client: ClientId, *, overlap: timedelta = OVERLAP) -> Secret[str]:
    """Give a client a new secret; the previous one works for `overlap` more, with zero it ends at once. NoSuchClient, InvalidClient."""
    held = await take(work, client)
    if held.public:
        raise InvalidClient(Flaw("secret", f"a client of kind {held.kind.value} cannot keep one"))
    secret = new_secret()
    renewed = await sealing(work, with_secret(held, secret, work.now, overlap), secret)
    await store.put(work, replace(renewed, version=held.version + 1))
    _CACHE.changed(work, client)
    work.record(SecretRotated(client=client, overlap=int(overlap.total_seconds())))
    return secret


async def sealing(work: Work, client: Client, secret: Secret[str] | None) -> Client:
    """Return the client with this secret kept sealed too, if it is one that signs with it; its digest is what all others have.

    `None`: no other secret was given, so that what is kept stays.
    """
    if not client.signs_with_secret:
        return replace(client, sealed_secret=None)
    if secret is None:
        return client
    kept = await shared_secret(work, client)
    if kept is not None and secrets.same(kept, secret.reveal().encode()):
        return client
    box = await keys.tenant_box(work, SECRETS)
    return replace(client, sealed_secret=box.seal(secret.reveal().encode(), store.secret_place(work, client.id)))


async def shared_secret(reader: Reader, client: Client) -> bytes | None:
    """Return the secret of a client that signs with it; None where it is kept as a digest only, as most are."""
    if client.sealed_secret is None:
        return None
    box = await keys.tenant_box(reader, SECRETS)
    return box.open(client.sealed_secret, store.secret_place(reader, client.id))
