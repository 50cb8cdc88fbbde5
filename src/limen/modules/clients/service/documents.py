"""Clients whose id is the address of a document: kept like any other once it was read, so that nobody has to fetch it to find them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from limen.kernel.ids import ClientId
from limen.modules.clients.errors import TooManyClients
from limen.modules.clients.facts import ClientRegistered
from limen.modules.clients.model import Client, Registered
from limen.modules.clients.service import records
from limen.modules.clients.service.policy import policy
from limen.modules.clients.service.registering import Proposal
from limen.modules.clients.store import registrations
from limen.modules.clients.store.registrations import Registration
from limen.platform.sql import Reader, Work

UNUSED: Final = timedelta(days=1)
"""A document that nobody let in is forgotten after so long; it can be read again."""


async def documented(reader: Reader, client: ClientId) -> tuple[Client, datetime] | None:
    """Return the client of a document that was read before, and until when it serves without being read again."""
    found = await records.find(reader, client)
    if found is None or found.registered is not Registered.DOCUMENT:
        return None
    registration = await registrations.find(reader, client)
    return None if registration is None or registration.fresh_until is None else (found, registration.fresh_until)


async def save_document(work: Work, proposal: Proposal, fresh_until: datetime, *, dev: bool = False) -> None:
    """Save what a document says, for the first time or anew. TooManyClients, ClientChangedMeanwhile where another process was first."""
    allowed = await policy(work)
    client = replace(proposal.client, registered=Registered.DOCUMENT)
    known = proposal.before is not None
    if not known and await registrations.count(work) >= allowed.max_clients:
        raise TooManyClients("No more applications can come here.", operator="[tenant.registration] max_clients is reached")
    await records.save(work, client, dev=dev, expected=None if known else 0)
    await registrations.put(work, Registration(client=client.id, made=work.now, drop_at=None if known else work.now + UNUSED, fresh_until=fresh_until))
    if not known:
        work.record(ClientRegistered(client=client.id, by=Registered.DOCUMENT))
