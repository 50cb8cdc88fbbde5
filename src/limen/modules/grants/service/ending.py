"""How grants end: one, those of a session, of an app, or all of an account."""

from __future__ import annotations

import msgspec

from limen.kernel.ids import AccountId, ClientId, GrantId, SessionId
from limen.modules.grants import jobs
from limen.modules.grants.facts import AllEnded
from limen.modules.grants.model import Ending
from limen.modules.grants.store import grants
from limen.platform.outbox import enqueue
from limen.platform.sql import Work


async def end(work: Work, grant: GrantId, why: Ending) -> bool:
    """End one grant and with it every token of it; False if it had ended before or never began."""
    return await jobs.end_these(work, [grant], why) > 0


async def end_of_session(work: Work, session: SessionId, *, offline_too: bool) -> None:
    """End what came from a session; with `offline_too` also what was granted to outlive it."""
    if await jobs.end_some_of_session(work, session, offline_too=offline_too):
        await enqueue(work, jobs.END_OF_SESSION, jobs.EndOfSession(session=session, offline_too=offline_too))


async def end_of_client(work: Work, account: AccountId, client: ClientId, why: Ending) -> None:
    """End what an account granted to one client."""
    if await jobs.end_some_of_client(work, account, client, why):
        await enqueue(work, jobs.END_OF_CLIENT, jobs.EndOfClient(account=account, client=client, why=why))


async def narrow_of_client(work: Work, account: AccountId, client: ClientId, lost: tuple[str, ...]) -> None:
    """Take scopes from what an account granted to one client; a token asked about from now on has the others alone."""
    what = jobs.Narrow(account=account, client=client, lost=lost)
    if after := await jobs.narrow_some_of_client(work, what):
        await enqueue(work, jobs.NARROW, msgspec.structs.replace(what, after=after))


async def end_all(work: Work, account: AccountId, keep: SessionId | None = None) -> None:
    """End every grant of an account, save those of the session `keep`: all are dead when this commits, however many there are."""
    floor = await grants.raise_floor(work, account, keep)
    work.record(AllEnded(subject=account, kept=keep))
    if await jobs.end_some_of_account(work, account, floor):
        await enqueue(work, jobs.END_ALL, jobs.EndAll(account=account, floor=floor))
