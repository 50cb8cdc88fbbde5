"""The mailbox of dev mode: what would have been sent lies here, sealed, so that every worker sees the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
import sqlalchemy as sa

from limen.kernel.ids import TenantId
from limen.platform.crypto import Place
from limen.platform.sql import Id, Instant, Reader, Work, bind, insert_new, statement, table

MAILBOX: Final = table(
    "dev_mailbox",
    sa.Column("id", Id, primary_key=True),
    sa.Column("seq", sa.Integer, nullable=False),  # order of arrival, by which the oldest go
    sa.Column("at", Instant, nullable=False),
    sa.Column("message", sa.LargeBinary, nullable=False),  # sealed under the epoch key
    sa.Index("dev_mailbox_by_arrival", "seq"),
    rowid=True,
)
MOST: Final = 500
"""Messages kept over all tenants; older ones go when a new one comes."""

_C = MAILBOX.c
_ALL: Final = "the mailbox of dev mode is one for the whole server"


class Dropped(msgspec.Struct, frozen=True):
    """A message in the mailbox, as `/dev/mailbox.json` shows it. `code` and `link` are what a person would pick out of the text."""

    to: str
    channel: str
    subject: str
    text: str
    code: str
    link: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Kept:
    tenant: TenantId
    id: str
    message: bytes


_COLUMNS = (_C.tenant, _C.id, _C.message)
_ADD = statement(insert_new(MAILBOX, ("tenant", "id")))
_LAST = statement(sa.select(sa.func.coalesce(sa.func.max(_C.seq), 0)), into=int, across_tenants=_ALL)
_TRIM = statement(sa.delete(MAILBOX).where(_C.seq <= bind("seq")), across_tenants=_ALL)
_EVERY = statement(sa.select(*_COLUMNS).order_by(_C.at.desc(), _C.seq.desc()).limit(MOST), into=_Kept, across_tenants=_ALL)
_OWN = statement(sa.select(*_COLUMNS).where(_C.tenant == bind("tenant")).order_by(_C.at.desc(), _C.seq.desc()).limit(MOST), into=_Kept)


def _place(tenant: TenantId, message: str) -> Place:
    return Place("dev_mailbox", "message", tenant, message)


async def drop_in(work: Work, message: str, dropped: Dropped) -> None:
    """Put a message into the mailbox under an id of the caller's; the same id a second time changes nothing."""
    last = await work.one(_LAST) or 0
    sealed = work.tx.db.keyring.seal(msgspec.json.encode(dropped), _place(work.tenant, message))
    await work.run(_ADD, id=message, seq=last + 1, at=dropped.at, message=sealed)
    await work.run(_TRIM, seq=last + 1 - MOST)


async def mailbox_of(reader: Reader, *, everybody: bool = False) -> list[Dropped]:
    """Return the tenant's messages, or those of all tenants, newest first by the time they were ordered: delivery may overtake."""
    kept = await reader.all(_EVERY if everybody else _OWN)
    keyring = reader.tx.db.keyring
    return [msgspec.json.decode(keyring.open(one.message, _place(one.tenant, one.id)), type=Dropped) for one in kept]
