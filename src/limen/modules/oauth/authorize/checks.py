"""What an authorization request must be, as a table: one row per rule, one column per entry through which a request may come."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from limen.modules.clients import Client, GrantType
from limen.modules.oauth import pkce
from limen.modules.oauth.access_token import aim
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.model import CODE, OPENID, PROMPTS, Asked
from limen.modules.tenants import Tenant

MODES: Final = ("query",)
_LONGEST_AGE: Final = 9
_LONGEST_NONCE: Final = 1_000


class Entry(enum.Flag):
    """How a request comes."""

    AUTHORIZE = enum.auto()
    """From the app, by GET or POST."""
    RESUME = enum.auto()
    """Back from a journey: what may have changed meanwhile is looked at again."""


@dataclass(frozen=True, slots=True)
class Case:
    """A request with what it is judged by; its client is known and its redirect_uri registered."""

    asked: Asked
    client: Client
    tenant: Tenant
    issuer: str


def _grant(case: Case) -> Refused | None:
    if GrantType.AUTHORIZATION_CODE in case.client.grants:
        return None
    return Refused(Code.UNAUTHORIZED_CLIENT, "The client is not registered for the grant authorization_code.")


def _request_object(case: Case) -> Refused | None:
    if case.asked.request:
        return Refused(Code.REQUEST_NOT_SUPPORTED, "Request objects are not supported here: send the parameters themselves.")
    if case.asked.request_uri:
        return Refused(Code.REQUEST_URI_NOT_SUPPORTED, "request_uri is not supported here: send the parameters themselves.")
    if case.asked.registration:
        return Refused(Code.REGISTRATION_NOT_SUPPORTED, "The parameter registration is not supported here: register the client beforehand.")
    return None


def _response_type(case: Case) -> Refused | None:
    if case.asked.response_type == CODE:
        return None
    if not case.asked.response_type:
        return Refused(Code.INVALID_REQUEST, "response_type is missing; it is `code`.")
    return Refused(Code.UNSUPPORTED_RESPONSE_TYPE, "The response_type is `code`.")


def _response_mode(case: Case) -> Refused | None:
    if case.asked.response_mode in ("", *MODES):
        return None
    return Refused(Code.INVALID_REQUEST, "The response_mode is `query`.", "response_mode")


def _scope(case: Case) -> Refused | None:
    if not case.asked.scopes:
        return Refused(Code.INVALID_SCOPE, "scope is missing: name what the app needs, `openid` to know who the person is.", "scope_missing")
    target = aim(case.tenant, case.issuer, case.client, case.asked.scopes, person=True)
    return target if isinstance(target, Refused) else None


def _openid(case: Case) -> Refused | None:
    if OPENID in case.asked.scopes and not case.asked.redirect_uri:
        return Refused(Code.INVALID_REQUEST, "redirect_uri is missing; with the scope openid it must be there (OpenID Connect Core 1.0, 3.1.2.1).")
    return None


def _pkce(case: Case) -> Refused | None:
    challenge, method = case.asked.code_challenge, case.asked.code_challenge_method
    if not challenge:
        if method:
            return Refused(Code.INVALID_REQUEST, "code_challenge_method without code_challenge.", "pkce")
        if case.client.public or case.client.pkce_required:
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
    return None


A: Final = Entry.AUTHORIZE
R: Final = Entry.RESUME

CHECKS: Final[tuple[tuple[str, Callable[[Case], Refused | None], Entry], ...]] = (
    ("the client may use codes", _grant, A | R),
    ("no request objects", _request_object, A),
    ("response_type", _response_type, A),
    ("response_mode", _response_mode, A),
    ("scopes are the client's and of one resource", _scope, A | R),
    ("openid needs redirect_uri", _openid, A),
    ("PKCE", _pkce, A | R),
    ("prompt", _prompt, A),
    ("max_age and nonce", _numbers, A),
)


_OF_ENTRY: Final = {entry: tuple(rule for _, rule, entries in CHECKS if entry in entries) for entry in Entry}


def check(case: Case, entry: Entry) -> Refused | None:
    """Return the first refusal of the rules that hold for an entry."""
    for rule in _OF_ENTRY[entry]:
        if (found := rule(case)) is not None:
            return found
    return None
