"""Access tokens: whom they are for, and their two forms: JWT (RFC 9068) and opaque."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from limen.kernel import ids
from limen.kernel.ids import TokenId
from limen.modules import grants
from limen.modules.clients import Client
from limen.modules.grants import TOKEN_PREFIX, Grant, OpaqueToken
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.ground import Press
from limen.modules.oauth.model import OPENID
from limen.modules.tenants import API_SCOPES, OWN_SCOPES, Tenant, TokenFormat
from limen.platform.sql import Work
from limen.platform.wire.jose import SigningKey, encode_jwt

TYPE: Final = "at+jwt"


class ServiceClaims(msgspec.Struct, frozen=True):
    """The claims of a token that a service got for itself (RFC 9068, section 2.2): `sub` is the client."""

    iss: str
    sub: str
    aud: str | tuple[str, ...]
    client_id: str
    scope: str
    iat: int
    exp: int
    jti: str


class PersonClaims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of a token that speaks for a person; `grant_id` says under which grant, so that its end reaches the token."""

    iss: str
    sub: str
    aud: str | tuple[str, ...]
    client_id: str
    scope: str
    iat: int
    exp: int
    jti: str
    grant_id: str
    auth_time: int
    acr: str
    amr: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a token is for, and in which form."""

    audience: tuple[str, ...]
    format: TokenFormat


class Made(msgspec.Struct, frozen=True):
    """An access token on its way out. A JWT is signed after the Work that recorded it, so that no row waits for a signature."""

    id: TokenId
    expires: int
    """Seconds since 1970."""
    claims: ServiceClaims | PersonClaims | None
    opaque: str = ""

    def text(self, key: SigningKey) -> str:
        """Return the token as the client gets it."""
        return self.opaque if self.claims is None else encode_jwt(key, self.claims, TYPE)


def named(scope: str) -> str:
    """Return a scope as an error may repeat it: short, and without what RFC 6749 forbids in a description."""
    shown = "".join(letter if "!" <= letter <= "~" and letter not in '"\\' else "'" for letter in scope[:60])
    return f"`{shown}`"


def aim(tenant: Tenant, issuer: str, client: Client, scopes: Sequence[str], *, person: bool) -> Target | Refused:
    """Say whom a token with these scopes is for (RFC 9068, section 3): the one resource that owns them, the issuer where none does.

    With `openid` the issuer is an audience too, since userinfo takes the token. A `person` gives no app a power over Limen's own API,
    and a service that speaks for itself is nobody who could be identified.
    """
    owners = {}
    for scope in scopes:
        if scope not in client.scopes:
            return Refused(Code.INVALID_SCOPE, f"The client is not registered for the scope {named(scope)}.", "scope_not_registered")
        if scope in (API_SCOPES if person else OWN_SCOPES):
            how = "client_credentials" if person else "authorization_code"
            return Refused(Code.INVALID_SCOPE, f"The scope {named(scope)} is given by the grant {how} only.", "scope_of_another_grant")
        owner = tenant.owner_of(scope, issuer)
        if owner is not None:
            owners[owner.identifier] = owner
        elif scope not in OWN_SCOPES:
            return Refused(Code.INVALID_SCOPE, f"The scope {named(scope)} belongs to no resource any more.", "scope_unknown")
    if len(owners) > 1:
        return Refused(Code.INVALID_SCOPE, "The scopes belong to several resources; ask for those of one at a time.", "several_resources")
    for owner in owners.values():
        return Target((owner.identifier, issuer) if OPENID in scopes else (owner.identifier,), owner.token_format)
    return Target((issuer,), TokenFormat.JWT)


def one_or_many(audience: tuple[str, ...]) -> str | tuple[str, ...]:
    """Return `aud` in its shorter form (RFC 7519, section 4.1.3)."""
    return audience[0] if len(audience) == 1 else audience


def seconds(instant: datetime) -> int:
    """Return NumericDate (RFC 7519, section 2)."""
    return int(instant.timestamp())


async def for_person(work: Work, press: Press, target: Target, grant: Grant, scopes: Sequence[str]) -> Made:
    """Make an access token under a grant; `scopes` may be fewer than the grant's."""
    permit = grant.permit
    lives = press.ground.limits.access_token
    token, now = TokenId(ids.new(TOKEN_PREFIX, work.now)), seconds(work.now)
    expires = now + press.ground.access_seconds
    if target.format is TokenFormat.OPAQUE:
        opaque = OpaqueToken(token, grant.id, permit.account, permit.client, tuple(scopes), target.audience, work.now, work.now + lives)
        return Made(token, expires, None, (await grants.add_opaque(work, opaque)).reveal())
    claims = PersonClaims(
        iss=press.issuer,
        sub=permit.account,
        aud=one_or_many(target.audience),
        client_id=permit.client,
        scope=" ".join(scopes),
        iat=now,
        exp=expires,
        jti=token,
        grant_id=grant.id,
        auth_time=seconds(permit.auth_time),
        acr=permit.acr,
        amr=permit.amr,
    )
    return Made(token, expires, claims)
