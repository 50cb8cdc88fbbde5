"""The table of initial access tokens (RFC 7591, section 1.2), as digests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from limen.platform.sql import Id, Instant, Reader, Work, bind, insert_row, statement, table

TOKENS: Final = table(
    "client_registration_tokens",
    sa.Column("id", Id, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("made", Instant, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("uses", sa.Integer),  # null: as often as one likes
    sa.Column("used", sa.Integer, nullable=False),
    sa.Column("expires", Instant),
    sa.Index("client_registration_tokens_by_digest", "tenant", "digest", unique=True),
)

_T: Final = TOKENS.c
_TENANT = _T.tenant == bind("tenant")
_GOOD = (
    _TENANT,
    _T.digest == bind("digest"),
    sa.or_(_T.uses.is_(None), _T.used < _T.uses),
    sa.or_(_T.expires.is_(None), _T.expires > bind("now")),
)


@dataclass(frozen=True, slots=True)
class RegistrationToken:
    """What an operator handed out so that applications may register: how often it works, how often it did, and until when."""

    id: str
    made: datetime
    note: str
    uses: int | None
    used: int
    expires: datetime | None


_ADD: Final = statement(insert_row(TOKENS))
_LOOK: Final = statement(sa.select(_T.id).where(*_GOOD), into=str)
_USE: Final = statement(sa.update(TOKENS).where(*_GOOD).values(used=_T.used + 1).returning(_T.id), into=str)
_COLUMNS: Final = (_T.id, _T.made, _T.note, _T.uses, _T.used, _T.expires)
_FIND: Final = statement(sa.select(*_COLUMNS).where(_TENANT, _T.id == bind("id")), into=RegistrationToken)
_LIST: Final = statement(
    sa.select(*_COLUMNS).where(_TENANT, _T.id > bind("after")).order_by(_T.id).limit(bind("limit", sa.Integer)),
    into=RegistrationToken,
)
_DROP: Final = statement(sa.delete(TOKENS).where(_TENANT, _T.id == bind("id")))


async def add(work: Work, one: RegistrationToken, digest: bytes) -> None:
    """Write a new one."""
    await work.run(_ADD, id=one.id, digest=digest, made=one.made, note=one.note, uses=one.uses, used=one.used, expires=one.expires)


async def look(reader: Reader, digest: bytes) -> str | None:
    """Return which token it is if it works now, and leave it as it is."""
    return await reader.one(_LOOK, digest=digest, now=reader.now)


async def use(work: Work, digest: bytes) -> str | None:
    """Use it once and return which it is; None if it does not work, or works no longer. Two at once count as two."""
    return await work.one(_USE, digest=digest, now=work.now)


async def find(reader: Reader, token: str) -> RegistrationToken | None:
    """Return one by its id."""
    return await reader.one(_FIND, id=token)


async def page(reader: Reader, after: str, limit: int) -> list[RegistrationToken]:
    """Return up to `limit` after an id, the oldest first."""
    return await reader.all(_LIST, after=after, limit=limit)


async def drop(work: Work, token: str) -> bool:
    """Delete it; False if there was none."""
    return await work.run(_DROP, id=token) > 0
