"""What a back-channel request says: in the form, or in a JWT of the client's and then nowhere else (CIBA Core 1.0, sections 7.1 and 7.1.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from limen.modules.clients import Client, Delivery
from limen.modules.oauth import client_keys, request_object
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.settings import Tenant
from limen.platform.http import Call, Form
from limen.platform.wire.jose import JoseError, JsonValue, Jwt, audiences, check_times, peek, verify_jwt

_LONGEST_LIFE: Final = 3_600
"""Seconds a signed request lives at most, from `nbf` and from now (FAPI-CIBA, section 5.2.2): until it ends it has to be remembered."""
_LONGEST_TOKEN: Final = 1_024
_LONGEST_NAME: Final = 512
_BEARER: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750, section 2.1
_SECONDS: Final = re.compile(r"[1-9][0-9]{0,8}")
_ABOUT_ITSELF: Final = frozenset({"iss", "aud", "exp", "iat", "nbf", "jti"})


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of section 7.1, as they came. What is absent is empty."""

    scope: str = ""
    client_notification_token: str = ""
    acr_values: str = ""
    login_hint_token: str = ""
    id_token_hint: str = ""
    login_hint: str = ""
    binding_message: str = ""
    user_code: str = ""
    requested_expiry: str = ""
    authorization_details: str = ""
    resource: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """A request as it was read; of a signed one its name, to be shown once, and until when that is remembered."""

    wanted: Wanted
    jti: str = ""
    until: datetime | None = None


def _invalid(why: str, operator: str) -> Refused:
    return Refused(Code.INVALID_REQUEST, why, operator)


_UNSIGNED: Final = _invalid("This client's back-channel requests must be signed: send `request` (CIBA Core 1.0, section 7.1.1).", "not_signed")
_UNREGISTERED: Final = _invalid("The client did not register backchannel_authentication_request_signing_alg, so it sends no `request`.", "signed_unregistered")
_BESIDE: Final = _invalid("Beside `request` there is nothing but the client's authentication (CIBA Core 1.0, section 7.1.1).", "beside_request")
_BROKEN: Final = _invalid("request is no JWT signed with a key and the algorithm this client registered.", "request_signature")
_NOT_OURS: Final = _invalid("aud of request is not this issuer.", "request_aud")
_ANOTHER: Final = _invalid("iss of request is not the client_id.", "request_iss")
_TIMES: Final = _invalid("request needs exp, iat and nbf, is expired or not yet valid, or lives longer than an hour.", "request_times")
_NAMELESS: Final = _invalid("request has no jti.", "request_jti")
_MEMBERS: Final = _invalid("A member of request is of the wrong type.", "request_members")
_TOKEN: Final = _invalid(
    f"client_notification_token is a bearer token of at most {_LONGEST_TOKEN} characters, and must be there in the modes ping and push.",
    "client_notification_token",
)
_USER_CODE: Final = _invalid("user_code is not supported.", "user_code")
_EXPIRY: Final = _invalid("requested_expiry is a positive number of seconds.", "requested_expiry")
_HINTS: Final = _invalid("Exactly one of login_hint and id_token_hint says whom the request means.", "hints")
_HINT_TOKEN: Final = _invalid("login_hint_token is not supported: send login_hint or id_token_hint.", "login_hint_token")
_NOTHING_UNIQUE: Final = _invalid(
    "binding_message is missing: this client's profile wants it, or authorization_details that tell one request from another.", "binding_message"
)
REPLAYED: Final = _invalid("request was sent before: make one for each request.", "request_replayed")


async def said(call: Call, client: Client) -> Said | Refused:
    """Read a request. A client's keys may have to be fetched, so this is for outside a Work."""
    token = call.form.text("request")
    if not token:
        signs = client.backchannel_authentication_request_signing_alg is not None or client.fapi
        return _UNSIGNED if signs else Said(call.form.into(Wanted))
    if client.backchannel_authentication_request_signing_alg is None:
        return _UNREGISTERED
    if any(_is_there(call.form, name) for name in Wanted.__struct_fields__):
        return _BESIDE
    jwt = await _verified(call, client, token)
    return jwt if isinstance(jwt, Refused) else _opened(call, client, jwt)


def _is_there(form: Form, name: str) -> bool:
    return bool(form.all(name)) if name == "resource" else bool(form.text(name))


async def _verified(call: Call, client: Client, token: str) -> Jwt | Refused:
    """Check the signature. The type is not asked for, since the specification names none; what it says of itself shows what it is for."""
    wanted = client.backchannel_authentication_request_signing_alg
    algs = tuple(one for one in client_keys.algorithms(client) if one is wanted)
    try:
        typ = peek(token).header.typ
        return verify_jwt(token, await client_keys.checking(call, client, token, algs), typ=(typ,))
    except JoseError:
        return _BROKEN


def _opened(call: Call, client: Client, jwt: Jwt) -> Said | Refused:
    claims, now = jwt.claims, call.db.clock.now()
    if claims.get("iss") != client.id:
        return _ANOTHER
    if call.site.issuer not in audiences(jwt):
        return _NOT_OURS
    exp = _end_of(jwt, now)
    if exp is None:
        return _TIMES
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_NAME:
        return _NAMELESS
    wanted = _parameters(claims)
    return wanted if isinstance(wanted, Refused) else Said(wanted, jti, datetime.fromtimestamp(exp, UTC))


def _end_of(jwt: Jwt, now: datetime) -> float | None:
    """Return `exp`, if all three dates are there and hold."""
    try:
        check_times(jwt, now)
    except JoseError:
        return None
    exp, iat, nbf = (jwt.claims.get(name) for name in ("exp", "iat", "nbf"))
    if not isinstance(exp, (int, float)) or not isinstance(iat, (int, float)) or not isinstance(nbf, (int, float)):
        return None
    return float(exp) if exp - nbf <= _LONGEST_LIFE and now.timestamp() - nbf <= _LONGEST_LIFE else None


def _parameters(claims: Mapping[str, JsonValue]) -> Wanted | Refused:
    given = {name: request_object.text_of(name, value) for name, value in claims.items() if name not in _ABOUT_ITSELF}
    try:
        return msgspec.convert(given, Wanted)
    except msgspec.ValidationError:
        return _MEMBERS


def fault(wanted: Wanted, client: Client, settings: Tenant) -> Refused | None:
    """Return what is wrong with the parameters by themselves."""
    if wanted.login_hint_token:
        return _HINT_TOKEN
    if bool(wanted.login_hint) == bool(wanted.id_token_hint):
        return _HINTS
    if wanted.user_code:
        return _USER_CODE
    if wanted.requested_expiry and not _SECONDS.fullmatch(wanted.requested_expiry):
        return _EXPIRY
    message = wanted.binding_message
    if len(message) > settings.backchannel_message or not message.isprintable() or message != message.strip():
        why = f"binding_message has at most {settings.backchannel_message} printable characters, on one line."
        return Refused(Code.INVALID_BINDING_MESSAGE, why)
    if client.fapi and not message and not wanted.authorization_details:
        return _NOTHING_UNIQUE
    return None if client.backchannel_token_delivery_mode is Delivery.POLL else _fault_of_token(wanted.client_notification_token)


def _fault_of_token(token: str) -> Refused | None:
    return None if len(token) <= _LONGEST_TOKEN and _BEARER.fullmatch(token) else _TOKEN
