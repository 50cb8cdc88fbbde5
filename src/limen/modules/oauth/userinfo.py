"""Userinfo (OpenID Connect Core 1.0, 5.3): who the person is, as far as the access token's scopes say (5.4)."""

from __future__ import annotations

from typing import Final

from limen.modules import claims, clients
from limen.modules.oauth import bearer, tally
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.facts import UserinfoRead
from limen.modules.oauth.model import OPENID
from limen.platform.http import PROTOCOL, Answer, Call, Cors, Endpoint, Form, Json

PATH: Final = "/oauth/userinfo"
CLAIMS: Final = claims.BY_SCOPE
"""Which scope gives which claims."""

_DEAD: Final = Refused(Code.INVALID_TOKEN, "The access token is none of ours, not for userinfo, expired or revoked.")
_NARROW: Final = Refused(Code.INSUFFICIENT_SCOPE, "Userinfo takes access tokens with the scope openid.")


async def _userinfo(call: Call) -> Answer:
    issuer = call.site.issuer
    shown = bearer.shown(call.raw_headers.get(b"authorization", b"").decode("latin-1"), call.form)
    if shown is None or isinstance(shown, Refused):
        return bearer.refuse(shown, issuer, OPENID)
    async with call.read() as reader:
        token = await bearer.standing(reader, issuer, shown)
        client = await clients.find(reader, token.client) if token is not None else None
        if token is None or client is None or token.account is None or OPENID not in token.scopes or issuer not in token.audience:
            refusal = _NARROW if token is not None and OPENID not in token.scopes else _DEAD
            await call.refused(refusal.reason)
            return bearer.refuse(refusal, issuer, OPENID)
        asking = claims.Asking(account=token.account, client=client, scopes=token.scopes, use=claims.Use.USERINFO)
        told = {"sub": await claims.subject(reader, token.account, client), **await claims.of(reader, asking)}
    tally.count(call.db, call.tenant, UserinfoRead(subject=token.account, client=token.client, grant=token.grant, count=1))
    return Json(told)


def _endpoint(method: str) -> Endpoint:
    return Endpoint(
        method=method,
        path=PATH,
        who=PROTOCOL,
        call=_userinfo,
        takes=Form if method == "POST" else None,
        summary="Tell an app who the person is (OpenID Connect Core 1.0, 5.3)",
        cors=Cors.ANY_ORIGIN,
        hot=True,
    )


ENDPOINTS: Final = (_endpoint("GET"), _endpoint("POST"))
