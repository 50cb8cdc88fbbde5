"""Access tokens: whom they are for, and their two forms: JWT (RFC 9068) and opaque."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from limen.kernel import ids
from limen.kernel.ids import TokenId
from limen.modules import clients, grants
from limen.modules.claims import Asking, JsonValue, Use
from limen.modules.claims import of as of_person
from limen.modules.clients import Client
from limen.modules.grants import TOKEN_PREFIX, Grant, OpaqueToken, Permit
from limen.modules.oauth import details
from limen.modules.oauth.errors import Code, Refused
from limen.modules.oauth.ground import Press
from limen.modules.oauth.model import OPENID
from limen.modules.oauth.possession import Confirmation, confirmation
from limen.modules.tenants import API_SCOPES, OWN_SCOPES, Resource, Tenant, TokenFormat, api_resource
from limen.platform.sql import Reader, Work
from limen.platform.wire.jose import SigningKey, encode_jwt

TYPE: Final = "at+jwt"

_MOST_AIMS: Final = 5_000
"""Of one tenant."""


class ServiceClaims(msgspec.Struct, frozen=True, omit_defaults=True):
    """The claims of a token that a service got for itself (RFC 9068, section 2.2): `sub` is the client."""

    iss: str
    sub: str
    aud: str | tuple[str, ...]
    client_id: str
    scope: str
    iat: int
    exp: int
    jti: str
    act: msgspec.Raw | None = None
    """RFC 8693, section 4.1."""
    cnf: Confirmation | msgspec.UnsetType = msgspec.UNSET
    """The key it is bound to (RFC 9449, section 6.1)."""


class PersonClaims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
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
    auth_time: int | None = None
    """Left out, as the next two, where somebody else vouches for the sign-in."""
    acr: str = ""
    amr: tuple[str, ...] = ()
    authorization_details: msgspec.Raw | None = None
    """RFC 9396, section 9.1."""
    act: msgspec.Raw | None = None
    """RFC 8693, section 4.1."""
    may_act: msgspec.Raw | None = None
    """RFC 8693, section 4.4."""
    cnf: Confirmation | msgspec.UnsetType = msgspec.UNSET


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
    claims: ServiceClaims | PersonClaims | Mapping[str, object] | None
    opaque: str = ""
    bound: str = ""
    """The key it is bound to (`possession`)."""

    def text(self, key: SigningKey) -> str:
        """Return the token as the client gets it."""
        return self.opaque if self.claims is None else encode_jwt(key, self.claims, TYPE)


def named(scope: str) -> str:
    """Return a scope as an error may repeat it: short, and without what RFC 6749 forbids in a description."""
    shown = "".join(letter if "!" <= letter <= "~" and letter not in '"\\' else "'" for letter in scope[:60])
    return f"`{shown}`"


def aim(tenant: Tenant, issuer: str, client: Client, scopes: Sequence[str], *, person: bool, resources: Sequence[str] = ()) -> Target | Refused:
    """Say whom a token with these scopes is for (RFC 9068, section 3): the one resource that owns them, the issuer where none does.

    With `openid` the issuer is an audience too, since userinfo takes the token. A `person` gives no app a power over Limen's own API,
    and a service that speaks for itself is nobody who could be identified. `resources` are those the request names (RFC 8707).
    """
    owners = _owners(tenant, issuer, client, scopes, person=person)
    if isinstance(owners, Refused):
        return owners
    if resources:
        return _aimed_at(tenant, issuer, resources, owners, scopes)
    if len(owners) > 1:
        return Refused(Code.INVALID_SCOPE, "The scopes belong to several resources; ask for those of one at a time.", "several_resources")
    for owner in owners.values():
        return Target((owner.identifier, issuer) if OPENID in scopes else (owner.identifier,), owner.token_format)
    return Target((issuer,), TokenFormat.JWT)


def aim_granted(press: Press, client: Client, permit: Permit, scopes: Sequence[str], resources: Sequence[str]) -> tuple[Target, tuple[str, ...]] | Refused:
    """Say whom a token under a grant is for, and with which of `scopes`: one of several resources may be asked for at a time (RFC 8707, section 2.2)."""
    tenant, granted = press.ground.tenant, permit.extra.resources if permit.extra is not None else ()
    if not resources and not granted:
        return _aimed_as_usual(press, client, tuple(scopes))
    if resources and granted and not set(resources) <= set(granted):
        return Refused(Code.INVALID_TARGET, "resource was not named in the authorization request.", "resource_beyond_grant")
    wanted = resources or granted
    owners = {scope: owner.identifier if (owner := tenant.owner_of(scope, press.issuer)) else None for scope in scopes}
    fitting = tuple(scope for scope in scopes if owners[scope] is None or owners[scope] in wanted)
    target = aim(tenant, press.issuer, client, fitting, person=True, resources=wanted)
    return target if isinstance(target, Refused) else (target, fitting)


def _aimed_as_usual(press: Press, client: Client, scopes: tuple[str, ...]) -> tuple[Target, tuple[str, ...]] | Refused:
    """Do what `aim_granted` does where no resource is named; that is the same for the same client as long as the ground is."""
    aims, name = press.ground.aims, (press.issuer, client.id, scopes)
    kept = aims.get(name)
    if kept is not None and kept[0] is client:
        return kept[1], scopes
    target = aim(press.ground.tenant, press.issuer, client, scopes, person=True)
    if isinstance(target, Refused):
        return target
    if len(aims) >= _MOST_AIMS:
        aims.clear()
    aims[name] = (client, target)
    return target, scopes


def _owners(tenant: Tenant, issuer: str, client: Client, scopes: Sequence[str], *, person: bool) -> dict[str, Resource] | Refused:
    """Return the resources that own the scopes, by identifier; a scope the client may not have by this grant is refused."""
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
    return owners


def _aimed_at(tenant: Tenant, issuer: str, resources: Sequence[str], owners: Mapping[str, Resource], scopes: Sequence[str]) -> Target | Refused:
    """Say whom a token is for that is asked for by resource (RFC 8707, section 2): each must be known, and no scope be another's."""
    named_ones = {one: resource for one in resources if (resource := _known(tenant, issuer, one)) is not None}
    if len(named_ones) < len(set(resources)):
        return Refused(Code.INVALID_TARGET, "resource names no API of this tenant, letter by letter.", "resource_unknown")
    if not owners.keys() <= named_ones.keys():
        return Refused(Code.INVALID_TARGET, "A scope belongs to another resource than those named.", "scope_of_another_resource")
    audience = (*named_ones, issuer) if OPENID in scopes and issuer not in named_ones else tuple(named_ones)
    opaque = any(one.token_format is TokenFormat.OPAQUE for one in named_ones.values())
    return Target(audience, TokenFormat.OPAQUE if opaque else TokenFormat.JWT)


