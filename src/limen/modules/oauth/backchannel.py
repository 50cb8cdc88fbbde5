"""Back-Channel Logout 1.0: each app of a session that ended is told so, server to server, at least once.

A session's end orders one job that finds its apps, and that one a job for each app which registered `backchannel_logout_uri`. The logout
token's `jti` is the job's id: it is the same however often the app is told, so that a repeat can be recognised.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

import msgspec

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import AccountId, ClientId, JobId, SessionId
from limen.modules import claims, clients, grants, tenants
from limen.modules.clients import Client
from limen.modules.oauth.access_token import seconds
from limen.modules.oauth.facts import AppTold
from limen.modules.oauth.ground import Press, press, with_keys
from limen.platform.duties import Running
from limen.platform.http import Fetcher, FetchFailed, FetchRefused
from limen.platform.outbox import GiveUp, Job, JobKind, Later, enqueue
from limen.platform.sql import Reader, Work
from limen.platform.wire.jose import encode_jwt

LIFETIME: Final = timedelta(minutes=2)
"""Of a logout token (section 2.4: preferably two minutes at most)."""
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
AT_ONCE: Final = 50
"""So many apps of a session are looked at in one transaction."""

_TYPE: Final = "logout+jwt"
_FORM: Final = "application/x-www-form-urlencoded"
_HEARD: Final = frozenset({200, 204})
"""Section 2.8; some frameworks make a 204 of an empty 200."""
_COULD_NOT: Final = 400
"""It heard and could not, or would not: saying it again changes nothing."""


class Telling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one app is to be told. `session` is empty where all the person's sessions at this app are meant."""

    account: AccountId
    client: ClientId
    subject: str
    """By which the app knows her."""
    session: SessionId = SessionId("")


class OfSession(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A session ended: whom does it concern? `for_good`: its grants ended with it, those that were to outlive it too."""

    account: AccountId
    session: SessionId
    for_good: bool = False


class LogoutClaims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A logout token (section 2.4). There is never a `nonce` in it, so that it cannot pass for an ID token."""

    iss: str
    sub: str
    aud: str
    iat: int
    exp: int
    jti: str
    events: dict[str, dict[str, str]]
    sid: str = ""


async def session_ended(work: Work, account: AccountId, session: SessionId, *, for_good: bool) -> None:
    """Order that the apps of a session are told; nothing is ordered where none of them wants to be."""
    found = await grants.clients_of_session(work, session, most=AT_ONCE)
    if len(found) == AT_ONCE or await _listeners(work, found):
        await enqueue(work, FIND, OfSession(account=account, session=session, for_good=for_good), key=session)


async def grant_ended(work: Work, fact: grants.GrantEnded) -> None:
    """Tell the app of a grant that ended though its session goes on, or is over long since.

    A consent withdrawn ends all the app has of the person, so no session is named unless the app insists (section 2.4); what is ended of
    one session that was to outlive it is told once with that session's own end.
    """
    client = await clients.find(work, fact.client)
    if fact.subject is None or client is None or not client.backchannel_logout_uri:
        return
    if fact.reason is grants.Ending.CONSENT_WITHDRAWN:
        session = fact.session if client.backchannel_logout_session_required else SessionId("")
        await _tell(work, fact.subject, client, session, f"{session or fact.subject} withdrawn {work.now.timestamp()}")
    elif fact.reason is grants.Ending.ACCOUNT_CLEARED and (fact.offline or not fact.session):
        await _tell(work, fact.subject, client, fact.session, _key(fact.session or fact.subject, for_good=True))


async def grant_narrowed(work: Work, fact: grants.GrantNarrowed) -> None:
    """Tell the app of a grant that lost scopes: it asks anew, and learns what it still has."""
    client = await clients.find(work, fact.client)
    if fact.subject is not None and client is not None and client.backchannel_logout_uri:
        await _tell(work, fact.subject, client, fact.session, f"{fact.session or fact.subject} narrowed {work.now.timestamp()}")


async def _listeners(reader: Reader, found: Iterable[ClientId]) -> list[Client]:
    """Return those clients that want to be told."""
    known = [await clients.find(reader, one) for one in found]
    return [client for client in known if client is not None and client.backchannel_logout_uri]


def _key(of: str, *, for_good: bool) -> str:
    """Return what makes a telling one of its kind. An app that was told of a sign-out is told again when what outlived it ends too."""
    return f"{of} for good" if for_good else of


async def _tell(work: Work, account: AccountId, client: Client, session: SessionId, key: str) -> None:
    if not session and client.backchannel_logout_session_required:
        return  # there is none to name, and it would not understand another token
    telling = Telling(account=account, client=client.id, subject=await claims.subject(work, account, client), session=session)
    await enqueue(work, TELL, telling, key=f"{client.id} {key}")


async def _find(job: Job[OfSession]) -> None:
    """Order a job for each app of the session, a bounded number at a time; run again, it orders none twice."""
    ended, after = job.payload, ""
    while True:
        async with job.db.work(job.tenant, SYSTEM) as work:
            found = await grants.clients_of_session(work, ended.session, after, AT_ONCE)
            for client in await _listeners(work, found):
                await _tell(work, ended.account, client, ended.session, _key(ended.session, for_good=ended.for_good))
        if len(found) < AT_ONCE:
            return
        after = found[-1]


async def _deliver(job: Job[Telling]) -> None:
    """Tell one app. GiveUp where its address is not one we go to, Later where it did not hear."""
    told, running = job.payload, job.settings.of(Running)
    async with job.db.read(job.tenant) as reader:
        client = await clients.find(reader, told.client)
        issuer = "".join(await tenants.place(job.db, running.base_url, await tenants.find(reader)))
    if client is None or not client.backchannel_logout_uri:
        return
    alg = client.id_token_signed_response_alg
    signs = await with_keys(job.db, job.tenant, lambda reader: press(reader, issuer, alg))
    body = urlencode({"logout_token": logout_token(signs, told, job.id, seconds(job.db.clock.now()))}).encode()
    accepted = await _posted(client.backchannel_logout_uri, body, dev=running.dev)
    async with job.db.work(job.tenant, SYSTEM) as work:
        work.record(AppTold(subject=told.account, client=told.client, session=told.session, job=job.id, accepted=accepted))


def logout_token(signs: Press, told: Telling, job: JobId, now: int) -> str:
    """Return the token, signed as the client's ID tokens are; `now` in seconds since 1970."""
    said = LogoutClaims(
        iss=signs.issuer,
        sub=told.subject,
        aud=told.client,
        iat=now,
        exp=now + int(LIFETIME.total_seconds()),
        jti=job,
        events={EVENT: {}},
        sid=told.session,
    )
    return encode_jwt(signs.id_key, said, _TYPE)


async def _posted(uri: str, body: bytes, *, dev: bool) -> bool:
    """Send a token; False where the app heard it and could not act on it. Redirects are not followed."""
    try:
        answer = await Fetcher(own_machine=dev).post(uri, body, _FORM)
    except FetchRefused as refused:
        raise GiveUp(refused.code) from refused
    except FetchFailed as failed:
        raise Later(failed.code) from failed
    if answer.status not in _HEARD and answer.status != _COULD_NOT:
        raise Later(f"status_{answer.status}")
    return answer.status in _HEARD


FIND: Final = JobKind(name="oauth.find_apps", payload=OfSession, run=_find)
TELL: Final = JobKind(name="oauth.tell_app", payload=Telling, run=_deliver, at_once=16)
"""An app that is away is told again for two hours and a half; then it is a dead letter, which an operator may send on its way again."""

JOBS: Final = (FIND, TELL)
