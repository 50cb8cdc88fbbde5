"""Tables of factors, of challenges in the air, and of failures in a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
import sqlalchemy as sa

from limen.kernel import ids
from limen.kernel.ids import AccountId, FactorId, JourneyId
from limen.modules.factors.model import MOST_FAILURES, PREFIX, Enrolled, wait_after
from limen.platform.crypto import Box, Place
from limen.platform.sql import Id, Instant, Reader, Work, bind, insert_of, insert_row, one_of, statement, table, upsert

FACTORS: Final = table(
    "factors",
    sa.Column("account", Id, primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("secret", sa.LargeBinary, nullable=False),  # sealed under the subject's key
    sa.Column("version", sa.Integer, nullable=False),  # grows with every change of the secret
    sa.Column("created", Instant, nullable=False),
    sa.Column("last_used", Instant),
    sa.Index("factors_by_kind", "tenant", "account", "kind", unique=True),
    rowid=True,
)
CHALLENGES: Final = table(
    "challenges",
    sa.Column("journey", Id, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("id", Id, nullable=False),  # another with every code sent
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # what to compare with and for which identifier, under the epoch key
    sa.Column("tries", sa.Integer, nullable=False),  # left
    sa.Column("expires", Instant, nullable=False),
    sa.Index("challenges_by_expiry", "tenant", "expires"),
    rowid=True,
)
TRIES: Final = table(
    "factor_tries",
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("subject", Id, primary_key=True),  # an account, or the blind index of an identifier nobody has
    sa.Column("browser", sa.Text, primary_key=True),  # a browser that signed this subject in before, or empty: everybody else
    sa.Column("failures", sa.Integer, nullable=False),  # in a row, the try in hand counted in advance
    sa.Column("next_at", Instant, nullable=False),  # no try before
    sa.Column("last_at", Instant, nullable=False),
    sa.Index("factor_tries_by_age", "tenant", "last_at"),
)

_F = FACTORS.c
_H = CHALLENGES.c
_T = TRIES.c
_OF_ACCOUNT = (_F.tenant == bind("tenant"), _F.account == bind("account"))
_OF_JOURNEY = (_H.tenant == bind("tenant"), _H.journey == bind("journey"), _H.kind == bind("kind"))
_OF_SUBJECT = (_T.tenant == bind("tenant"), _T.subject == bind("subject"))
_COUNTER = (*_OF_SUBJECT, _T.kind == bind("kind"), _T.browser == bind("browser"))
_ENROLLED = (_F.id, _F.kind, _F.created, _F.last_used)


@dataclass(frozen=True, slots=True)
class Stored:
    """A factor with its sealed secret."""

    id: FactorId
    secret: bytes
    version: int


@dataclass(frozen=True, slots=True)
class Air:
    """A challenge taken for one try."""

    id: str
    sealed: bytes
    tries: int


class Kept(msgspec.Struct, frozen=True):
    """The sealed part of a challenge: what an answer is compared with, and whose identifier it proves."""

    kept: bytes
    identifier: tuple[str, str]
    account: AccountId | None


@dataclass(frozen=True, slots=True)
class Counter:
    """Failures in a row, and when the next try may come."""

    failures: int
    next_at: datetime


def _counting(*, judged: bool) -> Callable[[str], sa.Executable]:
    def build(dialect: str) -> sa.Executable:
        start = insert_of(dialect)(TRIES).values(
            tenant=bind("tenant"), kind=bind("kind"), subject=bind("subject"), browser=bind("browser"), failures=1, next_at=bind("now"), last_at=bind("now")
        )
        return start.on_conflict_do_update(
            index_elements=["tenant", "kind", "subject", "browser"],
            set_={"failures": _T.failures + 1, "last_at": start.excluded.last_at},
            where=(_T.failures < MOST_FAILURES) & (_T.next_at <= start.excluded.last_at) if judged else None,
        ).returning(_T.failures)

    return build


def _merge(dialect: str) -> sa.Executable:
    moved = insert_row(TRIES)(dialect)
    more, later, seen = moved.excluded.failures, moved.excluded.next_at, moved.excluded.last_at
    return moved.on_conflict_do_update(
        index_elements=["tenant", "kind", "subject", "browser"],
        set_={
            "failures": _T.failures + more,
            "next_at": sa.case((later > _T.next_at, later), else_=_T.next_at),
            "last_at": sa.case((seen > _T.last_at, seen), else_=_T.last_at),
        },
    )


_BY_KIND = statement(sa.select(_F.id, _F.secret, _F.version).where(*_OF_ACCOUNT, _F.kind == bind("kind")), into=Stored)
_ALL_OF = statement(sa.select(*_ENROLLED).where(*_OF_ACCOUNT).order_by(_F.id), into=Enrolled)
_ADD = statement(insert_row(FACTORS))
_REPLACE = statement(
    sa.update(FACTORS)
    .where(*_OF_ACCOUNT, _F.kind == bind("kind"))
    .values(secret=bind("secret"), version=_F.version + 1, created=bind("now"), last_used=None)
    .returning(_F.id),
    into=FactorId,
)
_HOLD_KIND = statement(sa.select(_F.id).where(*_OF_ACCOUNT, _F.kind == bind("kind")).with_for_update(), into=FactorId)
_USED = statement(
    sa.update(FACTORS).where(*_OF_ACCOUNT, _F.id == bind("id"), _F.version == bind("version")).values(last_used=bind("now")),
)
_RENEWED = statement(
    sa.update(FACTORS)
    .where(*_OF_ACCOUNT, _F.id == bind("id"), _F.version == bind("version"))
    .values(last_used=bind("now"), secret=bind("secret"), version=_F.version + 1)
)
_REMOVE = statement(sa.delete(FACTORS).where(*_OF_ACCOUNT, _F.id == bind("id")).returning(_F.kind), into=str)
_DROP_OF = statement(sa.delete(FACTORS).where(*_OF_ACCOUNT))

_PUT = statement(upsert(CHALLENGES, key=("journey", "kind"), set=("id", "sealed", "tries", "expires")))
_HOLD_OPEN = statement(sa.select(_H.tries).where(*_OF_JOURNEY, _H.tries > 0, _H.expires > bind("now")).with_for_update(), into=int)
_TAKE = statement(
    sa.update(CHALLENGES).where(*_OF_JOURNEY, _H.tries > 0, _H.expires > bind("now")).values(tries=_H.tries - 1).returning(_H.id, _H.sealed, _H.tries),
    into=Air,
)
_SPEND = statement(sa.delete(CHALLENGES).where(*_OF_JOURNEY, _H.id == bind("id")))
_OLD_CHALLENGES = statement(sa.delete(CHALLENGES).where(_H.tenant == bind("tenant"), _H.expires <= bind("now")))

_COUNT = statement(_counting(judged=True), into=int)
_COUNT_ON = statement(_counting(judged=False), into=int)
_FAILURES = statement(sa.select(_T.failures).where(*_COUNTER), into=int)
_MOVE = statement(sa.delete(TRIES).where(*_OF_SUBJECT).returning(_T.kind, _T.browser, _T.failures, _T.next_at, _T.last_at))
_MERGE = statement(_merge)
_GIVE_BACK = statement(sa.update(TRIES).where(*_COUNTER, _T.failures > 0).values(failures=_T.failures - 1, next_at=bind("now")))
_DELAY = statement(sa.update(TRIES).where(*_COUNTER).values(next_at=bind("next_at")))
_COUNTED = statement(sa.select(_T.failures, _T.next_at).where(*_COUNTER), into=Counter)
_CLEAR = statement(
    sa.delete(TRIES)
    .where(*_OF_SUBJECT, sa.or_((_T.kind == bind("kind")) & (_T.browser == bind("browser")), _T.failures >= MOST_FAILURES))
    .returning(_T.failures),
    into=int,
)
_CLEAR_KIND = statement(sa.delete(TRIES).where(*_OF_SUBJECT, _T.kind == bind("kind")))
_CLEAR_OF = statement(sa.delete(TRIES).where(*_OF_SUBJECT))
_UNKNOWN = sa.not_(_T.subject.startswith("acc_"))
_OLD_TRIES = statement(
    sa.select(_T.subject).where(_T.tenant == bind("tenant"), _T.last_at <= bind("before"), _UNKNOWN).limit(bind("most", sa.Integer)),
    into=str,
)
_DROP_TRIES = statement(sa.delete(TRIES).where(_T.tenant == bind("tenant"), one_of(_T.subject, "subjects"), _T.last_at <= bind("before")))
_ANY = statement(sa.select(_H.id).where(_H.tenant == bind("tenant")).limit(1))
_ANY_TRIES = statement(sa.select(_T.subject).where(_T.tenant == bind("tenant"), _UNKNOWN).limit(1))

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Kept).decode


def _secret_place(reader: Reader, factor: FactorId) -> Place:
    return Place("factors", "secret", reader.tenant, factor)


def _challenge_place(reader: Reader, journey: JourneyId, kind: str) -> Place:
    return Place("challenges", "sealed", reader.tenant, f"{journey}|{kind}")


async def of_kind(reader: Reader, account: AccountId | None, kind: str) -> Stored | None:
    """Return an account's factor of a kind. Nobody has none, and looking costs the same."""
    return await reader.one(_BY_KIND, account=account or "", kind=kind)


