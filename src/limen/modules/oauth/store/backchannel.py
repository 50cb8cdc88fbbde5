"""Back-channel requests that wait for an answer (CIBA Core 1.0, section 7.3): each by the digest of its name, what was asked sealed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from limen.kernel.ids import ApprovalId, ClientId
from limen.platform.crypto import Place
from limen.platform.sql import Id, Instant, Reader, Work, bind, insert_row, statement, table

BACKCHANNEL: Final = table(
    "oauth_backchannel",
    sa.Column("digest", sa.LargeBinary, primary_key=True),  # of `auth_req_id`
    sa.Column("client", Id, nullable=False),
    sa.Column("approval", Id),  # null: nobody is asked
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # what was asked for, and the client's notification token
    sa.Column("expires", Instant, nullable=False),
    sa.Column("pause", sa.Integer, nullable=False),  # seconds between polls
    sa.Column("polled", Instant),
    sa.Column("answer", sa.LargeBinary),  # sealed: the one answer that is pushed
    sa.Index("oauth_backchannel_by_approval", "tenant", "approval"),
    sa.Index("oauth_backchannel_by_age", "tenant", "expires"),
    rowid=True,
)


@dataclass(frozen=True, slots=True)
class Backchannel:
    """A back-channel request as it is kept (CIBA Core 1.0, section 7.3)."""

    digest: bytes
    client: ClientId
    approval: ApprovalId | None
    plain: bytes
    expires: datetime
    pause: int
    """Seconds the client has to wait between polls."""
    polled: datetime | None = None
    answer: bytes | None = None


_C = BACKCHANNEL.c
_TENANT = _C.tenant == bind("tenant")
_HERE = (_TENANT, _C.digest == bind("digest"))
_COLUMNS = (_C.digest, _C.client, _C.approval, _C.sealed, _C.expires, _C.pause, _C.polled, _C.answer)

_ADD = statement(insert_row(BACKCHANNEL))
_FIND = statement(sa.select(*_COLUMNS).where(*_HERE), into=Backchannel)
_HOLD = statement(sa.select(*_COLUMNS).where(*_HERE).with_for_update(), into=Backchannel)
_OF_APPROVAL = statement(sa.select(*_COLUMNS).where(_TENANT, _C.approval == bind("approval")), into=Backchannel)
_POLL = statement(sa.update(BACKCHANNEL).where(*_HERE).values(polled=bind("now"), pause=bind("pause")))
_ANSWER = statement(sa.update(BACKCHANNEL).where(*_HERE).values(answer=bind("answer")))
_DROP = statement(sa.delete(BACKCHANNEL).where(*_HERE))
_DROP_OLD = statement(
    sa.delete(BACKCHANNEL).where(
        _TENANT,
        _C.digest.in_(sa.select(_C.digest).where(_TENANT, _C.expires <= bind("before")).order_by(_C.expires).limit(bind("most", sa.Integer))),
    )
)
_ANY = statement(sa.select(_C.digest).where(_TENANT).limit(1))


def _place(reader: Reader, column: str, digest: bytes) -> Place:
    return Place("oauth_backchannel", column, reader.tenant, digest.hex())


def _opened(reader: Reader, kept: Backchannel | None) -> Backchannel | None:
    if kept is None:
        return None
    keyring = reader.tx.db.keyring
    answer = None if kept.answer is None else keyring.open(kept.answer, _place(reader, "answer", kept.digest))
    return replace(kept, plain=keyring.open(kept.plain, _place(reader, "sealed", kept.digest)), answer=answer)


async def add(work: Work, made: Backchannel) -> None:
    """Store a back-channel request, sealed."""
    await work.run(
        _ADD,
        digest=made.digest,
        client=made.client,
        approval=made.approval,
        sealed=work.tx.db.keyring.seal(made.plain, _place(work, "sealed", made.digest)),
        expires=made.expires,
        pause=made.pause,
        polled=None,
        answer=None,
    )


async def find(reader: Reader, digest: bytes) -> Backchannel | None:
    """Return a back-channel request, its time over or not."""
    kept: Backchannel | None = await reader.one(_FIND, digest=digest)
    return _opened(reader, kept)


async def take(work: Work, digest: bytes) -> Backchannel | None:
    """Likewise, and hold its row: of two that come for its answer, one is the first."""
    kept: Backchannel | None = await work.one(_HOLD, digest=digest)
    return _opened(work, kept)


async def of_approval(reader: Reader, approval: ApprovalId) -> Backchannel | None:
    """Return the back-channel request for which a person is asked."""
    kept: Backchannel | None = await reader.one(_OF_APPROVAL, approval=approval)
    return _opened(reader, kept)


async def poll(work: Work, digest: bytes, pause: int) -> None:
    """Note that its client asked now, and how long it has to wait before it may again."""
    await work.run(_POLL, digest=digest, now=work.now, pause=pause)


async def keep_answer(work: Work, digest: bytes, answer: bytes) -> None:
    """Keep the one answer that its client gets, sealed."""
    await work.run(_ANSWER, digest=digest, answer=work.tx.db.keyring.seal(answer, _place(work, "answer", digest)))


async def drop(work: Work, digest: bytes) -> None:
    """Delete a back-channel request: its client has what it gets."""
    await work.run(_DROP, digest=digest)


async def drop_old(work: Work, before: datetime, most: int) -> int:
    """Delete back-channel requests whose time was over before an instant; return how many went."""
    return await work.run(_DROP_OLD, before=before, most=most)


async def any_left(reader: Reader) -> bool:
    """True if the tenant has a back-channel request."""
    return await reader.one(_ANY) is not None
