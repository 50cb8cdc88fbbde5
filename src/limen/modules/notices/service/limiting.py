"""How many messages may go out: to an address, to a range of telephone numbers, to all of them; and to which countries."""

from __future__ import annotations

import ipaddress
from datetime import datetime
from typing import Final

from limen.modules import accounts, keys, tenants
from limen.modules.notices import store
from limen.modules.notices.facts import NumberRefused, Reason, SendingLimited
from limen.modules.notices.model import COUNTS, PHONES, WINDOW
from limen.modules.notices.settings import Tenant
from limen.platform.sql import Work

_NUMBERED: Final = PHONES | {accounts.PHONE}
"""Channels with the limits of numbers: who asks before a channel is chosen gives the kind of the identifier."""
_STRANGERS: Final = 4
"""As many shares all strangers have together."""
_SUBSCRIBER: Final = 64
"""Bits of an IPv6 address that one subscriber has whole."""


async def may_send(work: Work, channel: str, address: str, *, browser: str = "") -> bool:
    """Count a message to `address` (in its normalised form) and answer whether it may go: so many in any hour for each who asks.

    Each browser that the address's owner is known by (`browser`: its name, proved) has a share of its own. Strangers have one for each
    source, so that one of them cannot use up the others', and four together, whatever their sources. Ask before `send` wherever a
    stranger can cause the message. The count is taken first, so that many at once are no way round it; what was refused does not count.

    A telephone number has to be in one of the tenant's countries and not be one that earns by being reached; its range of neighbours and all
    numbers together have limits too, against those who have messages sent to numbers of their own. `accounts.prepare` comes before the Work.
    """
    rules = await tenants.settings(work, Tenant.section, Tenant)
    origin = accounts.phone_origin(address) if channel in _NUMBERED else None
    if origin is not None and not await _within_reach(work, channel, origin, rules):
        return False
    to = f"{accounts.PHONE if origin else channel}:{address}"
    if (counted := await _shares(work, channel, to, browser, rules)) is None:
        return False
    totals = await _totals(work, channel, origin, rules) if origin else {}
    if totals is None:
        return False
    for index, sends in counted.items():
        await store.count(work, index, sends)
    for index, count in totals.items():
        await store.count_total(work, index, _hour(work), count)
    await store.fade(work, work.now - WINDOW)
    if origin:
        await store.fade_totals(work, work.now - WINDOW)
    return True


async def _shares(work: Work, channel: str, to: str, browser: str, rules: Tenant) -> dict[bytes, tuple[datetime, ...]] | None:
    """Return what is to be written of the address's shares, the present message included; None if one is used up."""
    share, since = rules.sends_per_hour, work.now - WINDOW
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
            return None
        counted[index] = (*times, work.now)
    return counted


async def _within_reach(work: Work, channel: str, origin: accounts.PhoneOrigin, rules: Tenant) -> bool:
    """Answer whether the tenant writes to and calls such numbers at all."""
    if origin.region in rules.regions and not origin.costly:
        return True
    reason = Reason.COSTLY if origin.region in rules.regions else Reason.REGION
    index = await keys.blind(work, COUNTS, "notices", f"refused {reason} {origin.region}")
    await _tell(work, index, await store.take_total(work, index), NumberRefused(channel=channel, region=origin.region, reason=reason))
    return False


async def _totals(work: Work, channel: str, origin: accounts.PhoneOrigin, rules: Tenant) -> dict[bytes, int] | None:
    """Return what is to be written of the range's count and of everybody's, the present message included; None if one is full."""
    hour, counted = _hour(work), dict[bytes, int]()
    limits = ((f"range {origin.range}", rules.texts_per_range_per_hour, Reason.RANGE), ("every number", rules.texts_per_hour, Reason.TENANT))
    for name, limit, reason in limits:  # likewise
        index, *before = await keys.blinds(work, COUNTS, "notices", name)
        held = await store.take_total(work, index)
        rows = [held, *[await store.take_total(work, older) for older in before]]
        if sum(one.count for one in rows if one.hour == hour) >= limit:
            await _tell(work, index, held, NumberRefused(channel=channel, region=origin.region, reason=reason))
            return None
        counted[index] = (held.count if held.hour == hour else 0) + 1
    return counted


def _hour(work: Work) -> datetime:
    return work.now.replace(minute=0, second=0, microsecond=0)


async def _tell(work: Work, index: bytes, held: store.Total, fact: NumberRefused) -> None:
    """Tell the log, once an hour for each country and reason, range, or tenant."""
    if held.told_at is None or held.told_at <= work.now - WINDOW:
        await store.tell_total(work, index)
        work.record(fact)


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
