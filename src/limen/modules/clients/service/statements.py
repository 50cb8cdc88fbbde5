"""Software statements (RFC 7591, section 2.3): what somebody the tenant trusts says of an application counts before its own word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from limen.modules.clients.errors import InvalidStatement, UnapprovedStatement
from limen.modules.clients.settings import StatementIssuer, Tenant
from limen.modules.tenants import Flaw
from limen.platform.wire.jose import ASYMMETRIC, JoseError, Jwt, KeySet, audiences, check_times, peek, verify_jwt

MEMBER: Final = "software_statement"

_TYPES: Final = ("jwt", "")
_CLAIMS: Final = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", MEMBER})
"""Of the statement itself, not of the application."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """What an application says, with what was vouched for in its place; `issuer` is None where nobody vouched."""

    metadata: Mapping[str, object]
    issuer: str | None = None


def vouched(given: Mapping[str, object], allowed: Tenant, us: str, now: datetime) -> Vouched:
    """Return a registration's members with those of its software statement over them; `us` is our issuer. InvalidStatement, UnapprovedStatement."""
    statement = given.get(MEMBER)
    if statement is None:
        if allowed.statement_required:
            raise InvalidStatement(Flaw(MEMBER, "is needed here", _whose(allowed)))
        return Vouched(given)
    if not isinstance(statement, str):
        raise InvalidStatement(Flaw(MEMBER, "is a signed JWT"))
    issuer, claims = _read(statement, allowed, us, now)
    return Vouched({**given, **{name: value for name, value in claims.items() if name not in _CLAIMS}}, issuer)


def _read(statement: str, allowed: Tenant, us: str, now: datetime) -> tuple[str, Mapping[str, object]]:
    try:
        said = peek(statement)
    except JoseError:
        raise InvalidStatement(Flaw(MEMBER, "is no signed JWT")) from None
    trusted = _trusted(said, allowed)
    try:
        found = verify_jwt(statement, KeySet.parse(trusted.jwks.encode(), ASYMMETRIC), typ=_TYPES)
        check_times(found, now, needs_exp=False)
    except JoseError as trouble:
        raise InvalidStatement(Flaw(MEMBER, "is not signed by its issuer, or its time is over", str(trouble))) from None
    if audiences(found) and us not in audiences(found):
        raise InvalidStatement(Flaw(MEMBER, "is for another server (RFC 7519, section 4.1.3)"))
    return trusted.issuer, found.claims


def _trusted(said: Jwt, allowed: Tenant) -> StatementIssuer:
    issuer = said.claims.get("iss")
    for one in allowed.statement_issuers:
        if one.issuer == issuer:
            return one
    raise UnapprovedStatement(Flaw(MEMBER, "is of an issuer that does not count here", _whose(allowed)))


def _whose(allowed: Tenant) -> str:
    return f"There are {', '.join(one.issuer for one in allowed.statement_issuers)}" if allowed.statement_issuers else "There is none"
