"""Statements on opaque access tokens and on revoked ones."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from limen.kernel.ids import AccountId, TokenId
from limen.modules.grants.model import OpaqueToken
from limen.modules.grants.store.tables import REVOKED, TOKENS
from limen.platform.sql import Reader, Work, bind, insert_new, insert_row, statement

_T: Final = TOKENS.c
_R: Final = REVOKED.c
_TENANT: Final = _T.tenant == bind("tenant")

_ADD = statement(insert_row(TOKENS))
_FIND = statement(
    sa.select(_T.id, _T.grant, _T.account, _T.client, _T.scopes, _T.audience, _T.issued, _T.expires, _T.bound).where(
        _TENANT, _T.digest == bind("digest"), _T.expires > bind("now")
    ),
    into=OpaqueToken,
)
_DROP = statement(sa.delete(TOKENS).where(_TENANT, _T.digest == bind("digest")))
_DROP_OF = statement(sa.delete(TOKENS).where(_TENANT, _T.account == bind("account")))
_REVOKE = statement(insert_new(REVOKED))
_REVOKED = statement(sa.select(_R.id).where(_R.tenant == bind("tenant"), _R.id == bind("id")), into=TokenId)
_DROP_OLD = statement(
    sa.delete(TOKENS).where(
        _TENANT, _T.digest.in_(sa.select(_T.digest).where(_TENANT, _T.expires <= bind("now")).order_by(_T.expires).limit(bind("most", sa.Integer)))
    )
)
_DROP_OLD_REVOKED = statement(
    sa.delete(REVOKED).where(
        _R.tenant == bind("tenant"),
        _R.id.in_(sa.select(_R.id).where(_R.tenant == bind("tenant"), _R.expires <= bind("now")).order_by(_R.expires).limit(bind("most", sa.Integer))),
    )
)
_ANY = statement(sa.select(_T.id).where(_TENANT).limit(1))
_ANY_REVOKED = statement(sa.select(_R.id).where(_R.tenant == bind("tenant")).limit(1))


async def add(work: Work, token: OpaqueToken, digest: bytes) -> None:
    """Store an opaque access token."""
    await work.run(
        _ADD,
        digest=digest,
        id=token.id,
        grant=token.grant,
        account=token.account,
        client=token.client,
        scopes=token.scopes,
        audience=token.audience,
        issued=token.issued,
        expires=token.expires,
        bound=token.bound,
    )


async def find(reader: Reader, digest: bytes) -> OpaqueToken | None:
    """Return an opaque token that has not ended by time; whether its grant stands is another question."""
    return await reader.one(_FIND, digest=digest, now=reader.now)


async def drop(work: Work, digest: bytes) -> None:
    """Delete an opaque token."""
    await work.run(_DROP, digest=digest)


async def drop_of(work: Work, account: AccountId) -> None:
    """Delete the account's opaque tokens."""
    await work.run(_DROP_OF, account=account)


async def revoke(work: Work, token: TokenId, expires: datetime) -> bool:
    """Remember that a token was revoked until it would have ended; False if it was before."""
    return await work.run(_REVOKE, id=token, expires=expires) > 0


async def is_revoked(reader: Reader, token: TokenId) -> bool:
    """Whether a token was revoked by its id."""
    return await reader.one(_REVOKED, id=token) is not None


async def drop_old(work: Work, most: int) -> int:
    """Delete tokens and revocations past their time; return how many of the more numerous kind went."""
    return max(await work.run(_DROP_OLD, now=work.now, most=most), await work.run(_DROP_OLD_REVOKED, now=work.now, most=most))


async def any_left(reader: Reader) -> bool:
    """True if the tenant has an opaque token, or a revoked one to remember."""
    return await reader.one(_ANY) is not None or await reader.one(_ANY_REVOKED) is not None
