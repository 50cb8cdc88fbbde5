"""How the answer to a back-channel request reaches a client that does not wait for it (CIBA Core 1.0, sections 10.2 and 10.3): ping and push.

A job may run twice, so what is pushed is made once, and kept sealed in the same transaction that makes it: a second run sends the very same
tokens. What could not be delivered is ended.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import GrantId
from limen.modules import approvals, clients, consents, grants, keys, tenants
from limen.modules.clients import Client, Delivery
from limen.modules.oauth import ciba, store
from limen.modules.oauth.ciba import PENDING, Allowed
from limen.modules.oauth.errors import Refused
from limen.modules.oauth.facts import BackchannelDelivered, BackchannelUndelivered, TokenIssued
from limen.modules.oauth.ground import Press, press, warmed
from limen.modules.oauth.id_token import half_hash
from limen.modules.oauth.id_token import signed as signed_identity
from limen.modules.oauth.model import TOKEN_TYPE
from limen.modules.oauth.store.backchannel import Backchannel
from limen.platform.duties import Running
from limen.platform.http import Fetcher, FetchFailed, FetchRefused
from limen.platform.outbox import GiveUp, Job, JobKind, Later, enqueue
from limen.platform.sql import Work

REQUEST_CLAIM: Final = "urn:openid:params:jwt:claim:auth_req_id"
REFRESH_CLAIM: Final = "urn:openid:params:jwt:claim:rt_hash"
ATTEMPTS: Final = 6
"""About two minutes: who waits for a yes does not wait longer."""

_JSON: Final = "application/json"
_SERVER_TROUBLE: Final = 500
_KEY_ROUNDS: Final = 3


class Call(msgspec.Struct, frozen=True):
    """A client is to be called about its request."""

    digest: bytes


class Pinged(msgspec.Struct, frozen=True):
    """What a client is told in the mode ping (section 10.2)."""

    auth_req_id: str


class Pushed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """And in the mode push (section 10.3.1)."""

    auth_req_id: str
    access_token: str
    token_type: str
    expires_in: int
    scope: str
    id_token: str
    refresh_token: str | None = None


class PushedError(msgspec.Struct, frozen=True):
    """Or that there are none (section 12)."""

    auth_req_id: str
    error: str
    error_description: str


class _Answer(msgspec.Struct, frozen=True):
    """The one answer a client gets by push; `grant` ends if it cannot be delivered."""

    body: bytes
    grant: GrantId | None = None


_encode = msgspec.json.Encoder().encode
_answer = msgspec.json.Decoder(_Answer).decode


async def given(work: Work, fact: approvals.ApprovalGiven) -> None:
    """Note the person's consent to what she was asked, and call the client if it is to be called."""
    kept = await store.backchannel.of_approval(work, fact.approval)
    if kept is not None and fact.subject is not None:
        await consents.give(work, fact.subject, kept.client, ciba.read(kept).scopes)
        await _order(work, kept)


async def settled(work: Work, fact: approvals.ApprovalDenied | approvals.ApprovalExpired) -> None:
    """Call the client: she said no, or nothing."""
    kept = await store.backchannel.of_approval(work, fact.approval)
    if kept is not None:
        await _order(work, kept)


async def _order(work: Work, kept: Backchannel) -> None:
    if ciba.read(kept).mode is not Delivery.POLL:
        await enqueue(work, CALL, Call(kept.digest), key=kept.digest.hex())


async def order_end(work: Work, digest: bytes, lives: timedelta) -> None:
    """See to it that a client which is pushed to hears of the end of a request that nobody is asked about."""
    await enqueue(work, CALL, Call(digest), key=f"{digest.hex()} end", delay=lives)


async def _run(job: Job[Call]) -> None:
    async with job.db.read(job.tenant) as reader:
        kept = await store.backchannel.find(reader, job.payload.digest)
        client = await clients.find(reader, kept.client) if kept is not None else None
    if kept is None or client is None or client.backchannel_client_notification_endpoint is None:
        return
    asked = ciba.read(kept)
    if asked.mode is Delivery.PING:
        body = _encode(Pinged(asked.name))
    else:
        made = await _made(job, client)
        if made is None:
            return
        body = made.body
    try:
        await _posted(client.backchannel_client_notification_endpoint, body, asked.token, dev=job.settings.of(Running).dev)
    except (GiveUp, Later) as failed:
        if isinstance(failed, GiveUp) or job.attempt >= ATTEMPTS:
            await _undelivered(job, kept, asked.mode, failed.reason)
        raise
    async with job.db.work(job.tenant, SYSTEM) as work:
        if asked.mode is Delivery.PUSH:
            await store.backchannel.drop(work, kept.digest)
        work.record(BackchannelDelivered(client=kept.client, mode=asked.mode.value))


