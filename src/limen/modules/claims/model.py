"""What is told of a person under which name: the standard claims of each scope, who asks for them, and the sector a pairwise `sub` is for."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import msgspec

from limen.kernel.ids import AccountId
from limen.modules.clients import Client, SubjectType
from limen.modules.profiles import Address
from limen.platform import expressions
from limen.platform.expressions import Expression, JsonValue, Kind

BY_SCOPE: Final[Mapping[str, tuple[str, ...]]] = {
    "profile": (
        *("name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture"),
        *("website", "gender", "birthdate", "zoneinfo", "locale", "updated_at"),
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}
"""Which scope gives which claims (OpenID Connect Core 1.0, section 5.4)."""
STANDARD: Final = tuple(name for names in BY_SCOPE.values() for name in names)
EMAIL: Final = frozenset(BY_SCOPE["email"])
"""Those that come from an account's identifiers; the others are of its profile."""
SPELT: Final = EMAIL | {"phone_number_verified", "address", "updated_at"}
"""Those that are no text of the profile."""

ADDRESS: Final = Address.__struct_fields__
ATTRIBUTES: Final = (*STANDARD, *(f"address.{line}" for line in ADDRESS))
"""What a claim of the tenant's own can have the value of."""
PROVED: Final = EMAIL | frozenset(BY_SCOPE["phone"])
"""Claims that apps take for proved: nobody computes them."""
RESERVED: Final = frozenset(
    {
        *("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "nonce", "acr", "amr", "auth_time", "azp", "at_hash", "c_hash", "s_hash", "sid", "cnf"),
        *("act", "may_act", "client_id", "scope", "token_type", "active", "events", "username", "toe", "txn", "typ", "grant_id", "sub_id", "sub_jwk"),
        *("authorization_details", "_claim_names", "_claim_sources", "rt_hash", "urn:openid:params:jwt:claim:rt_hash", "auth_req_id", "trust_framework"),
        *("urn:openid:params:jwt:claim:auth_req_id", "token_introspection", "error", "error_description", "vot", "vtm", "request", "request_uri"),
    }
)
"""Claims of tokens and of answers (RFC 7519, 7662, 8417, 8693, 9068, 9701; OpenID Connect Core 1.0, section 2): what they mean is not the tenant's to say."""
VARIABLES: Final[Mapping[str, Kind]] = {
    **{f"profile.{name}": Kind.TEXT for name in STANDARD if name not in SPELT},
    **{f"profile.address.{line}": Kind.TEXT for line in ADDRESS},
    "profile.updated_at": Kind.NUMBER,
    "email": Kind.TEXT,
    "email_verified": Kind.TRUTH,
    "scopes": Kind.TEXTS,
    "client.id": Kind.TEXT,
    "client.name": Kind.TEXT,
    "client.kind": Kind.TEXT,
    "now": Kind.INSTANT,
}
"""What an expression may read. What is not known is empty: "", 0, false. The account's id is not among it: a pairwise `sub` would hide nothing."""

_NOBODYS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts of the device itself: apps that share one have nothing in common."""


class Use(enum.Enum):
    """Where claims are told."""

    USERINFO = "userinfo"
    ID_TOKEN = "id_token"  # noqa: S105 - the name of a token
    ACCESS_TOKEN = "access_token"  # noqa: S105 - likewise
    INTROSPECTION = "introspection"


@dataclass(frozen=True, slots=True)
class Requested:
    """How one claim is asked for by the parameter `claims` (OpenID Connect Core 1.0, section 5.5.1)."""

    essential: bool = False
    values: tuple[JsonValue, ...] = ()
    """Its `value`, or its `values`: another one is not what was asked for. Empty: any."""


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """An app that asks about a person. `scopes` are those it was granted."""

    account: AccountId
    client: Client
    scopes: tuple[str, ...]
    use: Use
    requested: Mapping[str, Requested] | None = None
    """The member of the parameter `claims` for this use."""
    alone: bool = False
    """No access token goes with this ID token, so that it tells what userinfo would (section 5.4)."""


@lru_cache(maxsize=1_000)
def expression(text: str) -> Expression:
    """Return a claim's expression, compiled; BadExpression."""
    return expressions.compile(text, VARIABLES)


def sector_of(client: Client) -> str | None:
    """Return the sector of a client whose subjects are pairwise (OpenID Connect Core 1.0, section 8.1); None where they are public.

    That is the host of its `sector_identifier_uri`, or else the one host of its redirect addresses; a private-use scheme stands for a
    host (RFC 8252, section 7.1). A client without either is a sector of its own, as is one of a loopback address, which belongs to
    whatever app happens to run.
    """
    if client.subject_type is not SubjectType.PAIRWISE:
        return None
    if client.sector_identifier_uri and (host := urlsplit(client.sector_identifier_uri).hostname):
        return host
    hosts = {_host(uri) for uri in client.redirect_uris}
    only = hosts.pop() if len(hosts) == 1 else ""
    return only if only and only not in _NOBODYS else f"client:{client.id}"


def _host(uri: str) -> str:
    parts = urlsplit(uri)
    return parts.hostname or (f"{parts.scheme}:" if parts.scheme not in ("http", "https") else "")
