"""Delivers messages by mail."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from limen.modules import tenants
from limen.modules.notices.jobs.order import TOO_LATE, Order, keep, refused, sent
from limen.modules.notices.model import NOTICES
from limen.modules.notices.service.letters import Letter, drawn
from limen.modules.notices.settings import Tenant
from limen.platform import mail
from limen.platform.duties import Running
from limen.platform.outbox import GiveUp, Job, JobKind, Later


async def deliver(job: Job[Order]) -> None:
    """Draw the message and hand it to the relay; in dev mode, put it into the mailbox."""
    try:
        await _deliver(job)
    except (mail.MailRejected, _TooLate) as error:
        await refused(job, error.reason)
        raise GiveUp(error.reason) from error
    except mail.MailDeferred as error:
        raise Later(error.reason) from error
    await sent(job)


class _TooLate(Exception):
    """The code has run out before the message could leave."""

    reason = TOO_LATE


async def _deliver(job: Job[Order]) -> None:
    order = job.payload
    async with job.db.read(job.tenant) as read:
        tenant = await tenants.find(read)
        own = await tenants.settings(read, Tenant.section, Tenant)
        now = read.now
    if order.is_too_late(now):
        raise _TooLate
    letter = drawn(NOTICES[order.template], order.told, tenant.brand, order.language)
    if job.settings.of(Running).dev:
        await keep(job, letter.subject, letter.text)
    else:
        await mail.send(job.settings, _mail(job, letter, own.sender or tenant.brand.name, own.reply_to))


def _mail(job: Job[Order], letter: Letter, sender: str, reply_to: str) -> mail.Mail:
    order = job.payload
    return mail.Mail(
        id=job.id,
        date=order.at,
        to=order.address,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        sender=sender,
        language=order.language,
        headers={"Reply-To": reply_to} if reply_to else {},
    )


MAIL: Final = JobKind(name="notices.mail", payload=Order, run=deliver, timeout=timedelta(seconds=330))