async def _undelivered(job: Job[Call], kept: Backchannel, mode: Delivery, reason: str) -> None:
    """End what a client cannot be given. One that is only called may come by itself, so what it waits for stays."""
    async with job.db.work(job.tenant, SYSTEM) as work:
        if mode is Delivery.PUSH:
            now = await store.backchannel.take(work, kept.digest)
            answer = _answer(now.answer) if now is not None and now.answer is not None else None
            if answer is not None and answer.grant is not None:
                await grants.end(work, answer.grant, grants.Ending.REVOKED)
            await store.backchannel.drop(work, kept.digest)
        work.record(BackchannelUndelivered(client=kept.client, mode=mode.value, reason=reason))


async def _posted(address: str, body: bytes, token: str, *, dev: bool) -> None:
    """Call a client's address. What it answers besides its status is not read, redirects are not followed (section 10.2)."""
    try:
        answer = await Fetcher(own_machine=dev).post(address, body, _JSON, {"authorization": f"Bearer {token}"})
    except FetchRefused as refused:
        raise GiveUp(refused.code) from refused
    except FetchFailed as failed:
        raise Later(failed.code) from failed
    if answer.status >= _SERVER_TROUBLE:
        raise Later(f"status_{answer.status}")
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - it heard, and will not have it
        raise GiveUp(f"status_{answer.status}")


async def _made(job: Job[Call], client: Client) -> _Answer | None:
    """Make the answer, or find the one that was made before; None while there is nothing to say. Keys of an algorithm are made on the way."""
    async with job.db.read(job.tenant) as reader:
        issuer = "".join(await tenants.place(job.db, job.settings.of(Running).base_url, await tenants.find(reader)))
    await warmed(job.db, job.tenant)
    for _ in range(_KEY_ROUNDS):
        try:
            async with job.db.work(job.tenant, SYSTEM) as work:
                signs = await press(work, issuer, client.id_token_signed_response_alg)
                return await _once(work, signs, client, job.payload.digest)
        except keys.NoSigningKey as missing:
            await keys.ensure(job.db, job.tenant, missing.alg)
    raise Later("no_signing_key")


async def _once(work: Work, signs: Press, client: Client, digest: bytes) -> _Answer | None:
    """Make the answer with the row held and keep it in the same transaction: there is never another one."""
    kept = await store.backchannel.take(work, digest)
    if kept is None:
        return None
    if kept.answer is not None:
        return _answer(kept.answer)
    outcome = await ciba.settled(work, signs, client, kept)
    if outcome is PENDING:
        return None
    name = ciba.read(kept).name
    if isinstance(outcome, Refused):
        answer = _Answer(_encode(PushedError(name, outcome.code.value, outcome.why)))
    else:
        answer = _Answer(_encode(_pushed(signs, outcome, name)), outcome.grant)
        _record(work, outcome)
    await store.backchannel.keep_answer(work, digest, _encode(answer))
    return answer


def _record(work: Work, made: Allowed) -> None:
    work.record(
        TokenIssued(
            subject=made.permit.account,
            client=made.permit.client,
            grant_type=clients.GrantType.CIBA.value,
            token=made.access.id,
            grant=made.grant,
            scope=made.scope,
            expires=made.access.expires,
        )
    )


def _pushed(signs: Press, made: Allowed, name: str) -> Pushed:
    """Sign the tokens. The ID token holds what binds the others and the request to it (section 10.3.1); it leaves once this is durable."""
    access, alg = made.access.text(signs.key), signs.id_key.alg
    ties = {REQUEST_CLAIM: name, "at_hash": half_hash(alg, access)}
    if made.refresh is not None:
        ties[REFRESH_CLAIM] = half_hash(alg, made.refresh)
    identity = msgspec.structs.replace(made.identity, more={**made.identity.more, **ties})
    return Pushed(
        auth_req_id=name,
        access_token=access,
        token_type=TOKEN_TYPE,
        expires_in=signs.ground.access_seconds,
        scope=made.scope,
        id_token=signed_identity(signs.id_key, identity),
        refresh_token=made.refresh,
    )


CALL: Final = JobKind(
    name="oauth.call_back",
    payload=Call,
    run=_run,
    attempts=ATTEMPTS,
    first_pause=timedelta(seconds=4),
    longest_pause=timedelta(seconds=60),
    timeout=timedelta(seconds=15),
)
JOBS: Final = (CALL,)
