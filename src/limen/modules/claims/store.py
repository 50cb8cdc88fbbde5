"""The table of pairwise subjects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from limen.kernel.ids import AccountId
from limen.modules import accounts, keys, profiles
from limen.platform.sql import Id, Instant, Reader, Work, bind, insert_new, statement, table

PAIRWISE: Final = table(
    "pairwise_subjects",
    sa.Column("account", Id, primary_key=True),
    sa.Column("sector", Id, primary_key=True),
    sa.Column("sub", Id, nullable=False),
    sa.Column("made", Instant, nullable=False),
    sa.Index("pairwise_subjects_by_sub", "tenant", "sector", "sub", unique=True),
)

_C: Final = PAIRWISE.c
_OF: Final = (_C.tenant == bind("tenant"), _C.account == bind("account"))

_FIND: Final = statement(sa.select(_C.sub).where(*_OF, _C.sector == bind("sector")), into=str)
_WHOSE: Final = statement(sa.select(_C.account).where(_C.tenant == bind("tenant"), _C.sector == bind("sector"), _C.sub == bind("sub")), into=AccountId)
_ADD: Final = statement(insert_new(PAIRWISE, key=("tenant", "account", "sector")))
_ALL: Final = statement(
    sa.select(_C.sector, _C.sub, _C.made).where(*_OF, _C.sector > bind("after")).order_by(_C.sector).limit(bind("most", sa.Integer)),
)
_DROP: Final = statement(sa.delete(PAIRWISE).where(*_OF).returning(_C.sector), into=str)

_PERSON: Final = statement(accounts.first(keys.wrapped_key, profiles.document))


async def person(reader: Reader, account: AccountId) -> tuple[str, bytes, bytes | None, bytes | None] | None:
    """Return an account's first e-mail address, id and sealed value, its wrapped key and its sealed profile; None where it has no address."""
    return await reader.one(_PERSON, account=account, kind=accounts.EMAIL)


async def find(reader: Reader, account: AccountId, sector: str) -> str | None:
    """Return by which `sub` a sector knows an account."""
    return await reader.one(_FIND, account=account, sector=sector)


async def whose(reader: Reader, sector: str, sub: str) -> AccountId | None:
    """Return the account a sector knows by that `sub`."""
    return await reader.one(_WHOSE, sector=sector, sub=sub)


async def add(work: Work, account: AccountId, sector: str, sub: str) -> bool:
    """Write the `sub` of an account in a sector; False if it has one: a second comer waits for the first one's commit."""
    return await work.run(_ADD, account=account, sector=sector, sub=sub, made=work.now) > 0


async def all_of(reader: Reader, account: AccountId, after: str, most: int) -> Sequence[tuple[str, str, str]]:
    """Return sector, `sub` and the instant it was made, of an account's sectors after one."""
    return [(sector, sub, made.isoformat()) for sector, sub, made in await reader.all(_ALL, account=account, after=after, most=most)]


async def drop_of(work: Work, account: AccountId) -> list[str]:
    """Delete every `sub` of an account; return the sectors that knew it."""
    return await work.all(_DROP, account=account)
