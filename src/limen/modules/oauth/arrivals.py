"""How fast one network may bring what nobody here knows: apps that register, documents to be read, and requests of apps that have nothing to show.

The counts are in memory, so each process has its own.
"""

from __future__ import annotations

import ipaddress
import math
from datetime import timedelta
from typing import Final
from weakref import WeakKeyDictionary

from limen.modules import tenants
from limen.modules.clients import Client
from limen.modules.oauth.settings import Tenant
from limen.platform.http import Call, Pace, SlowDown
from limen.platform.sql import Database, Reader

_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)
_HOURLY: Final = 30
_REQUESTS: Final = 100
_SUBSCRIBER: Final = 64
"""Bits of an IPv6 address that one subscriber has whole."""
_PACES: Final[WeakKeyDictionary[Database, dict[tuple[int, timedelta], Pace]]] = WeakKeyDictionary()
"""By how many may come, and within what time."""


def count(call: Call, hourly: int | None) -> None:
    """Count an app that comes by itself; None is the usual number, in dev mode any. SlowDown where there were too many."""
    if (most := hourly or (None if call.site.dev else _HOURLY)) is not None:
        _count(call, most, _HOUR, "Too many applications came from here. Wait before the next.")


async def count_request(reader: Reader, call: Call, client: Client) -> None:
    """Count a request that is to wait for its person, where its app proves nothing; in dev mode where the tenant names a number. SlowDown."""
    if not client.public:
        return
    most = (await tenants.settings(reader, Tenant.section, Tenant)).public_requests or (None if call.site.dev else _REQUESTS)
    if most is not None:
        _count(call, most, _MINUTE, "Too many requests of this client came from here. Wait before the next.", client.id)


def _count(call: Call, most: int, within: timedelta, why: str, *whose: str) -> None:
    paces = _PACES.setdefault(call.db, {})
    pace = paces.setdefault((most, within), Pace(call.db.clock, rate=most / within.total_seconds(), burst=most))
    if (seconds := pace.spend((call.tenant, network(call.origin.address), *whose))) > 0:
        raise SlowDown(why, retry_after=math.ceil(seconds))


def network(text: str) -> str:
    """Return an address as far as it tells one subscriber from another: an IPv4 address, the network of an IPv6 one."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, _SUBSCRIBER), strict=False))  # noqa: PLR2004 - IPv4
