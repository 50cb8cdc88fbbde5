"""A back-channel request between its question and its answer (CIBA Core 1.0): how it is kept, and what its client gets.

The name it goes by, `auth_req_id`, is a secret of 256 bits; the database has its digest alone, and what was asked sealed. The tokens that come
of a yes are made once, by whoever holds the row.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from limen.kernel import secrets
from limen.kernel.ids import GrantId, SessionId
from limen.modules import accounts, approvals, grants
from limen.modules.approvals import Approval
from limen.modules.approvals import State as Standing
from limen.modules.clients import Client, Delivery, GrantType
from limen.modules.grants import CodeRefusal, Extra, Permit
from limen.modules.oauth import store
from limen.modules.oauth.access_token import Made, Target, aim, for_person
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.ground import Press
from limen.modules.oauth.id_token import IdClaims, identity_of
from limen.modules.oauth.permits import extra_of
from limen.modules.oauth.store.backchannel import Backchannel
from limen.platform.sql import Work

PREFIX: Final = "lmn_br_"
"""Scanners of leaked secrets know it."""
PAUSE: Final = 5
"""Seconds between polls (CIBA Core 1.0, section 7.3)."""
SLOWER: Final = 5
"""Seconds more for a client that polls faster (section 11)."""

PENDING: Final = Refused(Code.AUTHORIZATION_PENDING, "The person has not answered yet.")
EXPIRED: Final = Refused(Code.EXPIRED_TOKEN, "The person did not answer in time: begin again.")
DENIED: Final = Refused(Code.ACCESS_DENIED, "The person said no.", "approval_denied")
_AWAY: Final = Refused(Code.ACCESS_DENIED, "The account was suspended or closed meanwhile.", "account_away")
_WITHDRAWN: Final = Refused(Code.ACCESS_DENIED, "The person took back her consent meanwhile.", "consent_withdrawn")
_TAKEN_BACK: Final = Refused(Code.ACCESS_DENIED, "The person's answer does not stand any more.", "approval_cleared")


class Waiting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a request asked for, and where its answer goes. Stored sealed."""

    scopes: tuple[str, ...]
    resources: tuple[str, ...] = ()
    details: str = ""
    """Authorization details (RFC 9396) as JSON text."""
    mode: Delivery = Delivery.POLL
    name: str = ""
    """`auth_req_id`, where the client is called by it: in the modes ping and push."""
    token: str = ""
    """`client_notification_token`, likewise."""


class Allowed(msgspec.Struct, frozen=True):
    """What a client gets, not signed yet."""

    access: Made
    grant: GrantId
    permit: Permit
    refresh: str | None
    identity: IdClaims

    @property
    def scope(self) -> str:
        """What it may do, as the protocol writes it."""
        return " ".join(self.permit.scopes)


encode: Final = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Waiting).decode


def read(kept: Backchannel) -> Waiting:
    """Return what a kept request asked for."""
    return _decode(kept.plain)


def new_name() -> str:
    """Return a fresh `auth_req_id`."""
    return secrets.token(PREFIX)


def digest_of(name: str) -> bytes:
    """Return what a request is found by."""
    return secrets.digest(name)


async def settled(work: Work, press: Press, client: Client, kept: Backchannel, bound: str = "") -> Allowed | Refused:
    """Return what the client of a request whose row is held gets now; PENDING while there is no answer.

    With `bound` only the owner of that key can use the access token.
    """
    late = approvals.LATE if read(kept).mode is Delivery.PUSH else timedelta()  # the job may have had to wait
    if work.now >= kept.expires + late:
        return EXPIRED
    approval = await approvals.find(work, kept.approval) if kept.approval is not None else None
    if approval is None:
        return PENDING if work.now < kept.expires else EXPIRED
    match approval.standing(work.now):
        case Standing.PENDING:
            return PENDING
        case Standing.DENIED:
            return DENIED
        case Standing.EXPIRED:
            return EXPIRED
        case Standing.APPROVED:
            return await _allowed(work, press, client, kept, bound)


async def _allowed(work: Work, press: Press, client: Client, kept: Backchannel, bound: str) -> Allowed | Refused:
    """Make what the person allowed. Her yes is used up by it, whatever comes of it."""
    used = await approvals.use(work, kept.approval) if kept.approval is not None else None
    if used is None:
        return _TAKEN_BACK
    account = await accounts.keep(work, used.account)
    if account is None or account.state is not accounts.AccountState.REGISTERED:
        return _AWAY
    asked = read(kept)
    target = aim(press.ground.tenant, press.issuer, client, asked.scopes, person=True, resources=asked.resources)
    if isinstance(target, Refused):
        return target
    return await _given(work, press, client, (target, await _permit(work, client, used, asked, target)), bound)


async def _permit(work: Work, client: Client, used: Approval, asked: Waiting, target: Target) -> Permit:
    """Return what she let the app do. It hangs on no session: she is not at the app, and signing out elsewhere ends nothing there."""
    return Permit(
        account=used.account,
        client=client.id,
        session=SessionId(""),
        scopes=asked.scopes,
        audience=target.audience,
        acr=used.acr,
        amr=used.amr,
        auth_time=used.auth_time or work.now,
        extra=await extra_of(work, client, used.account, Extra(details=asked.details, resources=asked.resources)),
    )


async def _given(work: Work, press: Press, client: Client, allowed: tuple[Target, Permit], bound: str) -> Allowed | Refused:
    target, permit = allowed
    made = await grants.make_now(work, permit, refreshable=GrantType.REFRESH_TOKEN in client.grants)
    if isinstance(made, CodeRefusal):
        return _WITHDRAWN
    access = await for_person(work, press, target, made.grant, permit.scopes, bound)
    refresh = made.refresh.reveal() if made.refresh else None
    return Allowed(access, made.grant.id, permit, refresh, await identity_of(work, press, client, permit))


async def polled(work: Work, kept: Backchannel) -> Refused:
    """Answer a poll before there is an answer: go on, or slower where it came too soon. A second is the network's."""
    soon = kept.polled is not None and work.now < kept.polled + timedelta(seconds=kept.pause - 1)
    pause = kept.pause + SLOWER if soon else kept.pause
    await store.backchannel.poll(work, kept.digest, pause)
    if not soon:
        return PENDING
    return Refused(Code.SLOW_DOWN, f"Wait {pause} seconds between polls from now on (CIBA Core 1.0, section 11).")
