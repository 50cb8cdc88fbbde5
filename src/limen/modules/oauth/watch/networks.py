"""From which network a request came, as the log may say it: a keyed label, equal for equal networks of a tenant and telling nothing else."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import Final

from limen.modules import keys
from limen.platform.http import Call
from limen.platform.sql import Reader

NETWORKS: Final = keys.Indexed(
    name="oauth.networks", fades=timedelta(hours=1), why="once the key has rotated, the token watch learns anew from which networks clients come"
)

_CACHE: Final = "oauth.networks"
_MOST: Final = 4_096
_LONGEST: Final = 256
_PURPOSE: Final = "oauth.network"
_LETTERS: Final = 16
_BITS: Final = {4: 24, 6: 48}
"""What of an address is the network of a provider or a site, and no single subscriber."""


async def network(call: Call, reader: Reader) -> str:
    """Return the label of the network the request came from: a look into a dict, but once an hour, so that a new index key is taken up."""
    headers, kept, hour = call.raw_headers, call.db.caches.kept(_CACHE), reader.now.hour
    place = (call.site.tenant, call.peer, headers.get(b"forwarded"), headers.get(b"x-forwarded-for"))
    found: tuple[str, int] | None = kept.get(place)
    if found is not None and found[1] == hour:
        return found[0]
    label = (await keys.blind(reader, NETWORKS, _PURPOSE, widened(call.origin.address))).hex()[:_LETTERS]
    if len(place[2] or b"") + len(place[3] or b"") <= _LONGEST:
        if len(kept) >= _MOST:
            kept.clear()
        kept[place] = (label, hour)
    return label


def widened(text: str) -> str:
    """Return the network of an address: 24 bits of an IPv4 one, 48 of an IPv6 one; what is no address stays as it is."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    return str(ipaddress.ip_network((address, _BITS[address.version]), strict=False))
