"""`/oauth/backchannel_authentication`: who asks, whom it means, whether she may be asked, and the name under which its client waits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import msgspec

from limen.kernel.facts import Actor, ActorKind
from limen.kernel.ids import AccountId, ApprovalId
from limen.modules import accounts, approvals, claims, portal, signin, tenants
from limen.modules.approvals import Question, Unasked
from limen.modules.clients import Client, Delivery
from limen.modules.oauth import backchannel_delivery, ciba, client_auth, details, jobs, replays, store
from limen.modules.oauth.answers import turned_away
from limen.modules.oauth.authorize.checks import Case, Entry, check
from limen.modules.oauth.authorize.sound import case_of
from limen.modules.oauth.backchannel_authentication.request import REPLAYED, Said, Wanted, fault, said
from limen.modules.oauth.ciba import Waiting
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.facts import BackchannelAsked
from limen.modules.oauth.id_token import read_hint
from limen.modules.oauth.model import REPEATABLE, Asked, words
from limen.modules.oauth.settings import Tenant
from limen.modules.oauth.store import ReplayKind
from limen.modules.oauth.store.backchannel import Backchannel
from limen.platform.http import PROTOCOL, Answer, Call, Endpoint, Form, Json
from limen.platform.sql import Work

PATH: Final = "/oauth/backchannel_authentication"

_STRONGEST: Final = "aal3"
_BAD_HINT: Final = Refused(Code.INVALID_REQUEST, "id_token_hint is no ID token of this issuer for this client.", "id_token_hint")
_UNKNOWN: Final = Refused(Code.UNKNOWN_USER_ID, "There is no account for this hint.", "unknown_user_id")
_PACED: Final = Refused(Code.ACCESS_DENIED, "The person was asked too often, or has just said no: ask again later.", "asking_limited")


class Taken(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request that was taken (section 7.3)."""

    auth_req_id: str
    expires_in: int
    interval: int | None = None
    """Seconds between polls; left out in the mode push."""


@dataclass(frozen=True, slots=True)
class _Sound:
    """A request that has passed every check but one: whether its person may be asked."""

    client: Client
    wanted: Wanted
    settings: Tenant
    case: Case
    lives: timedelta

    @property
    def mode(self) -> Delivery:
        """How its answer travels."""
        return self.client.backchannel_token_delivery_mode or Delivery.POLL


async def _ask(call: Call) -> Answer:
    outcome = await _asked(call)
    if isinstance(outcome, Taken):
        return Json(outcome)
    told = await turned_away(call, outcome)
    return msgspec.structs.replace(told, status=403) if outcome.code is Code.ACCESS_DENIED else told  # section 13


async def _asked(call: Call) -> Taken | Refused:
    shown = await client_auth.shown(call)
    if isinstance(shown, Refused):
        return shown
    async with call.db.work(call.tenant, Actor(ActorKind.CLIENT, shown.client)) as work:
        client = await client_auth.proved(work, shown)
    if isinstance(client, Refused):
        return client
    read = await said(call, client)
    if isinstance(read, Refused):
        return read
    async with call.db.work(call.tenant, Actor(ActorKind.CLIENT, client.id, call.origin)) as work:
        sound = await _sound(work, call, client, read)
        return sound if isinstance(sound, Refused) else await _taken(work, call, sound)


async def _sound(work: Work, call: Call, client: Client, read: Said) -> _Sound | Refused:
    wanted, settings = read.wanted, await tenants.settings(work, Tenant.section, Tenant)
    asked = Asked(client_id=client.id, scope=wanted.scope, authorization_details=wanted.authorization_details, resource=wanted.resource)
    case = await case_of(work, call, client, asked, pushed=True, signed=bool(read.jti))
    if refusal := check(case, Entry.CIBA) or fault(wanted, client, settings):
        return refusal
    if read.until is not None and not await replays.first_time(work, ReplayKind.REQUEST_OBJECT, f"{client.id} backchannel", read.jti, read.until):
        return REPLAYED
    lives = timedelta(seconds=int(wanted.requested_expiry)) if wanted.requested_expiry else settings.backchannel_request
    return _Sound(client, wanted, settings, case, min(lives, settings.backchannel_longest))


