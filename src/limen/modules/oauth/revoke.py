"""Revocation (RFC 7009): an app gives a token back. A refresh token takes its whole grant with it, an access token only itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from limen.kernel.facts import Actor, ActorKind
from limen.modules import grants
from limen.modules.clients import Client
from limen.modules.grants import REFRESH_PREFIX, Ending
from limen.modules.oauth import bearer, client_auth
from limen.modules.oauth.answers import turned_away
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.facts import TokenRevoked
from limen.platform.http import PROTOCOL, Answer, Call, Cors, Endpoint, Form, Raw
from limen.platform.sql import Work

PATH: Final = "/oauth/revoke"

_DONE: Final = Raw(b"", "application/json", 200)
_NO_TOKEN: Final = Refused(Code.INVALID_REQUEST, "token is missing.", "token_missing")
_ANOTHER: Final = Refused(Code.INVALID_GRANT, "The token was issued to another client.", "token_of_another_client")


async def _revoke(call: Call) -> Answer:
    """Answer 200 for what is gone already or never was: the app has what it wanted (section 2.2)."""
    refusal = await _refusal(call)
    return _DONE if refusal is None else await turned_away(call, refusal)


async def _refusal(call: Call) -> Refused | None:
    found = await client_auth.shown(call)
    if isinstance(found, Refused):
        return found
    async with call.db.work(call.tenant, Actor(ActorKind.CLIENT, found.client)) as work:
        client = await client_auth.proved(work, found)
        if isinstance(client, Refused):
            return client
        text = call.form.text("token")
        if not text:
            return _NO_TOKEN
        if text.startswith(REFRESH_PREFIX):
            return await _grant(work, client, text)
        return await _token(work, client, call.site.issuer, text)


async def _grant(work: Work, client: Client, text: str) -> Refused | None:
    """End the grant of a refresh token, also by an old one of the family: whoever has it may give it back."""
    grant = await grants.family_of(work, text)
    if grant is None:
        return None
    if grant.permit.client != client.id:
        return _ANOTHER
    if await grants.end(work, grant.id, Ending.REVOKED):
        work.record(TokenRevoked(subject=grant.permit.account, client=client.id, token=None, grant=grant.id))
    return None


async def _token(work: Work, client: Client, issuer: str, text: str) -> Refused | None:
    token = await bearer.recognised(work, issuer, text)
    if token is None:
        return None
    if token.client != client.id:
        return _ANOTHER
    if token.opaque:
        await grants.drop_opaque(work, text)
    elif not await grants.revoke_id(work, token.id, datetime.fromtimestamp(token.expires, UTC)):
        return None
    work.record(TokenRevoked(subject=token.account, client=client.id, token=token.id, grant=token.grant))
    return None


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path=PATH,
        who=PROTOCOL,
        call=_revoke,
        takes=Form,
        summary="Take a token back (RFC 7009)",
        cors=Cors.ANY_ORIGIN,
        hot=True,
    ),
)
