"""`private_key_jwt` and `client_secret_jwt`: an assertion that the client signed (RFC 7523, section 2.2 and 3; OpenID Connect Core 1.0, section 9).

The audience is the issuer, as one string: an assertion made for another server, which may be an attacker's, serves nobody here
(FAPI 2.0, section 5.3.2.1; RFC 7523bis). Older clients, registered as legacy, may name the endpoint, also by its address for certificates,
or a list.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from limen.kernel.facts import Actor, ActorKind
from limen.kernel.ids import ClientId
from limen.modules import clients, tenants
from limen.modules.clients import AuthMethod, Client
from limen.modules.oauth import client_keys, replays
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.settings import Tenant
from limen.modules.oauth.store import ReplayKind
from limen.platform.http import Call, Form
from limen.platform.sql import Reader, Work
from limen.platform.wire.jose import JoseError, Jwt, KeySet, SharedKey, audiences, check_times, peek, verify_jwt

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_LIFE: Final = timedelta(hours=1)
"""An assertion that lives longer is refused: until it ends it has to be remembered."""

_TYPES: Final = ("jwt", "client-authentication+jwt", "")
_OF_REQUESTS: Final = frozenset({"response_type", "redirect_uri", "scope"})
"""What an assertion says nothing of. A request object that says it travels through browsers, where it may be caught (RFC 9101, section 10.8)."""
_LONGEST_NAME: Final = 512
_FOREVER: Final = 1e6

_WRONG_TYPE: Final = Refused(Code.INVALID_CLIENT, f"client_assertion_type is {TYPE}.", "assertion_type")
_MALFORMED: Final = Refused(
    Code.INVALID_CLIENT, "client_assertion is no JWT whose iss and sub are both the client_id, or a request object.", "assertion_malformed"
)
_WRONG: Final = Refused(Code.INVALID_CLIENT, "client_assertion is not signed with a key this client registered, or the client may not use it.", "assertion_key")
_OLD: Final = Refused(Code.INVALID_CLIENT, "client_assertion is expired, not yet valid, or lives longer than an hour.", "assertion_times")
_AUDIENCE: Final = Refused(Code.INVALID_CLIENT, "aud of client_assertion is not this issuer, as one string (RFC 7523, section 3).", "assertion_audience")
_NO_NAME: Final = Refused(Code.INVALID_CLIENT, "client_assertion has no jti.", "assertion_jti")
_REPLAYED: Final = Refused(Code.INVALID_CLIENT, "client_assertion was used before: make one for each request.", "assertion_replayed")


class Assertion(msgspec.Struct, frozen=True):
    """An assertion whose signature, dates and audience hold; whether it is the first of its name is still to be asked."""

    method: AuthMethod
    jti: str
    until: datetime


async def checked(call: Call, form: Form) -> tuple[ClientId, Assertion] | Refused:
    """Check an assertion as far as that can be done outside a Work: fetching a client's keys may take seconds."""
    if form.text("client_assertion_type") != TYPE:
        return _WRONG_TYPE
    token = form.text("client_assertion")
    try:
        name = peek(token).claims.get("sub")
    except JoseError:
        return _MALFORMED
    if not isinstance(name, str) or not name:
        return _MALFORMED
    async with call.read() as reader:
        client = await clients.find(reader, ClientId(name))
        shared = await clients.shared_secret(reader, client) if client is not None and client.auth_method is AuthMethod.SECRET_JWT else None
        base = (await tenants.settings(reader, Tenant.section, Tenant)).mtls_base if client is not None and client.legacy else None
    if client is None or client.auth_method not in (AuthMethod.PRIVATE_KEY_JWT, AuthMethod.SECRET_JWT):
        return _WRONG
    jwt = await _verified(call, client, token, shared)
    return jwt if isinstance(jwt, Refused) else _read(call, client, jwt, base)


async def _verified(call: Call, client: Client, token: str, shared: bytes | None) -> Jwt | Refused:
    try:
        if client.auth_method is AuthMethod.PRIVATE_KEY_JWT:
            known = await client_keys.checking(call, client, token, client_keys.algorithms(client))
        elif shared is not None:
            known = KeySet([SharedKey(shared)])
        else:
            return _WRONG
        jwt = verify_jwt(token, known, typ=_TYPES)
    except JoseError:
        return _WRONG
    wanted = client.token_endpoint_auth_signing_alg
    return jwt if wanted is None or jwt.header.alg == wanted.value else _WRONG


def _read(call: Call, client: Client, jwt: Jwt, base: str | None) -> tuple[ClientId, Assertion] | Refused:
    said, now = jwt.claims, call.db.clock.now()
    if said.get("iss") != client.id or said.get("sub") != client.id or not _OF_REQUESTS.isdisjoint(said):
        return _MALFORMED
    try:
        check_times(jwt, now)
    except JoseError:
        return _OLD
    exp, jti = said.get("exp"), said.get("jti")
    lives = timedelta(seconds=min(float(exp) - now.timestamp(), _FOREVER)) if isinstance(exp, (int, float)) else LONGEST_LIFE
    if lives > LONGEST_LIFE:
        return _OLD
    if not _is_for_us(call, client, jwt, base):
        return _AUDIENCE
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_NAME:
        return _NO_NAME
    return client.id, Assertion(client.auth_method or AuthMethod.PRIVATE_KEY_JWT, jti, now + lives)


def _is_for_us(call: Call, client: Client, jwt: Jwt, base: str | None) -> bool:
    issuer = call.site.issuer
    if jwt.claims.get("aud") == issuer:
        return True
    if not client.legacy:
        return False
    ours = {issuer, f"{issuer}/", *(f"{one}{path}" for one in (issuer, base or issuer) for path in ("/oauth/token", call.endpoint.path))}
    return not ours.isdisjoint(audiences(jwt))


async def first_use(reader: Reader, client: Client, assertion: Assertion) -> Refused | None:
    """Return why an assertion may not serve any more. In a Read it is remembered by a Work beside it."""
    if not isinstance(reader, Work):
        async with reader.tx.db.work(reader.tenant, Actor(ActorKind.CLIENT, client.id)) as work:
            return await first_use(work, client, assertion)
    fresh = await replays.first_time(reader, ReplayKind.CLIENT_ASSERTION, client.id, assertion.jti, assertion.until)
    return None if fresh else _REPLAYED
