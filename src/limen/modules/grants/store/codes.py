"""Statements on authorization codes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from limen.kernel.ids import AccountId
from limen.modules import consents, sessions
from limen.modules.grants.model import Code, Ground, Permit
from limen.modules.grants.store.tables import CODES, PERMIT
from limen.platform.sql import Id, Reader, Work, bind, insert_row, statement

_C: Final = CODES.c
_TENANT: Final = _C.tenant == bind("tenant")


def _code(*columns: Any) -> tuple[Code, bool]:  # noqa: ANN401 - what the statement selects, in the order of the fields
    used = columns[17] is not None
    return Code(columns[0], Permit(*columns[1:10]), *columns[10:15], Ground(*columns[15:17])), used  # type: ignore[call-arg] # the checker does not count a slice


_ADD = statement(insert_row(CODES))


def _looking(dialect: str) -> sa.Executable:
    ground = (sessions.living(_C.session), consents.covered(dialect, _C.account, _C.client))
    return sa.select(_C.id, *(_C[name] for name in PERMIT), _C.redirect_uri, _C.redirect_given, _C.challenge, _C.nonce, _C.expires, *ground, _C.used_at).where(
        _TENANT, _C.digest == bind("digest")
    )


def _using(dialect: str) -> sa.Executable:
    session, covered = sessions.living(_C.session, held=True), consents.covered(dialect, _C.account, _C.client, held=True)
    return (
        sa.update(CODES)
        .where(_TENANT, _C.digest == bind("digest"), _C.used_at.is_(None))
        .where(session.is_not_distinct_from(bind("living", Id)), covered.is_not_distinct_from(bind("covered", sa.Text)))
        .values(used_at=bind("now"), kept_until=bind("kept"))
    )


_LOOK = statement(_looking, into=_code)
_USE = statement(_using)
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


async def look(work: Work, digest: bytes) -> tuple[Code, bool] | None:
    """Return a code with what it stands on, and whether it was used before; `use` claims that both are so still."""
    return await work.look(_LOOK, digest=digest, now=work.now)


def use(work: Work, digest: bytes, code: Code, kept: datetime) -> None:
    """Claim a code that was unused and stood on what it did, and mark it used; what it stands on is held."""
    ground = code.ground or Ground(None, None)
    work.claim(_USE, digest=digest, living=ground.session, covered=ground.scopes, now=work.now, kept=kept)


async def drop_of(work: Work, account: AccountId) -> None:
    """Delete the account's codes."""
    await work.run(_DROP_OF, account=account)


async def drop_old(work: Work, most: int) -> int:
    """Delete codes that nothing can hang on any more; return how many went."""
    return await work.run(_DROP_OLD, now=work.now, most=most)


async def any_left(reader: Reader) -> bool:
    """True if the tenant has a code."""
    return await reader.one(_ANY) is not None
