"""Ordering messages, and the limit on them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from limen.kernel.ids import JobId
from limen.modules import keys, tenants
from limen.modules.notices import store
from limen.modules.notices.errors import IncompleteNotice, UnknownNotice
from limen.modules.notices.facts import MessageOrdered, SendingLimited
from limen.modules.notices.jobs import MAIL, Order
from limen.modules.notices.model import COUNTS, NOTICES, WINDOW, Recipient
from limen.modules.notices.settings import Tenant
from limen.platform import outbox
from limen.platform.sql import Work
from limen.platform.wire.user_agents import coarse

_STRANGERS: Final = 4
"""As many shares all strangers have together."""
_SUBSCRIBER: Final = 64
"""Bits of an IPv6 address that one subscriber has whole."""


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


async def may_send(work: Work, channel: str, address: str, *, browser: str = "") -> bool:
    """Count a message to `address` (in its normalised form) and answer whether it may go: so many in any hour for each who asks.

    Each browser that the address's owner is known by (`browser`: its name, proved) has a share of its own. Strangers have one for each
    source, so that one of them cannot use up the others', and four together, whatever their sources. Ask before `send` wherever a
    stranger can cause the message. The count is taken first, so that many at once are no way round it; what was refused does not count.
    """
    share = (await tenants.settings(work, Tenant.section, Tenant)).sends_per_hour
    to, since = f"{channel}:{address}", work.now - WINDOW
    limits = {f"{to} browser {browser}": share} if browser else {f"{to} source {_source(work)}": share, to: share * _STRANGERS}
    counted: dict[bytes, tuple[datetime, ...]] = {}
    for name, limit in limits.items():  # the narrower first, everywhere: rows are held in one order
        index, *before = await keys.blinds(work, COUNTS, "notices", name)
        held = await store.take(work, index)
        for older in before:  # while the key rotates
            held = await store.move(work, older, index, held)
        times = tuple(time for time in held.times if time > since)
        if len(times) >= limit:
            await _refuse(work, index, held, SendingLimited(channel=channel, address=(await keys.blind(work, COUNTS, "notices", to)).hex()))
            return False
        counted[index] = (*times, work.now)
    for index, sends in counted.items():
        await store.count(work, index, sends)
    await store.fade(work, since)
    return True


async def _refuse(work: Work, index: bytes, held: store.Sends, fact: SendingLimited) -> None:
    """Tell the log of a refusal, once an hour: who asks again and again buys no rows."""
    if held.refused_at is None or held.refused_at <= work.now - WINDOW:
        await store.refuse(work, index)
        work.record(fact)


def _source(work: Work) -> str:
    """Return where a request comes from, as far as it tells one asker from another: an IPv4 address, the network of an IPv6 one."""
    text = work.actor.origin.address if work.actor.origin else ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, _SUBSCRIBER), strict=False))  # noqa: PLR2004 - IPv4
