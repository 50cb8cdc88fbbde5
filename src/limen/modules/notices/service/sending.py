"""Ordering messages."""

from __future__ import annotations

from collections.abc import Mapping

from limen.kernel.ids import JobId
from limen.modules.notices.errors import IncompleteNotice, UnknownNotice
from limen.modules.notices.facts import MessageOrdered
from limen.modules.notices.jobs import BY_CHANNEL, Order
from limen.modules.notices.model import NOTICES, Recipient
from limen.platform import outbox
from limen.platform.sql import Work
from limen.platform.wire.user_agents import coarse


async def send(work: Work, to: Recipient, template: str, values: Mapping[str, str] | None = None, *, language: str) -> JobId:
    """Order a message: it leaves after this Work commits, and again later if the relay is away; a code not after it has run out.

    `template` is a name of `NOTICES`. `values` are texts: `code` (shown alone), `minutes` (how long it works, a whole number) and `link`
    where the notice has a place for them. The time and a coarse device are taken from the Work. UnknownNotice, IncompleteNotice.
    """
    notice = NOTICES.get(template)
    if notice is None:
        raise UnknownNotice(operator=f"there is no notice {template!r}; there are {', '.join(NOTICES)}")
    if to.channel not in BY_CHANNEL or not notice.goes_by(to.channel):
        raise UnknownNotice(operator=f"there are no words of the notice {template} for the channel {to.channel!r}")
    given = dict(values or {})
    if missing := notice.needs - given.keys():
        raise IncompleteNotice(operator=f"the notice {template} needs {', '.join(sorted(missing))}")
    device = coarse(work.actor.origin.user_agent if work.actor.origin else "")
    order = Order(
        template=template,
        channel=to.channel,
        address=to.address,
        account=to.account,
        language=language,
        values=given,
        at=work.now,
        browser=device.browser,
        system=device.system,
    )
    job = await outbox.enqueue(work, BY_CHANNEL[to.channel], order)
    work.record(MessageOrdered(subject=to.account, job=job, template=template, channel=to.channel))
    return job
