"""The tables of approvals. What is asked is sealed under its person's key."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
import sqlalchemy as sa

from limen.kernel.ids import AccountId, ApprovalId, ClientId
from limen.modules.approvals.model import HOUR, LATE, Answer, Approval, Pace, Question, State
from limen.platform.crypto import Box, Place
from limen.platform.sql import Choice, Id, Instant, Json, Reader, Work, bind, insert_new, insert_row, statement, table

APPROVALS: Final = table(
    "approvals",
    sa.Column("id", Id, primary_key=True),
    sa.Column("account", Id, nullable=False),
    sa.Column("client", Id, nullable=False),
    sa.Column("state", Choice(State), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # the question
    sa.Column("asked", Instant, nullable=False),
    sa.Column("until", Instant, nullable=False),
    sa.Column("answered", Instant),
    sa.Column("session", Id),
    sa.Column("acr", sa.Text, nullable=False),
    sa.Column("amr", Json(tuple[str, ...]), nullable=False),
    sa.Column("auth_time", Instant),
    sa.Column("used", Instant),
    sa.Index("approvals_by_account", "tenant", "account", "asked"),
    sa.Index("approvals_by_age", "tenant", "until"),
    rowid=True,
)
TURNS: Final = table("approval_turns", sa.Column("account", Id, primary_key=True))
"""A row to hold while a person's questions are counted, so that two at once are two."""

_C = APPROVALS.c
_T = TURNS.c
_TENANT = _C.tenant == bind("tenant")
_HERE = (_TENANT, _C.id == bind("id"))
_OF_ACCOUNT = (_TENANT, _C.account == bind("account"))
_COLUMNS = (
    *(_C.id, _C.account, _C.client, _C.state, _C.asked, _C.until),
    *(_C.answered, _C.session, _C.acr, _C.amr, _C.auth_time, _C.used),
)
_MOST = bind("most", sa.Integer)
_WAITS = sa.and_(_C.state == State.PENDING, _C.until > bind("now"))


def _kept(*values: object) -> tuple[Approval, bytes]:
    return Approval(*values[:-1]), values[-1]  # type: ignore[arg-type,return-value] # the columns above, in the order of the fields


def _counted(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)


_ADD = statement(insert_row(APPROVALS))
_TURN = statement(insert_new(TURNS, ("tenant", "account")))
_HOLD_TURN = statement(sa.select(_T.account).where(_T.tenant == bind("tenant"), _T.account == bind("account")).with_for_update(), into=str)
_PACE = statement(
    sa.select(
        _counted(_WAITS),
        _counted(sa.and_(_C.client == bind("client"), _C.asked > bind("hour"))),
        _counted(_C.asked > bind("hour")),
        sa.func.max(sa.case((sa.and_(_C.client == bind("client"), _C.state == State.DENIED), _C.answered))),
    ).where(*_OF_ACCOUNT, _C.asked > bind("since")),
    into=Pace,
)
_FIND = statement(sa.select(*_COLUMNS).where(*_HERE), into=Approval)
_TAKE = statement(sa.select(*_COLUMNS).where(*_HERE).with_for_update(), into=Approval)
_SEALED = statement(sa.select(_C.sealed).where(*_HERE), into=bytes)
_LIST = statement(
    sa.select(*_COLUMNS, _C.sealed).where(*_OF_ACCOUNT, _C.id < bind("before")).order_by(_C.id.desc()).limit(_MOST),
    into=_kept,
)
_WAITING = statement(sa.select(sa.func.count()).select_from(APPROVALS).where(*_OF_ACCOUNT, _WAITS), into=int)
_ANSWER = statement(
    sa.update(APPROVALS)
    .where(*_HERE, _C.state == State.PENDING)
    .values(state=bind("state"), answered=bind("now"), session=bind("session"), acr=bind("acr"), amr=bind("amr"), auth_time=bind("auth_time"))
)
_USE = statement(sa.update(APPROVALS).where(*_HERE, _C.state == State.APPROVED, _C.used.is_(None)).values(used=bind("now")).returning(*_COLUMNS), into=Approval)
_EXPIRE = statement(
    sa.update(APPROVALS).where(*_HERE, _C.state == State.PENDING, _C.until <= bind("now")).values(state=State.EXPIRED).returning(*_COLUMNS), into=Approval
)
_CLEAR = statement(sa.update(APPROVALS).where(*_OF_ACCOUNT, _C.state == State.APPROVED, _C.used.is_(None), _C.until > bind("since")).values(state=State.DENIED))
_DROP_OF = statement(sa.delete(APPROVALS).where(*_OF_ACCOUNT))
_DROP_TURN = statement(sa.delete(TURNS).where(_T.tenant == bind("tenant"), _T.account == bind("account")))
_DROP_OLD = statement(
    sa.delete(APPROVALS).where(_TENANT, _C.id.in_(sa.select(_C.id).where(_TENANT, _C.until <= bind("before")).order_by(_C.until).limit(_MOST)))
)
_ANY = statement(sa.select(_C.id).where(_TENANT).limit(1))

