"""What an app gets once every rule is met: a code, an ID token, an access token, as its response type says."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from limen.modules import consents, grants
from limen.modules.clients import Client, ConsentRule
from limen.modules.grants import CodeRefusal, Extra, Grant, Permit, Terms
from limen.modules.oauth.access_token import Target, aim, for_person
from limen.modules.oauth.authorize.response import Issued
from limen.modules.oauth.authorize.sound import Sound
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.facts import CodeIssued, TokenIssued
from limen.modules.oauth.ground import Press
from limen.modules.oauth.id_token import id_claims, told
from limen.modules.oauth.model import CODE, ID_TOKEN, TOKEN, Asked
from limen.modules.oauth.permits import extra_of
from limen.modules.oauth.possession import of_key
from limen.modules.sessions import Session
from limen.platform.sql import Work

IMPLICIT: Final = "implicit"
_FAPI_CODE: Final = timedelta(seconds=60)
"""FAPI 2.0 Security Profile, section 5.3.2.1 (11)."""
_GONE: Final = Refused(Code.ACCESS_DENIED, "The session or the consent ended in this very moment.", "ended_meanwhile")


async def permit_of(work: Work, client: Client, asked: Asked, session: Session, audience: tuple[str, ...]) -> Permit:
    """Return what the person lets the app do by this request."""
    brought = Extra(claims=asked.claims, details=asked.authorization_details, resources=asked.resource, bound=of_key(asked.dpop_jkt))
    return Permit(
        session.account,
        client.id,
        session.id,
        asked.scopes,
        audience,
        session.acr,
        session.amr,
        session.auth_time,
        await extra_of(work, client, session.account, brought),
    )


async def issue(work: Work, sound: Sound, session: Session, signs: Press | None) -> Issued:
    """Give the app what it asked for. `signs` is there where a token leaves at once."""
    case, asked = sound.case, sound.asked
    target = aim(case.tenant, case.issuer, case.client, asked.scopes, person=True, resources=asked.resource)
    if isinstance(target, Refused):
        raise TypeError("what is issued has passed every check")
    if case.client.consent is ConsentRule.NONE:
        await consents.give(work, session.account, case.client.id, asked.scopes, implied=True)
    permit = await permit_of(work, case.client, asked, session, target.audience)
    issued = Issued(code=await _code(work, sound, permit)) if CODE in asked.types else Issued()
    if signs is not None and (TOKEN in asked.types or asked.types == {ID_TOKEN}):
        made = await grants.make_now(work, permit, refreshable=False)  # of an ID token alone too: so the app is told when the session ends
        if isinstance(made, CodeRefusal):
            return Issued(refused=_GONE)
        issued = await _token(work, signs, target, made.grant, issued) if TOKEN in asked.types else issued
    if signs is not None and ID_TOKEN in asked.types:
        identity = id_claims(signs, permit, work.now, asked.nonce)
        more = await told(work, case.client, permit, alone=asked.types == {ID_TOKEN})
        issued = msgspec.structs.replace(issued, identity=msgspec.structs.replace(identity, more=more))
    return issued


async def _code(work: Work, sound: Sound, permit: Permit) -> str:
    asked = sound.asked
    terms = Terms(
        redirect_uri=sound.redirect_uri,
        redirect_given=bool(asked.redirect_uri),
        challenge=asked.code_challenge,
        nonce=asked.nonce,
        longest=_FAPI_CODE if sound.case.client.fapi else None,
    )
    grant, code = await grants.issue_code(work, permit, terms)
    work.record(CodeIssued(subject=permit.account, client=permit.client, session=permit.session, grant=grant, scope=" ".join(permit.scopes)))
    return code.reveal()


async def _token(work: Work, signs: Press, target: Target, grant: Grant, issued: Issued) -> Issued:
    """Make the access token of an implicit or hybrid answer, under a grant of its own that ends with it."""
    permit = grant.permit
    access = await for_person(work, signs, target, grant, permit.scopes)
    scope = " ".join(permit.scopes)
    work.record(
        TokenIssued(subject=permit.account, client=permit.client, grant_type=IMPLICIT, token=access.id, grant=grant.id, scope=scope, expires=access.expires)
    )
    return msgspec.structs.replace(issued, access=access, scope=scope, lifetime=signs.ground.access_seconds)
