"""What grants do when sessions end, consents are withdrawn and clients go."""

from __future__ import annotations

from typing import Final

from limen.modules import clients, consents, sessions
from limen.modules.grants import jobs
from limen.modules.grants.model import Ending
from limen.modules.grants.service import ending
from limen.platform.outbox import enqueue
from limen.platform.sql import Reaction, Work


async def _session_ended(work: Work, fact: sessions.SessionEnded) -> None:
    await ending.end_of_session(work, fact.session, offline_too=not fact.reason.keeps_offline)


async def _all_sessions_ended(work: Work, fact: sessions.AllEnded) -> None:
    if fact.subject is not None and not fact.reason.keeps_offline:
        await ending.end_all(work, fact.subject, fact.kept)


async def _consent_withdrawn(work: Work, fact: consents.ConsentWithdrawn) -> None:
    if fact.subject is None:
        return
    if fact.whole:
        await ending.end_of_client(work, fact.subject, fact.client, Ending.CONSENT_WITHDRAWN)
    else:
        await ending.narrow_of_client(work, fact.subject, fact.client, fact.scopes)


async def _client_dropped(work: Work, fact: clients.ClientDropped) -> None:
    """Its tokens are dead already, since nobody is there they were issued to; a client of the same name must not inherit them."""
    await enqueue(work, jobs.END_OF_APP, jobs.EndOfApp(fact.client))


REACTIONS: Final[dict[str, Reaction]] = {
    sessions.SessionEnded.name: _session_ended,
    sessions.AllEnded.name: _all_sessions_ended,
    consents.ConsentWithdrawn.name: _consent_withdrawn,
    clients.ClientDropped.name: _client_dropped,
}
