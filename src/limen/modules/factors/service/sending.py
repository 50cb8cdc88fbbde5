"""Sending a challenge to an address. Whether anybody lives there changes the mail, never the page."""

from __future__ import annotations

from limen.kernel import secrets
from limen.modules import accounts, notices
from limen.modules.factors import jobs, store
from limen.modules.factors.errors import UnknownFactor
from limen.modules.factors.facts import ChallengeSent
from limen.modules.factors.model import NOBODY, Claim, NotSent, Order, Sent, Subject
from limen.modules.factors.service.attempt import box_of, failures_of, subject_of
from limen.modules.factors.service.registry import factor
from limen.platform.sql import Work


async def challenge(work: Work, claim: Claim, order: Order) -> Sent | NotSent:
    """Send a fresh challenge of `claim.kind` to the claimed identifier; the one before it, if any, is void.

    It counts to the share of the browser where that signed the account in before, else to the strangers'. An address without an account gets
    the word that there is none instead, and the journey a challenge that nothing answers; when the purpose is signing up, everybody gets the code.
    """
    way = factor(claim.kind)
    if way.challenge is None:
        raise UnknownFactor(operator=f"the factor {claim.kind} sends nothing")
    subject = await subject_of(work, claim)
    to = await _recipient(work, claim, subject)
    browser = claim.counter(subject.account)
    if not await notices.may_send(work, *claim.identifier, browser=browser):
        return NotSent()
    made = way.challenge(order.purpose, await failures_of(work, claim, subject))
    absent = made.absent if subject.account is None else None
    kept = made.kept if absent is None else secrets.octets(len(made.kept))
    await store.put_challenge(work, claim.journey, claim.kind, store.Kept(kept, claim.identifier, subject.account), made.tries, made.lifetime)
    sending = absent or made.sending
    await notices.send(work, to, sending.template, {"link": order.link, **sending.values}, language=order.language)
    await jobs.order_sweep(work)
    work.record(ChallengeSent(subject=subject.account, kind=claim.kind, journey=claim.journey, unknown="" if subject.account else subject.blind))
    return Sent()


async def _recipient(work: Work, claim: Claim, subject: Subject) -> notices.Recipient:
    """Return where it goes: the address as stored, not as typed."""
    kind, value = claim.identifier
    own = await accounts.identifiers(work, subject.account or NOBODY)
    if subject.account is None:
        await box_of(work, None)
    else:
        for identifier in own:
            if identifier.kind == kind and accounts.kept(kind, identifier.value) == value:
                return notices.Recipient(address=identifier.value, account=subject.account)
    return notices.Recipient(address=value)