def opened(reader: Reader, box: Box, stored: Stored) -> bytes:
    """Return a factor's secret."""
    return box.open(stored.secret, _secret_place(reader, stored.id))


async def all_of(reader: Reader, account: AccountId) -> list[Enrolled]:
    """Return what an account has enrolled, oldest first."""
    return await reader.all(_ALL_OF, account=account)


async def put(work: Work, account: AccountId, kind: str, secret: bytes, box: Box) -> tuple[FactorId, bool]:
    """Store a secret; return its factor, and whether it took the place of another."""
    held: FactorId | None = await work.one(_HOLD_KIND, account=account, kind=kind)
    factor = held or FactorId(ids.new(PREFIX, work.now))
    sealed = box.seal(secret, _secret_place(work, factor))
    if held is not None:
        await work.one(_REPLACE, account=account, kind=kind, secret=sealed, now=work.now)
        return factor, True
    await work.run(_ADD, account=account, id=factor, kind=kind, secret=sealed, version=1, created=work.now, last_used=None)
    return factor, False


async def used(work: Work, account: AccountId, factor: FactorId, version: int) -> bool:
    """Note that a factor was shown; False if its secret is not the one of `version` any more."""
    return await work.run(_USED, account=account, id=factor, version=version, now=work.now) == 1


