"""The five phases: the request is parsed, the client proves itself, the grant decides, it is recorded, and what is durable is signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec.structs import replace

from limen.kernel.facts import Actor, ActorKind
from limen.modules import keys
from limen.modules.clients import Client
from limen.modules.oauth import client_auth, encryption, possession
from limen.modules.oauth.answers import refused
from limen.modules.oauth.client_auth import Shown
from limen.modules.oauth.dpop import Proof
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.facts import TokenIssued, TokenRefused
from limen.modules.oauth.ground import Press, press, warmed
from limen.modules.oauth.model import TokenBody
from limen.modules.oauth.token.authorization_code import AUTHORIZATION_CODE
from limen.modules.oauth.token.ciba import CIBA
from limen.modules.oauth.token.client_credentials import CLIENT_CREDENTIALS
from limen.modules.oauth.token.device_code import DEVICE_CODE
from limen.modules.oauth.token.jwt_bearer import JWT_BEARER
from limen.modules.oauth.token.port import Given, Grant, Wish
from limen.modules.oauth.token.refresh_token import REFRESH_TOKEN
from limen.modules.oauth.token.signing import signed
from limen.modules.oauth.token.token_exchange import TOKEN_EXCHANGE
from limen.modules.oauth.watch.networks import network
from limen.modules.oauth.watch.reading import REPLAYED
from limen.platform.http import PROTOCOL, Answer, Call, Cors, Endpoint, Form, Json
from limen.platform.sql import Outrun, Work

REPEATABLE: Final = frozenset({"resource", "audience"})
"""RFC 8707, section 2; RFC 8693, section 2.1."""
GRANTS: Final = {one.type.value: one for one in (AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS, TOKEN_EXCHANGE, JWT_BEARER, DEVICE_CODE, CIBA)}

_NO_TYPE: Final = Refused(Code.INVALID_REQUEST, f"grant_type is missing; there are {', '.join(GRANTS)}.", "grant_type_missing")
_UNKNOWN_TYPE: Final = Refused(Code.UNSUPPORTED_GRANT_TYPE, f"There are the grants {', '.join(GRANTS)}.")


_MOST_TIMES: Final = 5
"""How often a request begins anew: two that race meet once or twice."""


class _Asked(msgspec.Struct, frozen=True):
    """The grant, what it prepared, and the proof beside it."""

    grant: Grant | Refused
    prepared: object
    proof: Proof | Refused | None
    outrun: bool = False
    """Whether another was faster the last time."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why not; `counted` once it is in the log, or need not be, or else with its like."""

    why: Refused
    counted: bool


async def _token(call: Call) -> Answer:
    form = call.form
    found = await client_auth.shown(call)
    if isinstance(found, Refused):
        return await _refuse(call, _Refusal(found, counted=False))
    await warmed(call.db, call.tenant)
    grant = _parsed(form)
    prepared = await grant.prepare(call) if isinstance(grant, Grant) and grant.prepare is not None else None
    outcome = await _settled(call, found, _Asked(prepared if isinstance(prepared, Refused) else grant, prepared, await possession.seen(call)))
    if isinstance(outcome, _Refusal):
        return await _refuse(call, outcome)
    body = await signed(*outcome)
    if body.id_token is not None and outcome[1].encrypted is not None:
        body = replace(body, id_token=await encryption.for_client(call, outcome[1].encrypted, "id_token", body.id_token))
    return Json(body, headers=await possession.offered(call))


async def _refuse(call: Call, refusal: _Refusal) -> Answer:
    if not refusal.counted:
        await call.refused(refusal.why.reason)
    return refused(refusal.why, call.site.issuer, await possession.offered(call))


async def _settled(call: Call, found: Shown, asked: _Asked) -> tuple[Press, Given] | _Refusal:
    """Do everything up to the commit, and begin anew where another was faster, or once an algorithm has its first key, which is made outside any Work.

    A client may lack two: the tenant's usual one, and that of its ID tokens.
    """
    for _ in range(_MOST_TIMES):
        try:
            return await _served(call, found, asked)
        except Outrun:
            asked = replace(asked, outrun=True)
        except keys.NoSigningKey as missing:
            await keys.ensure(call.db, call.tenant, missing.alg)
    return await _served(call, found, asked)


async def _served(call: Call, found: Shown, asked: _Asked) -> tuple[Press, Given] | _Refusal:
    """Do it once: the answer is durable when this returns."""
    grant = asked.grant
    async with call.db.work(call.tenant, Actor(ActorKind.CLIENT, found.client)) as work:
        client = await client_auth.proved(work, found)
        if isinstance(client, Refused):
            return _Refusal(client, counted=False)
        if isinstance(grant, Refused):
            return _recorded(work, client, call.form, grant)
        if grant.type not in client.grants:
            why = Refused(Code.UNAUTHORIZED_CLIENT, f"The client is not registered for the grant {grant.type.value}.")
            return _recorded(work, client, call.form, why)
        signs = await press(work, call.site.issuer, client.id_token_signed_response_alg)
        bound = await possession.at_server(call, work, client, asked.proof, outrun=asked.outrun)
        if isinstance(bound, Refused):
            return _Refusal(bound, counted=True) if bound.code is Code.USE_DPOP_NONCE else _recorded(work, client, call.form, bound)
        outcome = await grant.decide(work, Wish(call.form, client, signs, asked.prepared, bound))
        if client.id_token_encrypted_response_alg is not None and isinstance(outcome, Given):
            outcome = replace(outcome, encrypted=client)
        if isinstance(outcome, Refused):
            return _recorded(work, client, call.form, outcome, await network(call, work) if outcome.reason == REPLAYED else "")
        access = outcome.access
        work.record(
            TokenIssued(
                subject=outcome.account,
                client=outcome.client,
                grant_type=grant.type.value,
                token=access.id,
                grant=outcome.grant,
                scope=outcome.scope,
                expires=access.expires,
                network=await network(call, work),
            )
        )
        return signs, outcome


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


def _recorded(work: Work, client: Client, form: Form, refusal: Refused, network: str = "") -> _Refusal:
    """Record the refusal of a client that proved itself by a secret; a public client's name is known to everybody, so its are counted.

    That a token was replayed, from `network`, is recorded of every client: it has ended a grant, so it does not happen often.

    To ask whether a person has answered yet is how polling goes (RFC 8628, section 3.5), and nothing to be told or slowed down for.
    """
    if refusal.code is Code.AUTHORIZATION_PENDING:
        return _Refusal(refusal, counted=True)
    if client.public and not network:
        return _Refusal(refusal, counted=False)
    asked = form.text("grant_type")
    work.record(TokenRefused(client=client.id, grant_type=asked if asked in GRANTS else "", reason=refusal.reason, network=network))
    return _Refusal(refusal, counted=True)


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
        repeatable=REPEATABLE,
        hot=True,
    ),
)
