"""Checking an answer in three moves: count the attempt, compare outside, prove or record the failure.

A secret that is kept waits longer after each failure and is closed after a hundred. A code does neither: each is another secret, with few
tries of its own, and whoever did not get the mail guesses. If guesses closed it, or made others wait, strangers could keep out whoever
has nothing but her mailbox. What bounds them is how many codes are sent (`notices.may_send`), and their length after a hundred failures.

An identifier nobody has goes the same way as one that somebody has: the same counter, as many looks into the database, the same comparison
against nothing, the same facts. So neither words nor time tell the two apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from limen.kernel.facts import Actor
from limen.kernel.ids import AccountId, FactorId, TenantId
from limen.kernel.secrets import Secret
from limen.modules import accounts, keys
from limen.modules.factors import store
from limen.modules.factors.facts import CodesLengthened, FactorClosed, FactorFailed, FactorPassed, FactorReopened
from limen.modules.factors.model import MOST_FAILURES, NOBODY, UNKNOWN, Checked, Claim, Matched, Over, Subject, Wait, Wrong
from limen.modules.factors.port import Factor, Match, Mismatch, Trial
from limen.modules.factors.service.registry import factor
from limen.modules.journey import Proof, Refused
from limen.platform.crypto import Box, Lane, Overloaded, pool
from limen.platform.sql import Database, Reader, Work


@dataclass(frozen=True, slots=True)
class _Taken:
    """An attempt that was counted, and what its answer is compared with."""

    subject: Subject
    failures: int
    kept: Secret[bytes] | None
    factor: FactorId | None = None
    version: int = 0
    challenge: str = ""
    left: int | None = None


async def subject_of(reader: Reader, claim: Claim) -> Subject:
    """Return whom the claim is about: by the account if it is known, else by who has the identifier now."""
    kind, value = claim.identifier
    blind, *older = [index.hex() for index in await keys.blinds(reader, UNKNOWN, "factor", f"{kind}:{value}")]
    if claim.account is not None:
        return Subject(claim.account, blind, tuple(older))
    found = await accounts.by_normal(reader, kind, value)
    if found is None:
        await accounts.find(reader, NOBODY)
        return Subject(None, blind, tuple(older))
    return Subject(found.id, blind, tuple(older))


async def box_of(reader: Reader, account: AccountId | None) -> Box | None:
    """Return what opens an account's secrets; for nobody it looks just as long and finds nothing."""
    try:
        return await keys.subject_box(reader, account or NOBODY)
    except keys.Forgotten:
        return None


async def attempt(db: Database, tenant: TenantId, actor: Actor, claim: Claim, said: str) -> Checked:
    """Check an answer. The attempt counts as a failure from the moment it is made; only `confirm` takes that back."""
    way = factor(claim.kind)
    async with db.work(tenant, actor) as work:
        taken = await _take(work, way, claim)
    if not isinstance(taken, _Taken):
        return taken
    kept = taken.kept.reveal() if taken.kept else None
    try:
        found = await compared(way, Trial(kept, said, db.clock.now()), (tenant, actor.origin.address if actor.origin else ""))
    except Overloaded:  # nothing was checked, so it was no attempt: a busy server must not close anybody's factor
        async with db.work(tenant, actor) as work:
            await store.give_back(work, claim.kind, taken.subject.key, claim.counter(taken.subject.account))
        raise
    match found:
        case Match(renewed) if kept is not None:
            return Matched(
                claim=claim,
                subject=taken.subject,
                factor=taken.factor,
                version=taken.version,
                challenge=taken.challenge,
                renewed=Secret(renewed) if renewed else None,
            )
        case _:
            async with db.work(tenant, actor) as work:
                _record_failure(work, way, claim, taken)
            return Wrong(taken.left)


async def compared(way: Factor, trial: Trial, lane: Lane) -> Match | Mismatch:
    """Have an answer compared, nothing counted; a slow factor's in the hashing pool."""
    return await pool().run(way.check, trial, lane=lane) if way.slow else way.check(trial)