async def renewed(work: Work, account: AccountId, factor: FactorId, version: int, sealer: tuple[bytes, Box]) -> bool:
    """Like `used`, and keep the same secret in another form: `sealer` is that form, and what seals it."""
    secret, box = sealer
    sealed = box.seal(secret, _secret_place(work, factor))
    return await work.run(_RENEWED, account=account, id=factor, version=version, now=work.now, secret=sealed) == 1


async def remove(work: Work, account: AccountId, factor: FactorId) -> str | None:
    """Delete a factor; return its kind."""
    return await work.one(_REMOVE, account=account, id=factor)


async def put_challenge(work: Work, journey: JourneyId, kind: str, kept: Kept, tries: int, lifetime: timedelta) -> None:
    """Store a journey's challenge of a kind in place of the one before."""
    sealed = work.tx.db.keyring.seal(_encode(kept), _challenge_place(work, journey, kind))
    await work.run(_PUT, journey=journey, kind=kind, id=ids.new("chl", work.now), sealed=sealed, tries=tries, expires=work.now + lifetime)


async def hold_open(work: Work, journey: JourneyId, kind: str) -> bool:
    """Hold a journey's challenge; False if there is none that may still be answered. Challenges are held before counters, everywhere."""
    return await work.one(_HOLD_OPEN, journey=journey, kind=kind, now=work.now) is not None


