"""The five phases: the request is parsed, the client proves itself, the grant decides, tokens are issued, and it is recorded before it leaves."""

from __future__ import annotations

from typing import Final

from limen.kernel.facts import Actor, ActorKind
from limen.modules import keys
from limen.modules.clients import Client
from limen.modules.oauth import client_auth
from limen.modules.oauth.answers import refused
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.facts import TokenIssued, TokenRefused
from limen.modules.oauth.ground import ground, press
from limen.modules.oauth.model import TOKEN_TYPE, TokenBody
from limen.modules.oauth.token.authorization_code import AUTHORIZATION_CODE
from limen.modules.oauth.token.client_credentials import CLIENT_CREDENTIALS
from limen.modules.oauth.token.port import Given, Grant, Wish
from limen.modules.oauth.token.refresh_token import REFRESH_TOKEN
from limen.platform.http import PROTOCOL, Answer, Call, Cors, Endpoint, Form, Json
from limen.platform.sql import Work

GRANTS: Final = {one.type.value: one for one in (AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS)}

_NO_TYPE: Final = Refused(Code.INVALID_REQUEST, f"grant_type is missing; there are {', '.join(GRANTS)}.", "grant_type_missing")
_UNKNOWN_TYPE: Final = Refused(Code.UNSUPPORTED_GRANT_TYPE, f"There are the grants {', '.join(GRANTS)}.")


async def _token(call: Call) -> Answer:
    try:
        outcome = await _serve(call)
    except keys.NoSigningKey:  # the tenant's very first token: its key is made outside any Work, then all begins anew
        async with call.read() as reader:
            algorithm = (await ground(reader)).algorithm
        await keys.ensure(call.db, call.tenant, algorithm)
        outcome = await _serve(call)
    if isinstance(outcome, TokenBody):
        return Json(outcome)
    refusal, identified = outcome
    if not identified:
        await call.refused(refusal.reason)
    return refused(refusal, call.site.issuer)


async def _serve(call: Call) -> TokenBody | tuple[Refused, bool]:
    """Return the answer, or a refusal and whether a client had proved itself by then."""
    form = call.form
    grant = _parsed(form)
    found = client_auth.shown(call.raw_headers.get(b"authorization", b"").decode("latin-1"), form)
    if isinstance(found, Refused):
        return found, False
    actor = Actor(ActorKind.CLIENT, found.client)
    async with call.db.work(call.tenant, actor) as work:
        client = await client_auth.proved(work, found)
        if isinstance(client, Refused):
            return client, False
        if isinstance(grant, Refused):
            return _recorded(work, client, form, grant)
        outcome = await _decided(work, call, grant, client)
        if isinstance(outcome, Refused):
            return _recorded(work, client, form, outcome)
        return _issued(work, outcome, grant)


def _parsed(form: Form) -> Grant | Refused:
    asked = form.get("grant_type")
    if not asked:
        return _NO_TYPE
    grant = GRANTS.get(asked)
    if grant is None:
        return _UNKNOWN_TYPE
    for name in grant.needs:
        if not form.get(name):
            return Refused(Code.INVALID_REQUEST, f"{name} is missing.", f"{name}_missing")
    return grant


async def _decided(work: Work, call: Call, grant: Grant, client: Client) -> Given | Refused:
    if grant.type not in client.grants:
        return Refused(Code.UNAUTHORIZED_CLIENT, f"The client is not registered for the grant {grant.type.value}.")
    return await grant.decide(work, Wish(call.form, client, await press(work, call.site.issuer)))


def _issued(work: Work, given: Given, grant: Grant) -> TokenBody:
    access = given.access
    work.record(
        TokenIssued(
            subject=given.account,
            client=given.client,
            grant_type=grant.type.value,
            token=access.id,
            grant=given.grant,
            scope=given.scope,
            expires=access.expires,
        )
    )
    return TokenBody(
        access_token=access.token,
        token_type=TOKEN_TYPE,
        expires_in=access.expires - int(work.now.timestamp()),
        scope=given.scope,
        refresh_token=given.refresh,
        id_token=given.id_token,
    )


def _recorded(work: Work, client: Client, form: Form, refusal: Refused) -> tuple[Refused, bool]:
    """Record the refusal of a client that proved itself by a secret; a public client's name is known to everybody, so its are counted."""
    if client.public:
        return refusal, False
    asked = form.text("grant_type")
    work.record(TokenRefused(client=client.id, grant_type=asked if asked in GRANTS else "", reason=refusal.reason))
    return refusal, True


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/oauth/token",
        who=PROTOCOL,
        call=_token,
        takes=Form,
        gives=TokenBody,
        summary="Give a client tokens (RFC 6749, 3.2)",
        cors=Cors.ANY_ORIGIN,
        hot=True,
    ),
)
