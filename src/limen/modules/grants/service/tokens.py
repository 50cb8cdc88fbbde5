"""Access tokens: what an opaque one stands for, and whether what a token hangs on still stands. Asked for in the database each time."""

from __future__ import annotations

from datetime import datetime

from limen.kernel import secrets
from limen.kernel.ids import AccountId, ClientId, GrantId, SessionId, TokenId
from limen.kernel.secrets import Secret
from limen.modules.grants import jobs
from limen.modules.grants.model import ACCESS_PREFIX, Grant, OpaqueToken, Permit
from limen.modules.grants.store import grants, tokens
from limen.platform.sql import Reader, Work


async def add_opaque(work: Work, token: OpaqueToken) -> Secret[str]:
    """Store an opaque access token and return its secret, told this once."""
    secret = secrets.token(ACCESS_PREFIX)
    await tokens.add(work, token, secrets.digest(secret))
    await jobs.order_sweep(work)
    return Secret(secret)


async def by_opaque(reader: Reader, token: str) -> OpaqueToken | None:
    """Return what an opaque access token stands for, if its time is not over; ask `is_standing` for the rest."""
    return await tokens.find(reader, secrets.digest(token)) if token.startswith(ACCESS_PREFIX) else None


async def drop_opaque(work: Work, token: str) -> None:
    """Revoke one opaque access token."""
    await tokens.drop(work, secrets.digest(token))


async def revoke_id(work: Work, token: TokenId, expires: datetime) -> bool:
    """Revoke one self-contained access token by its `jti`; kept until it would have ended. False if it was revoked before."""
    await jobs.order_sweep(work)
    return await tokens.revoke(work, token, expires)


async def is_revoked(reader: Reader, token: TokenId) -> bool:
    """Whether a token without a grant, a service's own, was revoked by its `jti`."""
    return await tokens.is_revoked(reader, token)


async def standing(reader: Reader, grant: GrantId, token: TokenId) -> Permit | None:
    """Return what a token's grant lets if the token (by its `jti`) may be honoured: not revoked, the grant stands, its session lives where it needs one."""
    return await grants.permit(reader, grant, token)


async def find(reader: Reader, grant: GrantId) -> Grant | None:
    """Return a grant that stands, its session too where it needs one."""
    return await grants.find(reader, grant)


async def list_of(reader: Reader, account: AccountId) -> tuple[Grant, ...]:
    """Return what stands of an account, last used first, two hundred at most."""
    return tuple([one for one in await grants.alive_of(reader, account, 200) if one.idle_until is None or reader.now < one.idle_until])


async def clients_of_session(reader: Reader, session: SessionId, after: str = "", most: int = 50) -> list[ClientId]:
    """Return the clients behind the id `after` that were granted anything from a session, whether or not it stands, until a month after its time."""
    return await grants.clients_of_session(reader, session, after, most)