async def take_challenge(work: Work, journey: JourneyId, kind: str) -> Air | None:
    """Take one try of the challenge that is held; None if there is none left to take."""
    return await work.one(_TAKE, journey=journey, kind=kind, now=work.now)


def challenge_of(reader: Reader, journey: JourneyId, kind: str, air: Air) -> Kept:
    """Return what a challenge is to be compared with."""
    return _decode(reader.tx.db.keyring.open(air.sealed, _challenge_place(reader, journey, kind)))


async def spend(work: Work, journey: JourneyId, kind: str, challenge: str) -> bool:
    """Use a challenge up; False if it was used or replaced before."""
    return await work.run(_SPEND, journey=journey, kind=kind, id=challenge) == 1


async def count_try(work: Work, kind: str, subject: str, browser: str) -> int | Counter:
    """Count a try in advance, as a failure, and return how many there now are in a row; a `Counter` if none may be made now.

    One statement counts and judges, so tries made at the same moment are counted one after another.
    """
    failures: int | None = await work.one(_COUNT, kind=kind, subject=subject, browser=browser, now=work.now)
    if failures is None:
        counted: Counter | None = await work.one(_COUNTED, kind=kind, subject=subject, browser=browser)
        return counted or Counter(MOST_FAILURES, work.now)
    if wait := wait_after(failures):
        await work.run(_DELAY, kind=kind, subject=subject, browser=browser, next_at=work.now + wait)
    return failures


async def count_failure(work: Work, kind: str, subject: str, browser: str) -> int:
    """Count a try in advance, as a failure, and return how many there now are in a row: no number of them forbids the next."""
    failures: int | None = await work.one(_COUNT_ON, kind=kind, subject=subject, browser=browser, now=work.now)
    return failures or 0


async def failures_of(reader: Reader, kind: str, subject: str, browser: str) -> int:
    """Return how many failures a counter has, in a row."""
    return await reader.one(_FAILURES, kind=kind, subject=subject, browser=browser) or 0


async def move_tries(work: Work, before: str, subject: str) -> None:
    """Add what was counted under one index of an unknown identifier to what is counted under another, so that no key's rotation forgives failures."""
    for kind, browser, failures, next_at, last_at in await work.all(_MOVE, subject=before):
        await work.run(_MERGE, kind=kind, subject=subject, browser=browser, failures=failures, next_at=next_at, last_at=last_at)


async def give_back(work: Work, kind: str, subject: str, browser: str) -> None:
    """Take back one try that was counted and then not checked."""
    await work.run(_GIVE_BACK, kind=kind, subject=subject, browser=browser, now=work.now)


async def clear(work: Work, kind: str, subject: str, browser: str) -> bool:
    """Forget the failures of a counter and of every closed one of its subject; True if one was closed."""
    gone: list[int] = await work.all(_CLEAR, kind=kind, subject=subject, browser=browser)
    return any(failures >= MOST_FAILURES for failures in gone)


async def clear_kind(work: Work, kind: str, subject: str) -> None:
    """Forget every counter of a subject for one kind: its secret is another now."""
    await work.run(_CLEAR_KIND, kind=kind, subject=subject)


async def drop_of(work: Work, account: AccountId) -> None:
    """Delete everything of an account."""
    await work.run(_DROP_OF, account=account)
    await work.run(_CLEAR_OF, subject=account)


async def drop_outdated(work: Work, before: datetime, most: int) -> int:
    """Delete challenges past their time, and up to `most` counters of unknown identifiers not tried since `before`; return how many of these."""
    await work.run(_OLD_CHALLENGES, now=work.now)
    subjects: list[str] = await work.all(_OLD_TRIES, before=before, most=most)
    return await work.run(_DROP_TRIES, subjects=subjects, before=before) if subjects else 0


async def any_left(reader: Reader) -> bool:
    """True if the tenant has anything a sweep may find."""
    return await reader.one(_ANY) is not None or await reader.one(_ANY_TRIES) is not None
