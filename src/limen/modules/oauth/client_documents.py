"""Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document-01): a client_id that is an https address is read there.

Off unless a tenant says `[tenant.registration] client_id_documents = true`. What was read is kept as a client like any other for as long
as the document's header fields say, so that only the authorization endpoint ever fetches, and of several who ask at once one does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary

import structlog

from limen.kernel.errors import LimenError
from limen.kernel.ids import ClientId, TenantId
from limen.modules import clients
from limen.modules.clients import Client, ClientChangedMeanwhile, InvalidClient, Proposal
from limen.modules.oauth import advice, arrivals
from limen.modules.oauth.errors import UnknownClient
from limen.modules.tenants import Flaw
from limen.platform.http import Call, Fetched, Fetcher, FetchFailed, FetchRefused
from limen.platform.sql import Database
from limen.platform.wire import bodies
from limen.platform.wire.bodies import BadJson

SCHEME: Final = "https://"
FAILED_FOR: Final = timedelta(minutes=1)
"""An address that gave no good document is not asked again for so long."""
STALE: Final = timedelta(hours=24)
"""A document that cannot be read again serves on for so long (RFC 9111, section 4.2.4)."""

_MOST_FAILED: Final = 2_000
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class _Failure:
    """An address gave nothing good; `serves_on`: it could not be reached, so what it said before still counts."""

    until: datetime
    serves_on: bool


_FAILED: Final[WeakKeyDictionary[Database, dict[tuple[TenantId, str], _Failure]]] = WeakKeyDictionary()
_UNDER_WAY: Final[WeakKeyDictionary[Database, dict[tuple[TenantId, str], asyncio.Task[Client | _Failure]]]] = WeakKeyDictionary()
_log = structlog.stdlib.get_logger(__name__)


def is_document(client: str) -> bool:
    """Whether a client_id is meant as the address of a document."""
    return client.startswith(SCHEME)


async def check(call: Call, client: ClientId) -> None:
    """See to it that the client of a document can be found; of any other client_id nothing is done. UnknownClient."""
    if is_document(client) and await find(call, client) is None:
        raise UnknownClient


async def find(call: Call, client: ClientId) -> Client | None:
    """Return the client a document describes, read where it is not known or not fresh any more; call it outside any Work or read.

    None where the tenant takes none, or the document is not there or not good: why, the log says. SlowDown.
    """
    async with call.read() as read:
        allowed = await clients.policy(read)
        known = await clients.documented(read, client) if allowed.client_id_documents else None
        now = read.now
    if not allowed.client_id_documents or clients.document_fault(client):
        return None
    if known is not None and now < known[1]:
        return known[0]
    return await _read_once(call, client, known, allowed.hourly)


async def _read_once(call: Call, client: ClientId, known: tuple[Client, datetime] | None, hourly: int | None) -> Client | None:
    key, db, now = (call.tenant, client), call.db, call.db.clock.now()
    old = known[0] if known is not None and now < known[1] + STALE else None
    failed = _FAILED.setdefault(db, {}).get(key)
    if failed is not None and now < failed.until:
        return old if failed.serves_on else None
    under_way = _UNDER_WAY.setdefault(db, {})
    task = under_way.get(key)
    if task is None:
        if known is None:
            arrivals.count(call, hourly)
        task = under_way[key] = asyncio.create_task(_read(call, client, known[0] if known else None))
        task.add_done_callback(lambda _: under_way.pop(key, None))
    found = await asyncio.shield(task)
    if not isinstance(found, _Failure):
        return found
    await call.refused("client_document_refused")
    advice.tell_reason("client_document_refused", client=client)
    return old if found.serves_on else None


async def _read(call: Call, client: ClientId, before: Client | None) -> Client | _Failure:
    """Fetch a document and save what it says."""
    dev = call.site.dev
    try:
        got = await Fetcher(own_machine=dev, limit=clients.DOCUMENT_LIMIT).get(client)
        said = _said(client, got)
        async with call.read() as read:
            proposal = await clients.propose(read, said, dev=dev, before=before, document=client)
        return await _saved(call, proposal, got)
    except (FetchFailed, FetchRefused, BadJson, InvalidClient, clients.NoSuchClient, clients.TooManyClients) as trouble:
        return _failed(call, client, trouble)


def _failed(call: Call, client: ClientId, trouble: LimenError) -> _Failure:
    """Keep in mind that it failed, and tell the operator why, once a minute for each address: the person only sees that the app is unknown."""
    _log.info("oauth.client_document_refused", tenant=call.tenant, client=client, error=trouble.code, reason=trouble.operator)
    failures = _FAILED.setdefault(call.db, {})
    if len(failures) >= _MOST_FAILED:
        failures.clear()
    found = failures[call.tenant, client] = _Failure(call.db.clock.now() + FAILED_FOR, serves_on=isinstance(trouble, FetchFailed))
    return found


def _said(client: ClientId, got: Fetched) -> dict[str, object]:
    json = got.media_type == "application/json" or (got.media_type.startswith("application/") and got.media_type.endswith("+json"))
    if got.status != _OK or not json:
        raise InvalidClient(Flaw("client_id", f"answers with status {got.status} and {got.media_type[:60] or 'no media type'}"))
    return clients.read_document(client, bodies.read(got.body, dict[str, object]))


async def _saved(call: Call, proposal: Proposal, got: Fetched) -> Client:
    headers = {name.lower(): value for name, value in got.headers.items()}
    try:
        async with call.work() as work:
            fresh_until = work.now + clients.fresh_for(headers, work.now)
            await clients.save_document(work, proposal, fresh_until, dev=call.site.dev)
    except ClientChangedMeanwhile:
        pass  # another process read it in the same moment
    async with call.work() as work:
        return await clients.take(work, proposal.client.id)
