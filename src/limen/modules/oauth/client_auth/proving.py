"""Who a request says to come from, and whether that is so."""

from __future__ import annotations

from typing import Final

import msgspec

from limen.kernel.ids import ClientId
from limen.modules import clients
from limen.modules.clients import AuthMethod, Client
from limen.modules.oauth.client_auth import assertion as assertions
from limen.modules.oauth.client_auth import tls
from limen.modules.oauth.client_auth.assertion import Assertion
from limen.modules.oauth.client_auth.secret import basic
from limen.modules.oauth.errors import Code, Refused
from limen.platform.http import Call
from limen.platform.sql import Reader

METHODS: Final = tuple(one.value for one in AuthMethod)
CONFIDENTIAL_METHODS: Final = tuple(one.value for one in AuthMethod if one is not AuthMethod.NONE)


class Shown(msgspec.Struct, frozen=True):
    """What a request shows. A secret is not checked yet; an assertion and a certificate are, but for the client's record of this instant."""

    client: ClientId
    secret: str
    method: AuthMethod
    assertion: Assertion | None = None


_TWO_METHODS: Final = Refused(
    Code.INVALID_REQUEST, "The client authenticates in two ways at once: send the secret in the header or in the body, or an assertion.", "two_methods"
)
_BESIDE_ASSERTION: Final = Refused(Code.INVALID_CLIENT, "Beside client_assertion there is another way of authenticating: send one alone.", "two_methods")
"""RFC 7521, section 4.2.1, has a code of its own for this."""
_TWO_CLIENTS: Final = Refused(Code.INVALID_REQUEST, "client_id in the body is not the client of the Authorization header or the assertion.", "two_clients")
_NOBODY: Final = Refused(Code.INVALID_CLIENT, "No client_id: send it in the body, or authenticate by the Authorization header.", "no_client")
_WRONG: Final = Refused(Code.INVALID_CLIENT, "Unknown client, wrong secret, or a method this client is not registered for.", "wrong_client")
_SECRETS: Final = (AuthMethod.BASIC, AuthMethod.POST)
"""A tuple: to look for a member in a set takes its hash, which Python works out slowly."""


async def shown(call: Call) -> Shown | Refused:
    """Read who a request says to come from."""
    form = call.form
    authorization = call.raw_headers.get(b"authorization", b"").decode("latin-1")
    named, secret = form.get("client_id") or None, form.get("client_secret") or None  # empty is left out: RFC 6749, section 3.2
    if "client_assertion" in form or "client_assertion_type" in form:
        return _BESIDE_ASSERTION if authorization or secret is not None else await _by_assertion(call, named)
    if not authorization:
        return await _by_body(call, named, secret)
    found = basic(authorization)
    if isinstance(found, Refused):
        return found
    if secret is not None:
        return _TWO_METHODS
    return Shown(*found, AuthMethod.BASIC) if named is None or named == found[0] else _TWO_CLIENTS


async def _by_body(call: Call, named: str | None, secret: str | None) -> Shown | Refused:
    if not named:
        return _NOBODY
    client = ClientId(named)
    if secret is not None:
        return Shown(client, secret, AuthMethod.POST)
    certificate = call.certificate
    method = await tls.checked(call, client, certificate) if certificate is not None else None
    return Shown(client, "", method or AuthMethod.NONE)


async def _by_assertion(call: Call, named: str | None) -> Shown | Refused:
    found = await assertions.checked(call, call.form)
    if isinstance(found, Refused):
        return found
    client, assertion = found
    return Shown(client, "", assertion.method, assertion) if named is None or named == client else _TWO_CLIENTS


async def proved(reader: Reader, found: Shown) -> Client | Refused:
    """Return the client if what it showed proves it; a public client shows its name alone."""
    client = await clients.find(reader, found.client)
    if client is None or not client.accepts(found.method):
        return _WRONG
    if found.method in _SECRETS and not clients.check_secret(client, found.secret, reader.now):
        return _WRONG
    if found.assertion is not None and (refusal := await assertions.first_use(reader, client, found.assertion)):
        return refusal
    return client
