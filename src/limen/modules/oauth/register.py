"""Registration and its management: RFC 7591, RFC 7592, OpenID Connect Dynamic Client Registration 1.0. What an app may have is the tenant's policy.

A registration access token is the client's for good: it is not exchanged when the client changes, since an answer that was lost on its way
would leave the client without one (RFC 7592, section 3, leaves that to the server). It is told again to who shows it, as that section asks;
a client's secret is not, since only its digest is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from limen.kernel import secrets
from limen.kernel.errors import LimenError
from limen.kernel.facts import ActorKind
from limen.kernel.ids import ClientId
from limen.modules import clients, keys
from limen.modules.clients import Client, InvalidClient, Openness, Proposal, Registered, RegistrationTokenRefused
from limen.modules.oauth import arrivals, sectors
from limen.modules.oauth.answers import describes
from limen.modules.tenants import Flaw
from limen.platform.http import PROTOCOL, Answer, Call, Cors, Endpoint, Json, no_content, status_of
from limen.platform.wire import bodies
from limen.platform.wire.bodies import BadJson

PATH: Final = "/oauth/register"
CLIENT_PATH: Final = "/oauth/register/{client}"

_MOST_FLAWS: Final = 5
_MEDIA: Final = ("application/json",)


async def _register(call: Call) -> Answer:
    """RFC 7591, section 3."""
    try:
        return await _registered(call)
    except (InvalidClient, BadJson, RegistrationTokenRefused) as refusal:
        await call.refused(refusal.code)
        return _refused(call, refusal)


async def _registered(call: Call) -> Answer:
    shown = _bearer(call)
    async with call.read() as read:
        allowed = await clients.policy(read)
        openness = allowed.openness(dev=call.site.dev)
        known = shown is not None and openness is not Openness.OFF and await clients.look_at_token(read, shown)
    _check_open(call, openness, shown, known=known)
    if shown is None:
        arrivals.count(call, allowed.hourly)
    body = _body(call)
    proposal, issuer = await _proposed(call, body, None)
    async with call.work() as work:
        access = await clients.register(work, proposal, initial=shown, issuer=issuer, dev=call.site.dev)
        made = await clients.take(work, proposal.client.id)
    if made.id_token_signed_response_alg is not None:  # an app reads the JWKS once, and expects the key there that will sign
        await keys.ensure(call.db, call.tenant, made.id_token_signed_response_alg.value)
    return Json(_answer(call, made, proposal, access.reveal(), body), 201)


async def _proposed(call: Call, body: Mapping[str, object], before: Client | None) -> tuple[Proposal, str | None]:
    """Return the client that a request describes, and who vouched for it."""
    async with call.read() as read:
        found = clients.vouched(body, await clients.policy(read), call.site.issuer, read.now)
        proposal = await clients.propose(read, clients.read_metadata(found.metadata), dev=call.site.dev, before=before)
    await sectors.check(proposal.client, dev=call.site.dev)
    return proposal, found.issuer


def _check_open(call: Call, openness: Openness, shown: str | None, *, known: bool) -> None:
    if openness is Openness.OFF:
        raise clients.RegistrationClosed("Applications are registered by the operator here.", operator=f"[tenant.registration] open is off: {call.tenant}")
    if shown is None and openness is Openness.TOKEN:
        raise RegistrationTokenRefused("An initial access token is needed; the operator hands them out.")
    if shown is not None and not known:
        raise RegistrationTokenRefused("The initial access token is unknown, used up or too old.")


def _body(call: Call) -> Mapping[str, object]:
    return bodies.read(call.raw, dict[str, object])


def _bearer(call: Call) -> str | None:
    """Return the token a request shows; None where it shows none of this sort (RFC 6750, section 2.1)."""
    scheme, _, token = call.raw_headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def _manage(call: Call) -> tuple[Client, str]:
    """Return the client that a request manages, and the token by which it does (RFC 7592, section 2)."""
    access = _bearer(call)
    client = ClientId(call.parts["client"])
    if access is None:
        raise RegistrationTokenRefused("The registration access token is needed.")
    async with call.read() as read:
        found = await clients.managed(read, client, access)
    call.acts(ActorKind.CLIENT, client)
    return found, access


async def _find(call: Call) -> Answer:
    """RFC 7592, section 2.1."""
    try:
        client, access = await _manage(call)
    except RegistrationTokenRefused as refusal:
        await call.refused(refusal.code)
        return _refused(call, refusal)
    return Json(_answer(call, client, None, access, {}))


async def _replace(call: Call) -> Answer:
    """RFC 7592, section 2.2: what is left out is taken back."""
    try:
        client, access = await _manage(call)
        body = _body(call)
        _check_named(body, client)
        if client.registered is Registered.ANYONE:
            async with call.read() as read:
                arrivals.count(call, (await clients.policy(read)).hourly)
        proposal, issuer = await _proposed(call, body, client)
        async with call.work() as work:
            await clients.managed(work, client.id, access)
            await clients.change(work, proposal, issuer=issuer, dev=call.site.dev)
            changed = await clients.take(work, client.id)
    except (InvalidClient, BadJson, RegistrationTokenRefused) as refusal:
        if isinstance(refusal, RegistrationTokenRefused):
            await call.refused(refusal.code)
        return _refused(call, refusal)
    return Json(_answer(call, changed, proposal, access, body))


def _check_named(body: Mapping[str, object], client: Client) -> None:
    """Refuse a request about another client, or with a secret that is not the client's: it cannot choose one."""
    secret = body.get("client_secret")
    if body.get("client_id") != client.id:
        raise InvalidClient(Flaw("client_id", "has to be there, and that of the address (RFC 7592, section 2.2)"))
    if secret is not None and not (isinstance(secret, str) and any(secrets.same(secrets.digest(secret), one.digest) for one in client.secrets)):
        raise InvalidClient(Flaw("client_secret", "is not the one that was issued, and none can be chosen", "Leave it out"))


