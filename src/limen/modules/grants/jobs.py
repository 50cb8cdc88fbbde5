"""Ending grants a bounded number at a time, in the transaction at hand and, where there are more, by outbox work; and the clearing away of old rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import AccountId, ClientId, GrantId, SessionId
from limen.modules import keys
from limen.modules.grants.facts import GrantEnded, GrantNarrowed
from limen.modules.grants.model import FAMILIES, OFFLINE, Ending, family_place
from limen.modules.grants.store import codes, grants, tokens
from limen.platform.outbox import Job, JobKind, order_hourly
from limen.platform.sql import Work

AT_ONCE: Final = 100
"""As many grants end in one transaction; beyond, a job goes on."""
KEPT_AFTER_END: Final = timedelta(days=30)
"""Grants stay so long after their last limit, so that what comes late is told from what never was."""
_SWEPT_AT_ONCE: Final = 500
_RESEALED_AT_ONCE: Final = 100


class EndAll(msgspec.Struct, frozen=True, kw_only=True):
    """More grants of an account are to be ended than one transaction takes."""

    account: AccountId
    floor: datetime


class EndOfSession(msgspec.Struct, frozen=True, kw_only=True):
    """Likewise of a session."""

    session: SessionId
    offline_too: bool


class EndOfClient(msgspec.Struct, frozen=True, kw_only=True):
    """Likewise of an account and a client."""

    account: AccountId
    client: ClientId
    why: Ending


class Narrow(msgspec.Struct, frozen=True, kw_only=True):
    """More grants of an account to a client are to lose scopes than one transaction takes; `after` is the last one that did."""

    account: AccountId
    client: ClientId
    lost: tuple[str, ...]
    after: str = ""


class EndOfApp(msgspec.Struct, frozen=True):
    """A client is gone, and with it whatever anybody granted to it."""

    client: ClientId


class Sweep(msgspec.Struct, frozen=True):
    """Clear away what nothing hangs on any more."""


async def end_these(work: Work, ending: Sequence[GrantId], why: Ending) -> int:
    """End these grants, each with its fact; return how many had not ended before."""
    ended = await grants.end(work, ending, why)
    for row in ended:
        work.record(GrantEnded(subject=row.account, grant=row.id, client=row.client, session=row.session, offline=OFFLINE in row.scopes, reason=why))
    return len(ended)


async def end_some_of_account(work: Work, account: AccountId, floor: datetime) -> bool:
    """End a bounded number of an account's grants that lie below its floor; True if there are more."""
    found = await grants.open_of_account(work, account, floor, AT_ONCE + 1)
    await end_these(work, found[:AT_ONCE], Ending.ACCOUNT_CLEARED)
    return len(found) > AT_ONCE


async def end_some_of_client(work: Work, account: AccountId, client: ClientId, why: Ending) -> bool:
    """End a bounded number of what an account granted to a client; True if there are more."""
    found = await grants.open_of_client(work, account, client, AT_ONCE + 1)
    await end_these(work, found[:AT_ONCE], why)
    return len(found) > AT_ONCE


async def narrow_some_of_client(work: Work, what: Narrow) -> str:
    """Take scopes from a bounded number of what an account granted to a client; return where to go on, empty at the end.

    Without `openid`, or without any scope, nothing is left that stands.
    """
    found = await grants.scopes_of_client(work, what.account, what.client, what.after, AT_ONCE)
    for one in found:
        left = tuple(scope for scope in one.scopes if scope not in what.lost)
        if len(left) == len(one.scopes):
            continue
        if not left or "openid" in what.lost:
            await end_these(work, [one.id], Ending.CONSENT_WITHDRAWN)
            continue
        await grants.narrow(work, one.id, left)
        gone = tuple(scope for scope in one.scopes if scope in what.lost)
        work.record(GrantNarrowed(subject=what.account, grant=one.id, client=what.client, session=one.session, lost=gone))
    return found[-1].id if len(found) == AT_ONCE else ""


