"""Pushed authorization requests (RFC 9126): the client sends its request itself, is known before anybody is asked, and gets a name for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from limen.kernel import secrets
from limen.kernel.facts import Actor, ActorKind
from limen.kernel.ids import RequestId
from limen.modules import tenants
from limen.modules.clients import Client
from limen.modules.oauth import arrivals, client_auth, client_documents, jobs, possession, request_object, store, tally
from limen.modules.oauth.answers import refused, turned_away
from limen.modules.oauth.authorize.checks import Entry, check
from limen.modules.oauth.authorize.sound import Entrance, address, case_of
from limen.modules.oauth.dpop import ANOTHER_KEY
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.facts import RequestPushed
from limen.modules.oauth.model import REPEATABLE, Asked
from limen.modules.oauth.settings import Tenant
from limen.modules.oauth.store import RequestKind, Slot
from limen.platform.http import PROTOCOL, Answer, Call, Cors, Endpoint, Form, Json
from limen.platform.sql import Reader

PATH: Final = "/oauth/par"
URN: Final = "urn:ietf:params:oauth:request_uri:"
_FAPI_LIFE: Final = timedelta(seconds=599)
"""Less than ten minutes, whatever the tenant set (FAPI 2.0 Security Profile, section 5.3.2.2)."""

_NESTED: Final = Refused(Code.INVALID_REQUEST, "A pushed request has no request_uri (RFC 9126, section 2.1).", "pushed_request_uri")
_ADDRESS: Final = Refused(Code.INVALID_REQUEST, "redirect_uri is not, letter by letter, one that the client registered.", "unregistered_redirect_uri")
_UNKNOWN: Final = Refused(Code.INVALID_REQUEST_URI, "request_uri is unknown, too old, already answered, or another client's.", "pushed_unknown")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Entrance).decode


class Pushed(msgspec.Struct, frozen=True):
    """Where the request waits (section 2.2)."""

    request_uri: str
    expires_in: int


async def _push(call: Call) -> Answer:
    outcome, headers = await _pushed(call), await possession.offered(call)
    if isinstance(outcome, Pushed):
        return Json(outcome, 201, headers)
    if outcome.code is Code.USE_DPOP_NONCE:
        return refused(outcome, call.site.issuer, headers)
    return await turned_away(call, outcome, headers)


async def _pushed(call: Call) -> Pushed | Refused:
    shown = await client_auth.shown(call)
    if isinstance(shown, Refused):
        return shown
    await client_documents.check(call, shown.client)
    async with call.db.work(call.tenant, Actor(ActorKind.CLIENT, shown.client)) as work:
        client = await client_auth.proved(work, shown)
    return client if isinstance(client, Refused) else await _stored(call, client)


async def _stored(call: Call, client: Client) -> Pushed | Refused:
    asked = call.form.into(Asked)
    if asked.request_uri:
        return _NESTED
    asked = msgspec.structs.replace(asked, client_id=client.id)
    inner = await request_object.opened(call, client, asked)
    if isinstance(inner, Refused):
        return inner
    proof = await possession.seen(call)
    async with call.db.work(call.tenant, Actor(ActorKind.CLIENT, client.id)) as work:
        bound = "" if proof is None else await possession.by_proof(work, client, proof)
        if isinstance(bound, Refused):
            return bound
        if bound and inner.dpop_jkt not in ("", possession.jkt_of(bound)):
            return ANOTHER_KEY
        inner = msgspec.structs.replace(inner, dpop_jkt=possession.jkt_of(bound) or inner.dpop_jkt)
        case = await case_of(work, call, client, inner, pushed=True, signed=bool(asked.request))
        if refusal := _ADDRESS if address(client, inner.redirect_uri) is None else check(case, Entry.PAR):
            return refusal
        await arrivals.count_request(work, call, client)
        lives = await _lives(work, client)
        name = secrets.token()
        waiting = Entrance(inner, work.now, signed=case.signed)
        await store.add_named(work, Slot(_id(name), RequestKind.PUSHED), _encode(waiting), lives)
        await jobs.order_sweep(work)
        tally.begun(work, client, RequestPushed(client=client.id))
    return Pushed(URN + name, int(lives.total_seconds()))


async def _lives(reader: Reader, client: Client) -> timedelta:
    """Return how long a client's request waits for its browser."""
    lives = (await tenants.settings(reader, Tenant.section, Tenant)).pushed_request
    return min(lives, _FAPI_LIFE) if client.fapi else lives


def _id(name: str) -> RequestId:
    """Return where the request of that name is: the name is a secret, so that only its digest is stored."""
    return RequestId(secrets.digest(name).hex())


def is_pushed(request_uri: str) -> bool:
    """True if a `request_uri` is of the pushed kind."""
    return request_uri.startswith(URN)


async def found(reader: Reader, client: Client, request_uri: str) -> Entrance | Refused:
    """Return a request that the client pushed. It stays until it is answered, so that a page opened twice is no error (FAPI 2.0, section 5.3.2.2).

    Its row may live longer, since somebody is being asked: the browser comes with its name within the time its client was told, all the same.
    """
    request = _id(request_uri.removeprefix(URN))
    plain = await store.find(reader, Slot(request, RequestKind.PUSHED))
    if plain is None:
        return _UNKNOWN
    waiting = _decode(plain)
    fits = waiting.asked.client_id == client.id and reader.now < waiting.begun + await _lives(reader, client)
    return msgspec.structs.replace(waiting, pushed=request) if fits else _UNKNOWN


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path=PATH,
        who=PROTOCOL,
        call=_push,
        takes=Form,
        gives=Pushed,
        status=201,
        summary="Take an authorization request from its client (RFC 9126)",
        cors=Cors.ANY_ORIGIN,
        repeatable=REPEATABLE,
        hot=True,
    ),
)
