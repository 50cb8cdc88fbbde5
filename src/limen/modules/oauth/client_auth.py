"""Client authentication (RFC 6749, section 2.3): `client_secret_basic`, `client_secret_post`, `none`. One method at a time."""

from __future__ import annotations

import binascii
import re
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec

from limen.kernel.ids import ClientId
from limen.modules import clients
from limen.modules.clients import AuthMethod, Client
from limen.modules.oauth.errors import Code, Refused
from limen.platform.http import Call, Form
from limen.platform.sql import Reader

METHODS: Final = tuple(one.value for one in AuthMethod)
CONFIDENTIAL_METHODS: Final = tuple(one.value for one in AuthMethod if one is not AuthMethod.NONE)

_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LONGEST: Final = 2_048


class Shown(msgspec.Struct, frozen=True):
    """What a request shows: not checked."""

    client: ClientId
    secret: str
    method: AuthMethod


_MALFORMED: Final = Refused(
    Code.INVALID_CLIENT, "The Authorization header is not Basic with base64(client_id:client_secret), both form-urlencoded first.", "malformed_basic"
)
_TWO_METHODS: Final = Refused(
    Code.INVALID_REQUEST, "The client authenticates in two ways at once: send the secret in the header or in the body, not in both.", "two_methods"
)
_TWO_CLIENTS: Final = Refused(Code.INVALID_REQUEST, "client_id in the body is not the client of the Authorization header.", "two_clients")
_NOBODY: Final = Refused(Code.INVALID_CLIENT, "No client_id: send it in the body, or authenticate by the Authorization header.", "no_client")
_WRONG: Final = Refused(Code.INVALID_CLIENT, "Unknown client, wrong secret, or a method this client is not registered for.", "wrong_client")


def shown(authorization: str, form: Form) -> Shown | Refused:
    """Read who a request says to come from."""
    named, secret = form.get("client_id") or None, form.get("client_secret") or None  # empty is left out: RFC 6749, section 3.2
    if not authorization:
        if not named:
            return _NOBODY
        return Shown(ClientId(named), secret or "", AuthMethod.NONE if secret is None else AuthMethod.POST)
    found = _basic(authorization)
    if isinstance(found, Refused):
        return found
    if secret is not None:
        return _TWO_METHODS
    return found if named is None or named == found.client else _TWO_CLIENTS


def _basic(authorization: str) -> Shown | Refused:
    """RFC 7617, with both parts form-urlencoded as RFC 6749, section 2.3.1 and appendix B say."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic" or len(credentials) > _LONGEST:
        return _MALFORMED
    try:
        text = binascii.a2b_base64(credentials.strip(), strict_mode=True).decode("utf-8")
        client, colon, secret = text.partition(":")
        if not colon or not client:
            return _MALFORMED
        if "%" in text or "+" in text:
            client, secret = _decoded(client), _decoded(secret)
        return Shown(ClientId(client), secret, AuthMethod.BASIC)
    except ValueError:
        return _MALFORMED


def _decoded(text: str) -> str:
    """Undo application/x-www-form-urlencoded; ValueError where it is broken."""
    if _BAD_ESCAPE.search(text):
        raise ValueError("a broken escape")
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")


async def proved(reader: Reader, found: Shown) -> Client | Refused:
    """Return the client if what it showed proves it; a public client shows its name alone."""
    client = await clients.find(reader, found.client)
    if client is None or not client.accepts(found.method):
        return _WRONG
    if found.method is not AuthMethod.NONE and not clients.check_secret(client, found.secret, reader.now):
        return _WRONG
    return client


async def authenticate(call: Call, reader: Reader, form: Form) -> Client | Refused:
    """Return the client of a request, or why it is not believed."""
    found = shown(call.raw_headers.get(b"authorization", b"").decode("latin-1"), form)
    return found if isinstance(found, Refused) else await proved(reader, found)