def _known(tenant: Tenant, issuer: str, identifier: str) -> Resource | None:
    api = api_resource(issuer)
    return api if identifier == api.identifier else tenant.resource(identifier)


def raw(text: str) -> msgspec.Raw | None:
    """Return JSON text as it is to stand in a message; None where there is none."""
    return msgspec.Raw(text.encode()) if text else None


def one_or_many(audience: tuple[str, ...]) -> str | tuple[str, ...]:
    """Return `aud` in its shorter form (RFC 7519, section 4.1.3)."""
    return audience[0] if len(audience) == 1 else audience


def seconds(instant: datetime) -> int:
    """Return NumericDate (RFC 7519, section 2)."""
    return int(instant.timestamp())


async def for_person(work: Work, press: Press, target: Target, grant: Grant, scopes: Sequence[str], bound: str = "") -> Made:
    """Make an access token under a grant; `scopes` may be fewer than the grant's, and with `bound` only the owner of that key can use it."""
    permit = grant.permit
    lives = press.ground.limits.access_token
    token, now = TokenId(ids.new(TOKEN_PREFIX, work.now)), seconds(work.now)
    expires = now + press.ground.access_seconds
    if target.format is TokenFormat.OPAQUE:
        opaque = OpaqueToken(token, grant.id, permit.account, permit.client, tuple(scopes), target.audience, work.now, work.now + lives, bound or None)
        return Made(token, expires, None, (await grants.add_opaque(work, opaque)).reveal(), bound)
    claims = PersonClaims(
        iss=press.issuer,
        sub=permit.subject,
        aud=one_or_many(target.audience),
        client_id=permit.client,
        scope=" ".join(scopes),
        iat=now,
        exp=expires,
        jti=token,
        grant_id=grant.id,
        auth_time=seconds(permit.auth_time) if permit.acr else None,
        acr=permit.acr,
        amr=permit.amr,
        cnf=confirmation(bound),
    )
    if (extra := permit.extra) is not None:
        claims = msgspec.structs.replace(claims, authorization_details=raw(details.carried(extra.details, press.ground.tenant, target.audience)))
    if (may_act := press.ground.may_act.get(permit.client)) is not None:
        claims = msgspec.structs.replace(claims, may_act=may_act)
    more = await told(work, permit, tuple(scopes), Use.ACCESS_TOKEN) if press.ground.tells else None
    return Made(token, expires, {**more, **members(claims)} if more else claims, bound=bound)


def members(said: msgspec.Struct) -> dict[str, object]:
    """Return the members of a message that are there, by name."""
    return {name: value for name, value in msgspec.structs.asdict(said).items() if value not in (None, msgspec.UNSET, "", ())}


async def told(reader: Reader, permit: Permit, scopes: tuple[str, ...], use: Use) -> dict[str, JsonValue]:
    """Return what the tenant's own claims say of the person where access tokens go; nothing where it has none."""
    client = await clients.find(reader, permit.client)
    if client is None:
        return {}
    return await of_person(reader, Asking(account=permit.account, client=client, scopes=scopes, use=use))
