"""Delivers messages, after the Work that ordered them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import AccountId
from limen.modules import keys, tenants
from limen.modules.notices.facts import MessageRefused, MessageSent
from limen.modules.notices.model import COUNTS, NOTICES
from limen.modules.notices.service.letters import Letter, Told, drawn
from limen.modules.notices.settings import Tenant
from limen.platform import mail
from limen.platform.duties import Running
from limen.platform.outbox import GiveUp, Job, JobKind, Later


class Order(msgspec.Struct, frozen=True):
    """What is to be said to whom. It holds an address and maybe a code: it exists sealed, until it is delivered."""

    template: str
    channel: str
    address: str
    account: AccountId | None
    language: str
    values: dict[str, str]
    at: datetime
    browser: str
    system: str


async def deliver(job: Job[Order]) -> None:
    """Draw the message and hand it to the relay; in dev mode, put it into the mailbox."""
    order = job.payload
    try:
        await _deliver(job)
    except (mail.MailRejected, _TooLate) as error:
        async with job.db.work(job.tenant, SYSTEM) as work:
            work.record(MessageRefused(subject=order.account, job=job.id, template=order.template, channel=order.channel, reason=error.reason))
        raise GiveUp(error.reason) from error
    except mail.MailDeferred as error:
        raise Later(error.reason) from error
    async with job.db.work(job.tenant, SYSTEM) as work:
        work.record(MessageSent(subject=order.account, job=job.id, template=order.template, channel=order.channel))


class _TooLate(Exception):
    """The code has run out before the message could leave."""

    reason = "too_late"


async def _deliver(job: Job[Order]) -> None:
    order = job.payload
    async with job.db.read(job.tenant) as read:
        tenant = await tenants.find(read)
        own = await tenants.settings(read, Tenant.section, Tenant)
        now = read.now
    if "minutes" in order.values and now >= order.at + timedelta(minutes=int(order.values["minutes"])):
        raise _TooLate
    told = Told(at=order.at, browser=order.browser, system=order.system, values=order.values)
    letter = drawn(NOTICES[order.template], told, tenant.brand, order.language)
    if job.settings.of(Running).dev:
        await _keep(job, letter)
    else:
        await mail.send(job.settings, _mail(job, letter, own.sender or tenant.brand.name, own.reply_to))


async def _keep(job: Job[Order], letter: Letter) -> None:
    order = job.payload
    async with job.db.work(job.tenant, SYSTEM) as work:
        dropped = mail.Dropped(
            to=order.address,
            channel=order.channel,
            subject=letter.subject,
            text=letter.text,
            code=order.values.get("code", ""),
            link=order.values.get("link", ""),
            at=order.at,
        )
        await mail.drop_in(work, job.id, dropped)


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
JOBS: Final = (MAIL,)
KEPT: Final[keys.Keeping] = {COUNTS: None}
