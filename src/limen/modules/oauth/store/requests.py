"""Requests that wait for a person, each sealed under the epoch key and taken out once."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from limen.kernel import ids
from limen.kernel.ids import RequestId
from limen.platform.crypto import Place
from limen.platform.sql import Choice, Id, Instant, Reader, Work, bind, insert_row, statement, table

PREFIX: Final = "req"
LIFETIME: Final = timedelta(hours=1)
"""As long as a journey may take."""


class RequestKind(enum.Enum):
    """What waits."""

    AUTHORIZE = "authorize"
    """A journey is under way for it."""
    POSTED = "posted"
    """It came by POST from elsewhere, without cookies, and goes on as a GET."""
    PUSHED = "pushed"
    """Its client sent it, and the browser is to come with its name (RFC 9126)."""
    LEAVE = "leave"
    """A person is asked whether she wants to sign out."""
    LEAVE_POSTED = "leave_posted"
    DEVICE = "device"
    """Its code was typed, and a journey is under way for it (RFC 8628, section 3.3)."""
    LEFT = "left"
    """She is signed out, and her apps are told through her browser."""


REQUESTS: Final = table(
    "oauth_requests",
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", Choice(RequestKind), nullable=False),
    sa.Column("browser", sa.LargeBinary, nullable=False),  # digest of the binding cookie; empty where it came without cookies
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("expires", Instant, nullable=False),
    sa.Index("oauth_requests_by_age", "tenant", "expires"),
    rowid=True,
)

_C = REQUESTS.c
_TENANT = _C.tenant == bind("tenant")
_HERE = (_TENANT, _C.id == bind("id"), _C.kind == bind("kind"), _C.browser == bind("browser"), _C.expires > bind("now"))

_ADD = statement(insert_row(REQUESTS))
_FIND = statement(sa.select(_C.sealed).where(*_HERE), into=bytes)
_TAKE = statement(sa.delete(REQUESTS).where(*_HERE).returning(_C.sealed), into=bytes)
_PROLONG = statement(sa.update(REQUESTS).where(*_HERE).values(expires=bind("expires")))
_DROP_OLD = statement(
    sa.delete(REQUESTS).where(
        _TENANT, _C.id.in_(sa.select(_C.id).where(_TENANT, _C.expires <= bind("now")).order_by(_C.expires).limit(bind("most", sa.Integer)))
    )
)
_ANY = statement(sa.select(_C.id).where(_TENANT).limit(1))


@dataclass(frozen=True, slots=True)
class Slot:
    """Which request, of what kind, of which browser."""

    id: RequestId
    kind: RequestKind
    browser: bytes = b""


def _place(reader: Reader, request: RequestId) -> Place:
    return Place("oauth_requests", "sealed", reader.tenant, request)


async def add(work: Work, kind: RequestKind, browser: bytes, plain: bytes) -> RequestId:
    """Store a request, sealed; return its id."""
    request = RequestId(ids.new(PREFIX, work.now))
    sealed = work.tx.db.keyring.seal(plain, _place(work, request))
    await work.run(_ADD, id=request, kind=kind, browser=browser, sealed=sealed, expires=work.now + LIFETIME)
    return request


async def add_named(work: Work, slot: Slot, plain: bytes, lives: timedelta) -> None:
    """Store a request, sealed, under an id of the caller's."""
    sealed = work.tx.db.keyring.seal(plain, _place(work, slot.id))
    await work.run(_ADD, id=slot.id, kind=slot.kind, browser=slot.browser, sealed=sealed, expires=work.now + lives)


async def find(reader: Reader, slot: Slot) -> bytes | None:
    """Return a request that waits, and leave it there."""
    sealed = await reader.one(_FIND, id=slot.id, kind=slot.kind, browser=slot.browser, now=reader.now)
    return None if sealed is None else reader.tx.db.keyring.open(sealed, _place(reader, slot.id))


async def take(work: Work, slot: Slot) -> bytes | None:
    """Take a request out, once."""
    sealed = await work.one(_TAKE, id=slot.id, kind=slot.kind, browser=slot.browser, now=work.now)
    return None if sealed is None else work.tx.db.keyring.open(sealed, _place(work, slot.id))


async def prolong(work: Work, slot: Slot) -> None:
    """See to it that a request which waits does so as long as a journey may take."""
    await work.run(_PROLONG, id=slot.id, kind=slot.kind, browser=slot.browser, now=work.now, expires=work.now + LIFETIME)


async def drop_old(work: Work, most: int) -> int:
    """Delete requests nobody came back for; return how many went."""
    return await work.run(_DROP_OLD, now=work.now, most=most)


async def any_left(reader: Reader) -> bool:
    """True if the tenant has a request that waits."""
    return await reader.one(_ANY) is not None
