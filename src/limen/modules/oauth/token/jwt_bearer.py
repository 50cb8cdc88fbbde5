"""JWT bearer assertions (RFC 7523, section 2.1): another issuer, whom the tenant trusts, says who the person is, and a client gets a token for her.

What the app may do is her own word still: she let it have the scopes before, or it is an app of the operator's own.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from limen.kernel.ids import AccountId, SessionId
from limen.modules import accounts, consents, grants, tenants
from limen.modules.accounts import AccountState
from limen.modules.clients import Client, ConsentRule, GrantType
from limen.modules.grants import CodeRefusal, Permit
from limen.modules.oauth import client_keys, replays
from limen.modules.oauth.access_token import aim, for_person
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.model import words
from limen.modules.oauth.permits import extra_of
from limen.modules.oauth.settings import Tenant, TrustedIssuer
from limen.modules.oauth.store import ReplayKind
from limen.modules.oauth.token.port import Given, Grant, Wish
from limen.platform.http import Call
from limen.platform.sql import Work
from limen.platform.wire.jose import ASYMMETRIC, JoseError, Jwt, audiences, check_times, peek, verify_jwt

LONGEST_LIFE: Final = timedelta(hours=1)
NO_SESSION: Final = SessionId("")
UNKNOWN: Final = ""
"""Of the sign-in that somebody else vouches for, nothing is known here: neither how strong it was nor when."""

_LONGEST_NAME: Final = 512
_UNTRUSTED: Final = Refused(Code.INVALID_GRANT, "assertion is no JWT of an issuer that this tenant trusts and this client may bring.", "assertion_issuer")
_BROKEN: Final = Refused(Code.INVALID_GRANT, "assertion is not signed with a key of its issuer.", "assertion_key")
_OLD: Final = Refused(Code.INVALID_GRANT, "assertion is expired, not yet valid, or lives longer than an hour.", "assertion_times")
_AUDIENCE: Final = Refused(Code.INVALID_GRANT, "aud of assertion is not this issuer.", "assertion_audience")
_NO_NAME: Final = Refused(Code.INVALID_GRANT, "assertion needs sub and jti.", "assertion_names")
_REPLAYED: Final = Refused(Code.INVALID_GRANT, "assertion was used before.", "assertion_replayed")
_NOBODY: Final = Refused(Code.INVALID_GRANT, "assertion names nobody who could sign in here.", "assertion_subject")
_NO_SCOPE: Final = Refused(Code.INVALID_SCOPE, "scope is missing: name what is needed.", "scope_missing")
_CONSENT: Final = Refused(Code.INVALID_GRANT, "The person has not let this client have these scopes.", "consent_missing")


class Asserted(msgspec.Struct, frozen=True):
    """An assertion whose signature, dates and audience hold."""

    by: TrustedIssuer
    subject: str
    jti: str
    until: datetime
    auth_time: datetime


async def _prepare(call: Call) -> Asserted | Refused:
    token = call.form.text("assertion")
    async with call.read() as reader:
        trusted = (await tenants.settings(reader, Tenant.section, Tenant)).issuers
    try:
        name = peek(token).claims.get("iss")
        by = next((one for one in trusted if one.issuer == name), None)
        if by is None:
            return _UNTRUSTED
        jwt = verify_jwt(token, await client_keys.checking(call, by, token, ASYMMETRIC), typ=("jwt", ""))
    except JoseError:
        return _BROKEN
    return _read(call, by, jwt)


def _read(call: Call, by: TrustedIssuer, jwt: Jwt) -> Asserted | Refused:
    said, now = jwt.claims, call.db.clock.now()
    try:
        check_times(jwt, now)
    except JoseError:
        return _OLD
    exp, subject, jti = said.get("exp"), said.get("sub"), said.get("jti")
    left = float(exp) - now.timestamp() if isinstance(exp, (int, float)) else 0.0
    if left > LONGEST_LIFE.total_seconds():
        return _OLD
    if call.site.issuer not in audiences(jwt):
        return _AUDIENCE
    if not isinstance(subject, str) or not isinstance(jti, str) or not subject or not 0 < len(jti) <= _LONGEST_NAME:
        return _NO_NAME
    return Asserted(by, subject, jti, now + timedelta(seconds=left), now)


async def _decide(work: Work, wish: Wish) -> Given | Refused:
    asserted = wish.prepared
    if not isinstance(asserted, Asserted) or wish.client.id not in asserted.by.clients:
        return _UNTRUSTED
    if not await replays.first_time(work, ReplayKind.BEARER_ASSERTION, asserted.by.issuer, asserted.jti, asserted.until):
        return _REPLAYED
    account = await _whom(work, asserted)
    if account is None:
        return _NOBODY
    scopes = words(wish.form.text("scope"))
    if not scopes:
        return _NO_SCOPE
    target = aim(wish.press.ground.tenant, wish.press.issuer, wish.client, scopes, person=True, resources=wish.form.all("resource"))
    if isinstance(target, Refused):
        return target
    if wish.client.consent is ConsentRule.NONE:
        await consents.give(work, account, wish.client.id, scopes, implied=True)
    permit = await _permit(work, wish.client, account, scopes, target.audience, asserted)
    made = await grants.make_now(work, permit, refreshable=False)
    if isinstance(made, CodeRefusal):
        return _CONSENT
    return Given(
        access=await for_person(work, wish.press, target, made.grant, scopes, wish.bound),
        client=wish.client.id,
        scope=" ".join(scopes),
        lifetime=wish.press.ground.access_seconds,
        account=account,
        grant=made.grant.id,
    )


async def _permit(work: Work, client: Client, account: AccountId, scopes: tuple[str, ...], audience: tuple[str, ...], asserted: Asserted) -> Permit:
    extra = await extra_of(work, client, account)
    return Permit(account, client.id, NO_SESSION, scopes, audience, UNKNOWN, (), asserted.auth_time, extra)


async def _whom(work: Work, asserted: Asserted) -> AccountId | None:
    """Return the account that an assertion means; None for one that may not be used."""
    name = AccountId(asserted.subject)
    if asserted.by.subject == "email":
        try:
            known = await accounts.by_identifier(work, accounts.EMAIL, asserted.subject)
        except accounts.InvalidIdentifier:
            return None
        if known is None:
            return None
        name = known.id
    found = await accounts.keep(work, name)
    return name if found is not None and found.state is AccountState.REGISTERED else None


JWT_BEARER: Final = Grant(GrantType.JWT_BEARER, ("assertion",), _decide, _prepare)
