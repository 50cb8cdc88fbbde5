"""Use cases of sessions."""

from __future__ import annotations

import dataclasses
from typing import Final

from limen.kernel import ids, secrets
from limen.kernel.facts import Origin
from limen.kernel.ids import AccountId, SessionId
from limen.kernel.secrets import Secret
from limen.modules import keys, tenants
from limen.modules.journey import Passed
from limen.modules.sessions import jobs, store
from limen.modules.sessions.facts import AllEnded, SessionEnded, SessionOpened, SessionRenewed
from limen.modules.sessions.model import ADDRESSES, PREFIX, TOUCH_EVERY, EndReason, Listed, Opened, Place, Session
from limen.modules.sessions.settings import Tenant
from limen.platform.outbox import enqueue
from limen.platform.sql import Reader, Work

LISTED: Final = 100


async def open(work: Work, passed: Passed, origin: Origin | None) -> Opened:  # noqa: A001 - `sessions.open` is what one says
    """Open a session for whoever passed. The secret in the answer is the cookie's, told this once."""
    secret = secrets.token()
    limits = await tenants.settings(work, Tenant.section, Tenant)
    expires = work.now + limits.absolute
    session = Session(
        id=SessionId(ids.new(PREFIX, work.now)),
        account=passed.account,
        acr=passed.acr,
        amr=passed.amr,
        auth_time=passed.auth_time,
        created=work.now,
        last_seen=work.now,
        idle_until=min(work.now + limits.idle, expires),
        expires=expires,
    )
    await store.add(work, session, secrets.digest(secret), await _whence(work, session, origin))
    await jobs.order_sweep(work)
    work.record(SessionOpened(subject=session.account, session=session.id, acr=session.acr, amr=session.amr))
    return Opened(session, Secret(secret))


async def renew(work: Work, session: SessionId, passed: Passed, origin: Origin | None) -> Opened | None:
    """Raise a session after a new sign-in or a step-up of the same account: another secret, the same id. None: it is gone or another's."""
    held = await store.take(work, session)
    if held is None or held.account != passed.account or await store.find(work, session) is None:
        return None
    secret = secrets.token()
    limits = await tenants.settings(work, Tenant.section, Tenant)
    renewed = dataclasses.replace(
        held, acr=passed.acr, amr=passed.amr, auth_time=passed.auth_time, last_seen=work.now, idle_until=min(work.now + limits.idle, held.expires)
    )
    await store.renew(work, renewed, secrets.digest(secret), await _whence(work, renewed, origin))
    work.record(SessionRenewed(subject=renewed.account, session=renewed.id, acr=renewed.acr, amr=renewed.amr))
    return Opened(renewed, Secret(secret))


async def by_secret(reader: Reader, secret: str) -> Session | None:
    """Return the living session of this tenant whose cookie carries `secret`."""
    return await store.by_digest(reader, secrets.digest(secret))


async def find(reader: Reader, session: SessionId) -> Session | None:
    """Return a living session by its id (`sid`)."""
    return await store.find(reader, session)


async def keep(work: Work, session: SessionId) -> Session | None:
    """Return a living session and see to it that it ends after this Work at the earliest: whatever ends it then finds what is made here."""
    return await store.keep(work, session)


async def touch(work: Work, session: Session) -> None:
    """Note that the session was seen: its idle time starts anew. Call it when `is_due` says so."""
    limits = await tenants.settings(work, Tenant.section, Tenant)
    await store.touch(work, session.id, work.now - TOUCH_EVERY, min(work.now + limits.idle, session.expires))


def is_due(reader: Reader, session: Session) -> bool:
    """True if being seen now is worth writing down: at most once a minute."""
    return reader.now - session.last_seen >= TOUCH_EVERY


async def end(work: Work, session: SessionId, reason: EndReason) -> bool:
    """End one session; False if it had ended before."""
    account = await store.end(work, session, reason)
    if account is None:
        return False
    work.record(SessionEnded(subject=account, session=session, reason=reason))
    return True


async def end_all(work: Work, account: AccountId, reason: EndReason, keep: SessionId | None = None) -> None:
    """End every session of an account, save `keep`: all are dead when this commits, however many there are."""
    floor = await store.raise_floor(work, account, keep)
    work.record(AllEnded(subject=account, reason=reason, kept=keep))
    if await jobs.end_some(work, account, reason, floor):
        await enqueue(work, jobs.END_ALL, jobs.EndAll(account=account, reason=reason, floor=floor))


async def list_of(reader: Reader, account: AccountId) -> tuple[Listed, ...]:
    """Return the account's living sessions with where they were opened, last seen first, a hundred at most."""
    found = await store.alive_of(reader, account, LISTED)
    if not found:
        return ()
    box = await keys.subject_box(reader, account)
    return tuple(Listed(kept.session, store.unsealed(reader, box, kept)) for kept in found)


async def _whence(work: Work, session: Session, origin: Origin | None) -> store.Whence:
    if origin is None:
        return store.Whence(None, None)
    box = await keys.subject_box(work, session.account)
    place = store.sealed(work, box, session.id, Place(origin.address, origin.user_agent))
    return store.Whence(place, await keys.blind(work, ADDRESSES, "address", origin.address))
