"""ID tokens (OpenID Connect Core 1.0, section 2), and reading one back as a hint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from limen.kernel.ids import AccountId, ClientId, SessionId
from limen.modules import keys
from limen.modules.grants import Permit
from limen.modules.oauth.access_token import seconds
from limen.modules.oauth.ground import Press
from limen.platform.sql import Reader
from limen.platform.wire.jose import JoseError, SigningKey, encode_jwt, verify_jwt

_TYPE: Final = "JWT"
_ACCEPTED: Final = ("jwt", "")


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
    sid: str
    nonce: str = ""


def id_claims(press: Press, permit: Permit, now: datetime, nonce: str = "") -> IdClaims:
    """Return the claims of a sign-in's ID token."""
    issued = seconds(now)
    return IdClaims(
        iss=press.issuer,
        sub=permit.account,
        aud=permit.client,
        exp=issued + int(press.ground.limits.id_token.total_seconds()),
        iat=issued,
        auth_time=seconds(permit.auth_time),
        acr=permit.acr,
        amr=permit.amr,
        sid=permit.session,
        nonce=nonce,
    )


def signed(key: SigningKey, claims: IdClaims) -> str:
    """Return the ID token."""
    return encode_jwt(key, claims, _TYPE)


class _HintClaims(msgspec.Struct, frozen=True):
    iss: str
    sub: str
    aud: str
    sid: str = ""


@dataclass(frozen=True, slots=True)
class Hint:
    """An ID token of ours that came back; its time may be over."""

    account: AccountId
    client: ClientId
    session: SessionId


async def read_hint(reader: Reader, issuer: str, token: str) -> Hint | None:
    """Return what an `id_token_hint` says, whatever its age (RP-Initiated Logout 1.0, section 2); None if it is not ours."""
    try:
        claims = verify_jwt(token, await keys.remembered_keys(reader), typ=_ACCEPTED).into(_HintClaims)
    except JoseError:
        return None
    if claims.iss != issuer:
        return None
    return Hint(AccountId(claims.sub), ClientId(claims.aud), SessionId(claims.sid))