_LAST: Final = ApprovalId("~")
"""Behind every id."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Question).decode


def _place(reader: Reader, approval: ApprovalId) -> Place:
    return Place("approvals", "sealed", reader.tenant, approval)


async def hold_turn(work: Work, account: AccountId) -> None:
    """See to it that questions to an account are counted one after the other until the Work has ended."""
    await work.run(_TURN, account=account)
    await work.one(_HOLD_TURN, account=account)


async def pace(work: Work, account: AccountId, client: ClientId, since: datetime) -> Pace:
    """Return what was asked of an account, as far back as `since`."""
    found = await work.one(_PACE, account=account, client=client, now=work.now, hour=work.now - HOUR, since=since)
    return found or Pace(0, 0, 0, None)


async def add(work: Work, approval: Approval, question: Question, box: Box) -> None:
    """Store a new question."""
    await work.run(
        _ADD,
        id=approval.id,
        account=approval.account,
        client=approval.client,
        state=approval.state,
        sealed=box.seal(_encode(question), _place(work, approval.id)),
        asked=approval.asked,
        until=approval.until,
        answered=None,
        session=None,
        acr="",
        amr=(),
        auth_time=None,
        used=None,
    )


async def find(reader: Reader, approval: ApprovalId) -> Approval | None:
    """Return how a question stands."""
    return await reader.one(_FIND, id=approval)


async def take(work: Work, approval: ApprovalId) -> Approval | None:
    """Likewise, and hold its row."""
    return await work.one(_TAKE, id=approval)


async def question(reader: Reader, approval: ApprovalId, box: Box) -> Question | None:
    """Return what is asked."""
    sealed = await reader.one(_SEALED, id=approval)
    return None if sealed is None else _decode(box.open(sealed, _place(reader, approval)))


async def list_of(reader: Reader, account: AccountId, before: str, most: int) -> list[tuple[Approval, bytes]]:
    """Return an account's questions, the latest first, behind the id `before`; each with its sealed text."""
    return await reader.all(_LIST, account=account, before=before or _LAST, most=most)


def opened(reader: Reader, approval: ApprovalId, sealed: bytes, box: Box) -> Question:
    """Return what a sealed text asks."""
    return _decode(box.open(sealed, _place(reader, approval)))


async def waiting(reader: Reader, account: AccountId) -> int:
    """Return how many questions wait for an account."""
    return await reader.one(_WAITING, account=account, now=reader.now) or 0


async def answer(work: Work, approval: ApprovalId, given: Answer) -> bool:
    """Store an answer; False if there was one."""
    state = State.APPROVED if given.yes else State.DENIED
    who = {"session": given.session, "acr": given.acr, "amr": given.amr, "auth_time": given.auth_time}
    return await work.run(_ANSWER, id=approval, state=state, now=work.now, **who) == 1


async def use(work: Work, approval: ApprovalId) -> Approval | None:
    """Use a yes, once."""
    return await work.one(_USE, id=approval, now=work.now)


async def expire(work: Work, approval: ApprovalId) -> Approval | None:
    """Note that nobody answered in time; None if somebody did, or there is time left."""
    return await work.one(_EXPIRE, id=approval, now=work.now)


async def clear(work: Work, account: AccountId) -> int:
    """Turn every yes that was not used, and still might be, into a no; return how many there were."""
    return await work.run(_CLEAR, account=account, since=work.now - LATE)


async def drop_of(work: Work, account: AccountId) -> None:
    """Delete the account's questions."""
    await work.run(_DROP_OF, account=account)
    await work.run(_DROP_TURN, account=account)


async def drop_old(work: Work, before: datetime, most: int) -> int:
    """Delete questions whose time was over before an instant; return how many went."""
    return await work.run(_DROP_OLD, before=before, most=most)


async def any_left(reader: Reader) -> bool:
    """True if the tenant has a question."""
    return await reader.one(_ANY) is not None
