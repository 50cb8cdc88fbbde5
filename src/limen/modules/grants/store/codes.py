"""Statements on authorization codes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from limen.kernel.ids import AccountId, GrantId
from limen.modules import consents, sessions
from limen.modules.grants.model import Code, Ground, Permit
from limen.modules.grants.store.tables import CODES, PERMIT
from limen.platform.sql import Reader, Work, bind, insert_row, statement

_C: Final = CODES.c
_TENANT: Final = _C.tenant == bind("tenant")


def _code(*columns: Any) -> Code:  # noqa: ANN401 - what the statement selects, in the order of the fields
    return Code(columns[0], Permit(*columns[1:10]), *columns[10:15], Ground(*columns[15:]))  # type: ignore[call-arg] # the checker does not count a slice


_ADD = statement(insert_row(CODES))


def _using(dialect: str) -> sa.Executable:
    return (
        sa.update(CODES)
        .where(_TENANT, _C.digest == bind("digest"), _C.used_at.is_(None))
        .values(used_at=bind("now"), kept_until=bind("kept"))
        .returning(_C.id, *(_C[name] for name in PERMIT), _C.redirect_uri, _C.redirect_given, _C.challenge, _C.nonce, _C.expires)
        .returning(sessions.living(_C.session, held=True), consents.covered(dialect, _C.account, _C.client))
    )


_USE = statement(_using, into=_code)
_USED = statement(sa.select(_C.id).where(_TENANT, _C.digest == bind("digest")), into=GrantId)
_DROP_OF = statement(sa.delete(CODES).where(_TENANT, _C.account == bind("account")))
_DROP_OLD = statement(
    sa.delete(CODES).where(
        _TENANT, _C.digest.in_(sa.select(_C.digest).where(_TENANT, _C.kept_until <= bind("now")).order_by(_C.kept_until).limit(bind("most", sa.Integer)))
    )
)
_ANY = statement(sa.select(_C.id).where(_TENANT).limit(1))


def add(work: Work, code: Code, digest: bytes) -> None:
    """Store a code."""
    work.put(
        _ADD,
        digest=digest,
        id=code.grant,
        **{name: getattr(code.permit, name) for name in PERMIT},
        redirect_uri=code.redirect_uri,
        redirect_given=code.redirect_given,
        challenge=code.challenge,
        nonce=code.nonce,
        expires=code.expires,
        used_at=None,
        kept_until=code.expires,
    )


async def use(work: Work, digest: bytes, kept: datetime) -> Code | None:
    """Mark a code used and return it with what it stands on, held; None if it is unknown or was used before."""
    return await work.one(_USE, digest=digest, now=work.now, kept=kept)


async def used(work: Work, digest: bytes) -> GrantId | None:
    """Return what a code that was used before gave."""
    return await work.one(_USED, digest=digest)


async def drop_of(work: Work, account: AccountId) -> None:
    """Delete the account's codes."""
    await work.run(_DROP_OF, account=account)


async def drop_old(work: Work, most: int) -> int:
    """Delete codes that nothing can hang on any more; return how many went."""
    return await work.run(_DROP_OLD, now=work.now, most=most)


async def any_left(reader: Reader) -> bool:
    """True if the tenant has a code."""
    return await reader.one(_ANY) is not None
