"""Userinfo (OpenID Connect Core 1.0, 5.3): who the person is, as far as the access token's scopes say (5.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from limen.modules import claims, clients, keys
from limen.modules.clients import Client
from limen.modules.oauth import bearer, claims_request, encryption, possession, tally
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.facts import UserinfoRead
from limen.modules.oauth.ground import with_keys
from limen.modules.oauth.model import OPENID
from limen.modules.oauth.watch.networks import network
from limen.platform.http import PROTOCOL, Answer, Call, Cors, Endpoint, Form, Json, Raw
from limen.platform.wire.jose import encode_jwt

PATH: Final = "/oauth/userinfo"

_JWT: Final = "application/jwt"
_DEAD: Final = Refused(Code.INVALID_TOKEN, "The access token is none of ours, not for userinfo, expired or revoked.")
_NARROW: Final = Refused(Code.INSUFFICIENT_SCOPE, "Userinfo takes access tokens with the scope openid.")


async def _userinfo(call: Call) -> Answer:
    issuer = call.site.issuer
    shown = bearer.shown(call.raw_headers.get(b"authorization", b"").decode("latin-1"), call.form)
    if shown is None or isinstance(shown, Refused):
        return bearer.refuse(shown, issuer, OPENID)
    headers = await possession.offered(call)
    async with call.read() as reader:
        token = await bearer.standing(reader, issuer, shown.text)
        client = await clients.find(reader, token.client) if token is not None else None
        if token is None or client is None or token.account is None or OPENID not in token.scopes or issuer not in token.audience:
            refusal = _NARROW if token is not None and OPENID not in token.scopes else _DEAD
            await call.refused(refusal.reason)
            return bearer.refuse(refusal, issuer, OPENID, by_dpop=shown.by_dpop, headers=headers)
        if token.bound or shown.by_dpop:
            wrong = await possession.at_resource(call, reader, shown, token.bound, token.client)
            if wrong is not None:
                return bearer.refuse(wrong, issuer, OPENID, by_dpop=bool(token.bound), headers=headers)
        extra = token.permit.extra if token.permit is not None else None
        wanted = claims_request.requested(extra.claims, claims_request.USERINFO) if extra is not None else None
        asking = claims.Asking(account=token.account, client=client, scopes=token.scopes, use=claims.Use.USERINFO, requested=wanted)
        told = {"sub": token.subject, **await claims.of(reader, asking)}
        whence = "" if token.bound else await network(call, reader)
    tally.count(call.db, call.tenant, UserinfoRead(subject=token.account, client=token.client, grant=token.grant, count=1, network=whence))
    if client.userinfo_signed_response_alg is None and client.userinfo_encrypted_response_alg is None:
        return Json(told, headers=headers)
    return await _as_jwt(call, client, told)


async def _as_jwt(call: Call, client: Client, told: Mapping[str, object]) -> Answer:
    """Answer as the client registered: signed, encrypted, or both (OpenID Connect Core 1.0, section 5.3.2)."""
    alg = client.userinfo_signed_response_alg
    if alg is None:
        return Raw(await encryption.plain_for_client(call, client, "userinfo", told), _JWT)
    key = await with_keys(call.db, call.tenant, lambda reader: keys.signer(reader, alg.value))
    signed = encode_jwt(key, {**told, "iss": call.site.issuer, "aud": client.id}, "JWT")
    return Raw((await encryption.for_client(call, client, "userinfo", signed)).encode(), _JWT)


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