async def _drop(call: Call) -> Answer:
    """RFC 7592, section 2.3."""
    try:
        client, access = await _manage(call)
        async with call.work() as work:
            await clients.managed(work, client.id, access)
            await clients.drop(work, client.id)
    except RegistrationTokenRefused as refusal:
        await call.refused(refusal.code)
        return _refused(call, refusal)
    return no_content()


def _answer(call: Call, client: Client, proposal: Proposal | None, access: str, body: Mapping[str, object]) -> dict[str, object]:
    """RFC 7591, section 3.2.1, and RFC 7592, section 3: a software statement and a secret that were sent come back as they were."""
    told = clients.described(client)
    if client.made is not None:
        told["client_id_issued_at"] = int(client.made.timestamp())
    if client.needs_secret:
        secret = proposal.secret.reveal() if proposal is not None and proposal.secret is not None else body.get("client_secret")
        told |= {"client_secret": secret} if secret is not None else {}
        told["client_secret_expires_at"] = 0
    if "software_statement" in body:
        told["software_statement"] = body["software_statement"]
    told["registration_access_token"] = access
    told["registration_client_uri"] = call.url(f"{PATH}/{client.id}")
    return told


def _refused(call: Call, refusal: LimenError) -> Answer:
    """RFC 7591, section 3.2.2; RFC 6750, section 3."""
    if isinstance(refusal, InvalidClient):
        flaws = refusal.flaws[:_MOST_FLAWS]
        code = "invalid_redirect_uri" if clients.member_of(flaws[0]) == "redirect_uris" else refusal.code
        return Json(describes(code, "; ".join(str(Flaw(clients.member_of(one), one.reason, one.suggestion)) for one in flaws)), 400)
    if isinstance(refusal, RegistrationTokenRefused):
        body = describes(refusal.code, refusal.public)
        challenge = f'Bearer realm="{call.site.issuer}", error="{body.error}", error_description="{body.error_description}"'
        return Json(body, status_of(refusal), (("www-authenticate", challenge),))
    return Json(describes("invalid_client_metadata", f"The body is to be a JSON object: {refusal.public}."), 400)


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path=PATH,
        who=PROTOCOL,
        call=_register,
        takes=bytes,
        media=_MEDIA,
        summary="Register an application (RFC 7591)",
        status=201,
        cors=Cors.ANY_ORIGIN,
    ),
    Endpoint(
        method="GET",
        path=CLIENT_PATH,
        who=PROTOCOL,
        call=_find,
        summary="Show an application what is registered (RFC 7592)",
        parts={"client": "The client's id."},
        cors=Cors.ANY_ORIGIN,
    ),
    Endpoint(
        method="PUT",
        path=CLIENT_PATH,
        who=PROTOCOL,
        call=_replace,
        takes=bytes,
        media=_MEDIA,
        summary="Describe an application anew, in full (RFC 7592)",
        parts={"client": "The client's id."},
        cors=Cors.ANY_ORIGIN,
    ),
    Endpoint(
        method="DELETE",
        path=CLIENT_PATH,
        who=PROTOCOL,
        call=_drop,
        summary="Delete an application; what it was given ends (RFC 7592)",
        parts={"client": "The client's id."},
        status=204,
        cors=Cors.ANY_ORIGIN,
    ),
)