async def end_some_of_session(work: Work, session: SessionId, *, offline_too: bool) -> bool:
    """End a bounded number of a session's grants; True if there are more. Grants that outlive the session are passed over."""
    after = ""
    while True:
        found = await grants.open_of_session(work, session, after, AT_ONCE)
        ending = [one.id for one in found if offline_too or not one.permit.offline]
        await end_these(work, ending, Ending.SESSION_ENDED)
        if len(found) < AT_ONCE:
            return False
        if ending:
            return True
        after = found[-1].id


async def _end_all(job: Job[EndAll]) -> None:
    more = True
    while more:
        async with job.db.work(job.tenant, SYSTEM) as work:
            more = await end_some_of_account(work, job.payload.account, job.payload.floor)


async def _end_of_session(job: Job[EndOfSession]) -> None:
    more = True
    while more:
        async with job.db.work(job.tenant, SYSTEM) as work:
            more = await end_some_of_session(work, job.payload.session, offline_too=job.payload.offline_too)


async def _end_of_client(job: Job[EndOfClient]) -> None:
    more = True
    while more:
        async with job.db.work(job.tenant, SYSTEM) as work:
            more = await end_some_of_client(work, job.payload.account, job.payload.client, job.payload.why)


async def _narrow(job: Job[Narrow]) -> None:
    what = job.payload
    while True:
        async with job.db.work(job.tenant, SYSTEM) as work:
            after = await narrow_some_of_client(work, what)
        if not after:
            return
        what = msgspec.structs.replace(what, after=after)


async def _end_of_app(job: Job[EndOfApp]) -> None:
    found = AT_ONCE
    while found == AT_ONCE:
        async with job.db.work(job.tenant, SYSTEM) as work:
            ending = await grants.open_of_app(work, job.payload.client, AT_ONCE)
            found = len(ending)
            await end_these(work, ending, Ending.CLIENT_DROPPED)


async def _sweep(job: Job[Sweep]) -> None:
    more = True
    while more:
        async with job.db.work(job.tenant, SYSTEM) as work:
            more = await sweep(work)
    async with job.db.work(job.tenant, SYSTEM) as work:
        if await grants.any_left(work) or await codes.any_left(work) or await tokens.any_left(work):
            await order_sweep(work)


async def sweep(work: Work) -> bool:
    """Clear away a bounded number of rows; True if there may be more."""
    gone = (
        await codes.drop_old(work, _SWEPT_AT_ONCE),
        await tokens.drop_old(work, _SWEPT_AT_ONCE),
        await grants.drop_old(work, work.now - KEPT_AFTER_END, _SWEPT_AT_ONCE),
    )
    return max(gone) == _SWEPT_AT_ONCE


async def order_sweep(work: Work) -> None:
    """See to it that a sweep runs within two hours; it orders the one after itself while there is anything to clear away."""
    await order_hourly(work, SWEEP, Sweep())


async def _reseal(work: Work, after: str) -> keys.Page:
    """Bring a page of families' keys under the tenant's current one; those sealed under a person's own, as once, stay so."""
    box, found, changed = await keys.tenant_box(work, FAMILIES), await grants.families(work, after, _RESEALED_AT_ONCE), 0
    for grant, sealed in found:
        if box.knows(sealed) and not box.is_current(sealed):
            place = family_place(work.tenant, grant)
            changed += await grants.reseal(work, grant, sealed, box.seal(box.open(sealed, place), place))
    return keys.Page(changed, found[-1][0] if len(found) == _RESEALED_AT_ONCE else None)


END_ALL: Final = JobKind(name="grants.end_all", payload=EndAll, run=_end_all)
END_OF_SESSION: Final = JobKind(name="grants.end_of_session", payload=EndOfSession, run=_end_of_session)
END_OF_CLIENT: Final = JobKind(name="grants.end_of_client", payload=EndOfClient, run=_end_of_client)
NARROW: Final = JobKind(name="grants.narrow", payload=Narrow, run=_narrow)
END_OF_APP: Final = JobKind(name="grants.end_of_app", payload=EndOfApp, run=_end_of_app)
SWEEP: Final = JobKind(name="grants.sweep", payload=Sweep, run=_sweep, at_once=1)

JOBS: Final = (NARROW, END_ALL, END_OF_SESSION, END_OF_CLIENT, END_OF_APP, SWEEP)
KEPT: Final[keys.Keeping] = {FAMILIES: _reseal}
