"""The table of profiles: one sealed document a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from limen.kernel.ids import AccountId
from limen.platform.crypto import Place
from limen.platform.sql import Id, Reader, Work, beside, bind, insert_new, statement, table

PROFILES: Final = table(
    "profiles",
    sa.Column("account", Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),  # sealed JSON
    rowid=True,
)

_C: Final = PROFILES.c


@dataclass(frozen=True, slots=True)
class Kept:
    """A profile as it is stored."""

    version: int
    document: bytes


def place(tenant: str, account: AccountId) -> Place:
    """Return what the seal of a profile is bound to."""
    return Place("profiles", "document", tenant, account)


_FIND: Final = statement(sa.select(_C.version, _C.document).where(_C.tenant == bind("tenant"), _C.account == bind("account")), into=Kept)
_TAKE: Final = statement(sa.select(_C.version, _C.document).where(_C.tenant == bind("tenant"), _C.account == bind("account")).with_for_update(), into=Kept)
_ADD: Final = statement(insert_new(PROFILES))
_SET: Final = statement(
    sa.update(PROFILES).where(_C.tenant == bind("tenant"), _C.account == bind("of")).values(document=bind("document"), version=_C.version + 1)
)
_DROP: Final = statement(sa.delete(PROFILES).where(_C.tenant == bind("tenant"), _C.account == bind("account")))


def document(account: sa.Column[str]) -> sa.ColumnElement[bytes | None]:
    """Return what a statement of another store asks for beside its own: the sealed profile of the account its row names, null where there is none."""
    row = account.table
    return beside(sa.select(_C.document).where(_C.tenant == row.c.tenant, _C.account == account), row)


async def find(reader: Reader, account: AccountId) -> Kept | None:
    """Return the stored profile of an account."""
    return await reader.one(_FIND, account=account)


async def take(work: Work, account: AccountId) -> Kept | None:
    """Return the stored profile and hold its row."""
    return await work.one(_TAKE, account=account)


async def add(work: Work, account: AccountId, document: bytes) -> bool:
    """Write the first version; False if somebody was faster."""
    return await work.run(_ADD, account=account, version=1, document=document) > 0


async def put(work: Work, account: AccountId, document: bytes) -> None:
    """Write the next version."""
    await work.run(_SET, of=account, document=document)


async def drop(work: Work, account: AccountId) -> None:
    """Delete the profile."""
    await work.run(_DROP, account=account)
