"""What an authorization request must be, as a table: one row per rule, one column per entry through which a request may come."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from limen.modules.clients import FAPI_METHODS, Client, GrantType, Profile
from limen.modules.oauth import claims_request, details, pkce
from limen.modules.oauth.access_token import aim
from limen.modules.oauth.authorize import modes
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.model import CODE, ID_TOKEN, OPENID, PROMPTS, TOKEN, Asked
from limen.modules.tenants import Tenant

_LONGEST_AGE: Final = 9
_LONGEST_NONCE: Final = 1_000
_KNOWN_TYPES: Final = frozenset({CODE, ID_TOKEN, TOKEN})


class Entry(enum.Flag):
    """How a request comes."""

    AUTHORIZE = enum.auto()
    """From the app, by GET or POST."""
    PAR = enum.auto()
    """Pushed by the app itself (RFC 9126)."""
    RESUME = enum.auto()
    """Back from a journey: what may have changed meanwhile is looked at again."""
    DEVICE = enum.auto()
    """From a device without a browser of its own (RFC 8628)."""
    CIBA = enum.auto()
    """From an app that reaches the person another way (CIBA Core 1.0)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A request with what it is judged by; its client is known and, where a browser goes back, its redirect_uri registered."""

    asked: Asked
    client: Client
    tenant: Tenant
    issuer: str
    pushed: bool = False
    """Whether the client sent it itself (RFC 9126)."""
    signed: bool = False
    """Whether the client signed it (RFC 9101)."""


def _grant(case: Case) -> Refused | None:
    needed = GrantType.AUTHORIZATION_CODE if CODE in case.asked.types or not case.asked.types else GrantType.IMPLICIT
    if needed in case.client.grants:
        return None
    return Refused(Code.UNAUTHORIZED_CLIENT, f"The client is not registered for the grant {needed.value}.")


def _device_grant(case: Case) -> Refused | None:
    if GrantType.DEVICE_CODE in case.client.grants:
        return None
    return Refused(Code.UNAUTHORIZED_CLIENT, f"The client is not registered for the grant {GrantType.DEVICE_CODE.value}.")


def _ciba_grant(case: Case) -> Refused | None:
    if GrantType.CIBA in case.client.grants:
        return None
    return Refused(Code.UNAUTHORIZED_CLIENT, f"The client is not registered for the grant {GrantType.CIBA.value}.")


def _registration(case: Case) -> Refused | None:
    if case.asked.registration:
        return Refused(Code.REGISTRATION_NOT_SUPPORTED, "The parameter registration is not supported here: register the client beforehand.")
    return None


def _pushed(case: Case) -> Refused | None:
    if case.pushed or not (case.client.require_pushed_authorization_requests or case.client.fapi):
        return None
    return Refused(Code.INVALID_REQUEST, "This client's requests must be pushed first (RFC 9126).", "not_pushed")


def _signed(case: Case) -> Refused | None:
    if case.signed or not (case.client.require_signed_request_object or case.client.profile is Profile.FAPI2_MESSAGE_SIGNING):
        return None
    return Refused(Code.INVALID_REQUEST, "This client's requests must be signed (RFC 9101).", "not_signed")


def _response_type(case: Case) -> Refused | None:
    types = case.asked.types
    if not types:
        return Refused(Code.INVALID_REQUEST, "response_type is missing; it is `code`.")
    if not types <= _KNOWN_TYPES or types == {TOKEN}:
        return Refused(Code.UNSUPPORTED_RESPONSE_TYPE, "The response_type is `code`.")
    if types != {CODE} and " ".join(sorted(types)) not in case.client.types:
        return Refused(Code.UNSUPPORTED_RESPONSE_TYPE, "The client is not registered for this response_type; use `code`.", "response_type_not_registered")
    return None


def _response_mode(case: Case) -> Refused | None:
    return modes.fault(case.asked, case.client)


def _scope(case: Case) -> Refused | None:
    if not case.asked.scopes and not case.asked.authorization_details:
        return Refused(Code.INVALID_SCOPE, "scope is missing: name what the app needs, `openid` to know who the person is.", "scope_missing")
    target = aim(case.tenant, case.issuer, case.client, case.asked.scopes, person=True, resources=case.asked.resource)
    return target if isinstance(target, Refused) else None


def _openid(case: Case) -> Refused | None:
    asked = case.asked
    if not asked.redirect_uri and (OPENID in asked.scopes or case.client.fapi):
        return Refused(Code.INVALID_REQUEST, "redirect_uri is missing; with the scope openid it must be there (OpenID Connect Core 1.0, 3.1.2.1).")
    if ID_TOKEN in asked.types and OPENID not in asked.scopes:
        return Refused(Code.INVALID_SCOPE, "An ID token needs the scope openid.", "openid_missing")
    if ID_TOKEN in asked.types and not asked.nonce:
        return Refused(Code.INVALID_REQUEST, "nonce is missing; an ID token from here needs it (OpenID Connect Core 1.0, 3.2.2.1).", "nonce")
    return None


def _ciba_scope(case: Case) -> Refused | None:
    if OPENID in case.asked.scopes:
        return None
    return Refused(Code.INVALID_SCOPE, "scope must contain openid (CIBA Core 1.0, section 7.1).", "openid_missing")


def _pkce(case: Case) -> Refused | None:
    challenge, method = case.asked.code_challenge, case.asked.code_challenge_method
    if not challenge:
        if method:
            return Refused(Code.INVALID_REQUEST, "code_challenge_method without code_challenge.", "pkce")
        if CODE in case.asked.types and (case.client.public or case.client.pkce_required):
            return Refused(Code.INVALID_REQUEST, "code_challenge is missing: PKCE with S256 is required (RFC 7636).", "pkce_missing")
        return None
    if method not in pkce.METHODS:
        return Refused(Code.INVALID_REQUEST, "code_challenge_method must be S256; absent it means plain, which is not taken (RFC 7636, section 4.3).", "pkce")
    if not pkce.is_challenge(challenge):
        return Refused(Code.INVALID_REQUEST, "code_challenge is not the base64url of a SHA-256 hash: 43 characters (RFC 7636, section 4.2).", "pkce")
    return None


def _prompt(case: Case) -> Refused | None:
    unknown = case.asked.prompts.difference(PROMPTS)
    if unknown:
        return Refused(Code.INVALID_REQUEST, f"prompt is of {', '.join(PROMPTS)}.", "prompt")
    if "none" in case.asked.prompts and len(case.asked.prompts) > 1:
        return Refused(Code.INVALID_REQUEST, "prompt `none` stands alone.", "prompt")
    return None


def _numbers(case: Case) -> Refused | None:
    age = case.asked.max_age
    if age and (case.asked.longest_age is None or len(age) > _LONGEST_AGE):
        return Refused(Code.INVALID_REQUEST, "max_age is a number of seconds.", "max_age")
    if len(case.asked.nonce) > _LONGEST_NONCE:
        return Refused(Code.INVALID_REQUEST, f"nonce has at most {_LONGEST_NONCE} characters.", "nonce")
    if case.asked.dpop_jkt and not pkce.is_challenge(case.asked.dpop_jkt):
        return Refused(Code.INVALID_REQUEST, "dpop_jkt is no SHA-256 thumbprint: 43 characters of base64url (RFC 9449, section 10).", "dpop_jkt")
    return None


def _claims(case: Case) -> Refused | None:
    return claims_request.fault(case.asked.claims) if case.asked.claims else None


def _details(case: Case) -> Refused | None:
    if not case.asked.authorization_details:
        return None
    found = details.parse(case.asked.authorization_details, case.tenant, case.client)
    return found if isinstance(found, Refused) else None


def _methods(case: Case) -> Refused | None:
    """FAPI 2.0 Security Profile, section 5.3.2.1: whoever relaxed the client since it was saved does not relax this."""
    if case.client.fapi and case.client.auth_method not in FAPI_METHODS:
        return Refused(Code.UNAUTHORIZED_CLIENT, "The client's profile wants private_key_jwt or mutual TLS.", "fapi_method")
    return None


A: Final = Entry.AUTHORIZE
P: Final = Entry.PAR
R: Final = Entry.RESUME
D: Final = Entry.DEVICE
C: Final = Entry.CIBA

CHECKS: Final[tuple[tuple[str, Callable[[Case], Refused | None], Entry], ...]] = (
    ("response_type", _response_type, A | P),
    ("the client may use the grant", _grant, A | P | R),
    ("the client may use device codes", _device_grant, D),
    ("the client may use the back channel", _ciba_grant, C),
    ("the profile's ways to authenticate", _methods, A | P | R | C),
    ("no registration in passing", _registration, A | P),
    ("pushed where it must be", _pushed, A | R),
    ("signed where it must be", _signed, A | P | R),
    ("response_mode", _response_mode, A | P),
    ("scopes are the client's and of the resources named", _scope, A | P | R | D | C),
    ("openid: redirect_uri and nonce", _openid, A | P),
    ("openid in the back channel", _ciba_scope, C),
    ("PKCE", _pkce, A | P | R),
    ("prompt", _prompt, A | P),
    ("max_age, nonce and dpop_jkt", _numbers, A | P),
    ("claims", _claims, A | P | R),
    ("authorization_details", _details, A | P | R | D | C),
)


_OF_ENTRY: Final = {entry: tuple(rule for _, rule, entries in CHECKS if entry in entries) for entry in Entry}


def check(case: Case, entry: Entry) -> Refused | None:
    """Return the first refusal of the rules that hold for an entry."""
    for rule in _OF_ENTRY[entry]:
        if (found := rule(case)) is not None:
            return found
    return None