async def _taken(work: Work, call: Call, sound: _Sound) -> Taken | Refused:
    """Ask the person, and keep the request until she answers. Where there is nobody to ask, the client is told so, or waits as if there were."""
    found = await _whom(work, call, sound)
    if found is _BAD_HINT:
        return _BAD_HINT
    outcome = await _put(work, call, sound, found) if not isinstance(found, Refused) else found
    if isinstance(outcome, Refused) and sound.settings.backchannel_names_unknown:
        return outcome
    approval, reason = (None, outcome.reason) if isinstance(outcome, Refused) else (outcome, "")
    name = await _kept(work, sound, approval)
    work.record(BackchannelAsked(client=sound.client.id, approval=approval, mode=sound.mode.value, reason=reason))
    interval = None if sound.mode is Delivery.PUSH else ciba.PAUSE
    return Taken(auth_req_id=name, expires_in=int(sound.lives.total_seconds()), interval=interval)


async def _whom(work: Work, call: Call, sound: _Sound) -> AccountId | Refused:
    """Return whose account a hint means. One that is suspended or closed is nobody's."""
    wanted = sound.wanted
    if wanted.id_token_hint:
        hint = await read_hint(work, call.site.issuer, wanted.id_token_hint)
        if hint is None or hint.client != sound.client.id:
            return _BAD_HINT
        account = await accounts.find(work, hint.account)
    else:
        account = await _by_login_hint(work, sound.client, wanted.login_hint)
    if account is None or account.state is not accounts.AccountState.REGISTERED:
        return _UNKNOWN
    return account.id


async def _by_login_hint(work: Work, client: Client, hint: str) -> accounts.Account | None:
    """Find whom a `login_hint` means: an identifier, or `sub` as this client knows her."""
    try:
        return await accounts.by_identifier(work, accounts.EMAIL, hint)
    except accounts.InvalidIdentifier:
        account = await claims.account_of(work, client, hint)
        return await accounts.find(work, account) if account is not None else None


async def _put(work: Work, call: Call, sound: _Sound, account: AccountId) -> ApprovalId | Refused:
    """Put the question to her, and tell her that it waits."""
    wanted, case = sound.wanted, sound.case
    found = details.parse(wanted.authorization_details, case.tenant, sound.client) if wanted.authorization_details else ()
    question = Question(
        scopes=case.asked.scopes,
        details=() if isinstance(found, Refused) else details.in_words(found, case.tenant),
        message=wanted.binding_message,
        acr_values=tuple(one for one in words(wanted.acr_values) if signin.reaches(_STRONGEST, one)),
    )
    asked = await approvals.ask(work, account, sound.client.id, question, sound.lives)
    if isinstance(asked, Unasked):
        return replace(_PACED, operator=asked.value)
    await portal.tell(work, asked, question, call.site.issuer)
    return asked.id


async def _kept(work: Work, sound: _Sound, approval: ApprovalId | None) -> str:
    name, wanted = ciba.new_name(), sound.wanted
    called = sound.mode is not Delivery.POLL
    waiting = Waiting(
        scopes=sound.case.asked.scopes,
        resources=wanted.resource,
        details=wanted.authorization_details,
        mode=sound.mode,
        name=name if called else "",
        token=wanted.client_notification_token if called else "",
    )
    digest = ciba.digest_of(name)
    await store.backchannel.add(work, Backchannel(digest, sound.client.id, approval, ciba.encode(waiting), work.now + sound.lives, ciba.PAUSE))
    if approval is None and sound.mode is Delivery.PUSH:
        await backchannel_delivery.order_end(work, digest, sound.lives)
    await jobs.order_sweep(work)
    return name


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path=PATH,
        who=PROTOCOL,
        call=_ask,
        takes=Form,
        gives=Taken,
        summary="Ask a person who is not at the app (CIBA Core 1.0, section 7)",
        repeatable=REPEATABLE,
    ),
)
