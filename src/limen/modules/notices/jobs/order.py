"""What is to be delivered, and what every delivery does with it."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import AccountId
from limen.modules.notices.facts import MessageRefused, MessageSent
from limen.modules.notices.service.letters import Told
from limen.platform import mail
from limen.platform.outbox import Job


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

    @property
    def told(self) -> Told:
        """Return all that the message may name."""
        return Told(at=self.at, browser=self.browser, system=self.system, values=self.values)

    def is_too_late(self, now: datetime) -> bool:
        """Whether the code has run out before the message could leave."""
        return "minutes" in self.values and now >= self.at + timedelta(minutes=int(self.values["minutes"]))


TOO_LATE = "too_late"


async def sent(job: Job[Order]) -> None:
    """Tell the log that the message was taken over."""
    order = job.payload
    async with job.db.work(job.tenant, SYSTEM) as work:
        work.record(MessageSent(subject=order.account, job=job.id, template=order.template, channel=order.channel))


async def refused(job: Job[Order], reason: str) -> None:
    """Tell the log that the message will not go out."""
    order = job.payload
    async with job.db.work(job.tenant, SYSTEM) as work:
        work.record(MessageRefused(subject=order.account, job=job.id, template=order.template, channel=order.channel, reason=reason))


async def keep(job: Job[Order], subject: str, text: str) -> None:
    """Put the message into the mailbox of dev mode; a second time changes nothing."""
    order = job.payload
    async with job.db.work(job.tenant, SYSTEM) as work:
        dropped = mail.Dropped(
            to=order.address,
            channel=order.channel,
            subject=subject,
            text=text,
            code=order.values.get("code", ""),
            link=order.values.get("link", ""),
            at=order.at,
        )
        await mail.drop_in(work, job.id, dropped)
