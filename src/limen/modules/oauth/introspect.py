"""Introspection (RFC 7662): a client asks about tokens issued to it, the client of a resource about those for that resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from limen.modules import grants, keys, tenants
from limen.modules.claims import Use
from limen.modules.clients import Client
from limen.modules.grants import REFRESH_PREFIX, Grant
from limen.modules.oauth import bearer, client_auth, details, encryption, tally
from limen.modules.oauth.access_token import members, one_or_many, raw, seconds, told
from limen.modules.oauth.answers import turned_away
from limen.modules.oauth.bearer import Token
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.facts import Introspected
from limen.modules.oauth.ground import ground, with_keys
from limen.modules.oauth.possession import Confirmation, confirmation, token_type
from limen.modules.oauth.watch.networks import network
from limen.platform.http import PROTOCOL, Answer, Call, Endpoint, Form, Json, Raw
from limen.platform.sql import Reader
from limen.platform.wire.jose import SigningKey, encode_jwt

PATH: Final = "/oauth/introspect"


class Inactive(msgspec.Struct, frozen=True):
    """All that is said of a token that does not stand, or that is none of the asker's business (section 2.2)."""

    active: bool = False


class Active(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a token that stands means."""

    active: bool
    client_id: str
    scope: str
    sub: str
    iss: str
    iat: int
    exp: int
    aud: str | tuple[str, ...] | None = None
    jti: str | None = None
    token_type: str | None = None
    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] | None = None
    authorization_details: msgspec.Raw | None = None
    """RFC 9396, section 9.2."""
    act: msgspec.Raw | None = None
    """RFC 8693, section 4.1."""
    may_act: msgspec.Raw | None = None
    """RFC 8693, section 4.4."""
    cnf: Confirmation | msgspec.UnsetType = msgspec.UNSET
    """The key it is bound to (RFC 9449, section 6.2)."""


Body: TypeAlias = Active | Inactive | Mapping[str, object]
"""An answer; with claims of the tenant's own it is no Struct."""

_MEDIA: Final = b"application/token-introspection+jwt"
_NO_TOKEN: Final = Refused(Code.INVALID_REQUEST, "token is missing.", "token_missing")
_PUBLIC: Final = Refused(Code.INVALID_CLIENT, "Introspection is for clients that prove themselves by a secret (RFC 7662, section 2.1).", "public_client")
_NOTHING: Final = Inactive()


async def _introspect(call: Call) -> Answer:
    text = call.form.text("token")
    found = await client_auth.shown(call)
    async with call.read() as reader:
        client = found if isinstance(found, Refused) else await client_auth.proved(reader, found)
        refusal = client if isinstance(client, Refused) else _PUBLIC if client.public else None if text else _NO_TOKEN
        if refusal is None and isinstance(client, Client):
            body, fact = await _looked_at(call, reader, client, text)
            tally.count(call.db, call.tenant, fact)
            return await _as_jwt(call, client, body) if _MEDIA in call.raw_headers.get(b"accept", b"") else Json(body)
    return await turned_away(call, refusal or _NO_TOKEN)


async def _as_jwt(call: Call, client: Client, body: Body) -> Answer:
    """Answer as a signed message for this client alone, encrypted if it registered so (RFC 9701, section 5)."""

    async def signer(reader: Reader) -> SigningKey:
        wanted = client.introspection_signed_response_alg
        return await keys.signer(reader, wanted.value if wanted else (await keys.algorithms(reader))[0].value)

    said = {"iss": call.site.issuer, "aud": client.id, "iat": seconds(call.db.clock.now()), "token_introspection": body}
    signed = encode_jwt(await with_keys(call.db, call.tenant, signer), said, "token-introspection+jwt")
    return Raw((await encryption.for_client(call, client, "introspection", signed)).encode(), _MEDIA.decode())


async def _looked_at(call: Call, reader: Reader, client: Client, text: str) -> tuple[Body, Introspected]:
    issuer = call.site.issuer
    if text.startswith(REFRESH_PREFIX):
        grant = await grants.by_refresh(reader, text, client.id)
        if grant is None:
            return _NOTHING, Introspected(by=client.id, client=None, grant=None, count=1, active=0)
        return _of_grant(grant, issuer), Introspected(subject=grant.permit.account, by=client.id, client=client.id, grant=grant.id, count=1, active=1)
    token = await bearer.standing(reader, issuer, text)
    if token is None or not await _may_ask(reader, client, token):
        return _NOTHING, Introspected(by=client.id, client=None, grant=None, count=1, active=0)
    whence = "" if token.bound else await network(call, reader)
    fact = Introspected(subject=token.account, by=client.id, client=token.client, grant=token.grant, count=1, active=1, network=whence)
    if token.permit is not None and (await ground(reader)).introspection_tells:
        more = await told(reader, token.permit, token.scopes, Use.INTROSPECTION)
        return {**more, **members(_of_token(token, issuer, await _details(reader, token)))}, fact
    return _of_token(token, issuer, await _details(reader, token)), fact


async def _details(reader: Reader, token: Token) -> str:
    """Return the authorization details that a token carries: those of its grant, if it is the grant's own client's and not got by exchange."""
    permit = token.permit
    if permit is None or permit.extra is None or not permit.extra.details or permit.client != token.client:
        return ""
    return details.carried(permit.extra.details, await tenants.find(reader), token.audience)


async def _may_ask(reader: Reader, client: Client, token: Token) -> bool:
    if token.client == client.id:
        return True
    tenant = await tenants.find(reader)
    return any(resource.client == client.id and resource.identifier in token.audience for resource in tenant.resources)


def _of_token(token: Token, issuer: str, carried: str) -> Active:
    signed_in = token.permit if token.permit is not None and token.permit.acr else None  # not where somebody else vouches for the sign-in
    return Active(
        active=True,
        client_id=token.client,
        scope=" ".join(token.scopes),
        sub=token.subject,
        iss=issuer,
        iat=token.issued,
        exp=token.expires,
        aud=one_or_many(token.audience),
        jti=token.id,
        token_type=token_type(token.bound),
        auth_time=seconds(signed_in.auth_time) if signed_in else None,
        acr=signed_in.acr if signed_in else None,
        amr=signed_in.amr if signed_in else None,
        authorization_details=raw(carried),
        act=raw(token.act),
        may_act=raw(token.may_act),
        cnf=confirmation(token.bound),
    )


def _of_grant(grant: Grant, issuer: str) -> Active:
    """Say what a refresh token means; it has no audience but us."""
    permit = grant.permit
    until = min(grant.idle_until or grant.expires, grant.expires)
    return Active(
        active=True, client_id=permit.client, scope=" ".join(permit.scopes), sub=permit.subject, iss=issuer, iat=seconds(grant.created), exp=seconds(until)
    )


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path=PATH,
        who=PROTOCOL,
        call=_introspect,
        takes=Form,
        gives=Active,
        summary="Say what a token means and whether it stands (RFC 7662)",
        hot=True,
    ),
)
