"""ID tokens (OpenID Connect Core 1.0, section 2), and reading one back as a hint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from limen.kernel.ids import AccountId, ClientId, SessionId
from limen.modules import claims, clients, keys
from limen.modules.claims import Asking, Use
from limen.modules.clients import Client
from limen.modules.grants import Permit
from limen.modules.oauth import claims_request, encryption
from limen.modules.oauth.access_token import seconds
from limen.modules.oauth.ground import Press
from limen.platform.sql import Reader, Work
from limen.platform.wire.jose import Alg, JoseError, SigningKey, b64url, encode_jwt, verify_jwt

_TYPE: Final = "JWT"
_ACCEPTED: Final = ("jwt", "")


def half_hash(alg: Alg, text: str) -> str:
    """Return `at_hash` or `c_hash` (OpenID Connect Core 1.0, 3.1.3.6): the left half of the hash that the algorithm has; of Ed25519 SHA-512."""
    digest = hashlib.sha512(text.encode()) if alg in (Alg.ED25519, Alg.EDDSA) else hashlib.sha256(text.encode())
    octets = digest.digest()
    return b64url(octets[: len(octets) // 2]).decode()


class IdClaims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an app learns of the sign-in. Who the person is otherwise, it asks userinfo."""

    iss: str
    sub: str
    aud: str
    exp: int
    iat: int
    auth_time: int
    acr: str
    amr: tuple[str, ...]
    sid: str = ""
    nonce: str = ""
    more: dict[str, claims.JsonValue] = {}
    """What is told beyond these (OpenID Connect Core 1.0, sections 5.4 and 5.5); never one of these."""


def id_claims(press: Press, permit: Permit, now: datetime, nonce: str = "") -> IdClaims:
    """Return the claims of a sign-in's ID token."""
    issued = seconds(now)
    return IdClaims(
        iss=press.issuer,
        sub=permit.subject,
        aud=permit.client,
        exp=issued + int(press.ground.limits.id_token.total_seconds()),
        iat=issued,
        auth_time=seconds(permit.auth_time),
        acr=permit.acr,
        amr=permit.amr,
        sid=permit.session,
        nonce=nonce,
    )


async def told(reader: Reader, client: Client, permit: Permit, *, alone: bool = False) -> dict[str, claims.JsonValue]:
    """Return what an ID token tells of the person beyond the sign-in; `alone` where no access token goes with it."""
    extra = permit.extra
    wanted = claims_request.requested(extra.claims, claims_request.ID_TOKEN) if extra is not None and extra.claims else None
    asking = Asking(account=permit.account, client=client, scopes=permit.scopes, use=Use.ID_TOKEN, requested=wanted, alone=alone)
    return await claims.of(reader, asking)


async def identity_of(work: Work, press: Press, client: Client, permit: Permit, nonce: str = "") -> IdClaims:
    """Return the claims of an ID token that comes beside an access token."""
    found = id_claims(press, permit, work.now, nonce)
    if not press.ground.identity_tells and (permit.extra is None or not permit.extra.claims):
        return found  # nobody is told anything there
    more = await told(work, client, permit)
    return msgspec.structs.replace(found, more=more) if more else found


def signed(key: SigningKey, identity: IdClaims) -> str:
    """Return the ID token."""
    if not identity.more:
        return encode_jwt(key, identity, _TYPE)
    return encode_jwt(key, flat(identity), _TYPE)


def flat(identity: IdClaims) -> dict[str, object]:
    """Return all claims side by side."""
    own: dict[str, object] = msgspec.to_builtins(identity)
    return {**identity.more, **{name: value for name, value in own.items() if name != "more"}}


class _HintClaims(msgspec.Struct, frozen=True):
    """What every ID token of ours has: `auth_time` tells it from an answer of userinfo, which has the same type and the same three names."""

    iss: str
    sub: str
    aud: str
    exp: int
    auth_time: int
    sid: str = ""


@dataclass(frozen=True, slots=True)
class Hint:
    """An ID token of ours that came back; its time may be over."""

    account: AccountId
    client: ClientId
    session: SessionId


async def read_hint(reader: Reader, issuer: str, token: str) -> Hint | None:
    """Return what an `id_token_hint` says, whatever its age (RP-Initiated Logout 1.0, section 2), encrypted to us or not; None if it is not ours."""
    signed_one = await encryption.opened_hint(reader, token) if encryption.is_encrypted(token) else token
    if signed_one is None:
        return None
    try:
        said = verify_jwt(signed_one, await keys.remembered_keys(reader), typ=_ACCEPTED).into(_HintClaims)
    except JoseError:
        return None
    client = await clients.find(reader, ClientId(said.aud))
    account = AccountId(said.sub) if client is None else await claims.account_of(reader, client, said.sub)
    if said.iss != issuer or account is None:
        return None
    return Hint(account, ClientId(said.aud), SessionId(said.sid))