async def _take(work: Work, way: Factor, claim: Claim) -> _Taken | Over | Wait:
    subject = await subject_of(work, claim)
    if way.challenge:
        return await _take_challenge(work, claim, subject)
    await _move(work, subject)
    counted = await store.count_try(work, claim.kind, subject.key, claim.counter(subject.account))
    if isinstance(counted, store.Counter):
        return Wait(None if counted.failures >= MOST_FAILURES else counted.next_at)
    stored = await store.of_kind(work, subject.account, claim.kind)
    box = await box_of(work, subject.account)
    if stored is None or box is None:
        return _Taken(subject, counted, None)
    secret = store.opened(work, box, stored)
    return _Taken(subject, counted, Secret(secret), stored.id, stored.version)


async def _move(work: Work, subject: Subject) -> None:
    """While the key of the blind index rotates, let what was counted under the previous one count on: a known one is looked for like an unknown one."""
    for older in subject.older:
        await store.move_tries(work, older, subject.blind)


async def failures_of(reader: Reader, claim: Claim, subject: Subject) -> int:
    """Return how many failures in a row are counted for a claim, what the previous key of the blind index may still have included."""
    browser = claim.counter(subject.account)
    counted = [await store.failures_of(reader, claim.kind, key, browser) for key in (subject.key, *subject.older)]
    return sum(counted) if subject.account is None else counted[0]


async def _take_challenge(work: Work, claim: Claim, subject: Subject) -> _Taken | Over:
    if not await store.hold_open(work, claim.journey, claim.kind):
        return Over()
    await _move(work, subject)
    failures = await store.count_failure(work, claim.kind, subject.key, claim.counter(subject.account))
    air = await store.take_challenge(work, claim.journey, claim.kind)
    if air is None:  # the row is held, so it is as it was when it was judged open
        return Over()
    challenge = store.challenge_of(work, claim.journey, claim.kind, air)
    if challenge.identifier != claim.identifier:  # it was sent for another identifier, before this one was typed: it proves nothing here
        return _Taken(subject, failures, None, left=air.tries)
    return _Taken(subject, failures, Secret(challenge.kept), challenge=air.id, left=air.tries)


def _record_failure(work: Work, way: Factor, claim: Claim, taken: _Taken) -> None:
    subject = taken.subject
    unknown = "" if subject.account else subject.blind
    known = bool(claim.counter(subject.account))
    work.record(FactorFailed(subject=subject.account, kind=claim.kind, journey=claim.journey, failures=taken.failures, known_browser=known, unknown=unknown))
    if taken.failures == MOST_FAILURES and way.challenge:
        work.record(CodesLengthened(subject=subject.account, kind=claim.kind, known_browser=known, unknown=unknown))
    elif taken.failures >= MOST_FAILURES and not way.challenge:
        work.record(FactorClosed(subject=subject.account, kind=claim.kind, known_browser=known, unknown=unknown))


async def confirm(work: Work, matched: Matched) -> Proof | Refused:
    """Make a proof of a right answer, if what it was compared with still stands: the secret unchanged, the code unused."""
    claim, subject = matched.claim, matched.subject
    if not await _still_stands(work, matched):
        return Refused("changed_meanwhile")
    browser = claim.counter(subject.account)
    if await store.clear(work, claim.kind, subject.key, browser):
        work.record(FactorReopened(subject=subject.account, by=claim.kind))
    work.record(FactorPassed(subject=subject.account, kind=claim.kind, journey=claim.journey, known_browser=bool(browser)))
    way = factor(claim.kind)
    return Proof(
        factor=claim.kind,
        amr=way.amr,
        acr=way.acr,
        means=way.means.value,
        at=work.now,
        account=subject.account,
        identifier=claim.identifier if way.challenge else None,
    )


async def _still_stands(work: Work, matched: Matched) -> bool:
    claim, account = matched.claim, matched.subject.account
    if matched.factor is None:
        return await store.spend(work, claim.journey, claim.kind, matched.challenge)
    if account is None:
        return False
    if matched.renewed is None:
        return await store.used(work, account, matched.factor, matched.version)
    box = await keys.subject_box(work, account)
    return await store.renewed(work, account, matched.factor, matched.version, (matched.renewed.reveal(), box))
