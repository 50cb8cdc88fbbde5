"""Ordering messages, and the limit on them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from limen.kernel.ids import JobId
from limen.modules import keys, tenants
from limen.modules.notices import store
from limen.modules.notices.errors import IncompleteNotice, UnknownNotice
from limen.modules.notices.facts import MessageOrdered, SendingLimited
from limen.modules.notices.jobs import MAIL, Order
from limen.modules.notices.model import NOTICES, Recipient
from limen.modules.notices.settings import Tenant
from limen.platform import outbox
from limen.platform.sql import Work
from limen.platform.wire.user_agents import coarse

_WINDOW: Final = timedelta(hours=1)


async def send(work: Work, to: Recipient, template: str, values: Mapping[str, str] | None = None, *, language: str) -> JobId:
    """Order a message: it leaves after this Work commits, and again later if the relay is away; a code not after it has run out.

    `template` is a name of `NOTICES`. `values` are texts: `code` (shown alone), `minutes` (how long it works, a whole number) and `link`
    where the notice has a place for them. The time and a coarse device are taken from the Work. UnknownNotice, IncompleteNotice.
    """
    notice = NOTICES.get(template)
    if notice is None:
        raise UnknownNotice(operator=f"there is no notice {template!r}; there are {', '.join(NOTICES)}")
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
    job = await outbox.enqueue(work, MAIL, order)
    work.record(MessageOrdered(subject=to.account, job=job, template=template, channel=to.channel))
    return job


async def may_send(work: Work, channel: str, address: str) -> bool:
    """Count a message to `address` (in its normalised form) and answer whether it may go: so many in any hour, whoever asks for them.

    Ask before `send` wherever a stranger can cause the message. The count is taken first, so that many at once are no way round it; what
    was refused does not count.
    """
    index = await keys.blind(work, "notices", f"{channel}:{address}")
    limit = (await tenants.settings(work, Tenant.section, Tenant)).sends_per_hour
    since = work.now - _WINDOW
    held = await store.take(work, index)
    times = tuple(time for time in held.times if time > since)
    if len(times) < limit:
        await store.count(work, index, (*times, work.now))
        await store.fade(work, since)
        return True
    if held.refused_at is None or held.refused_at <= since:  # once an hour: who asks again and again buys no rows
        await store.refuse(work, index)
        work.record(SendingLimited(channel=channel, address=index.hex()))
    return False
