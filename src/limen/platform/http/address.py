"""Who is a trusted proxy, and the client's address: the peer's, or what trusted proxies say of it (RFC 7239; X-Forwarded-For)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Final, TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_MOST_HOPS: Final = 32
_FOR: Final = re.compile(r'(?:^|[;\s])for=("(?:[^"\\]|\\.)*"|[^\s;,"]+)', re.IGNORECASE)


class Addresses:
    """Finds the client's address behind the trusted proxies: the right-most hop that is none of them."""

    __slots__ = ("_trusted",)

    def __init__(self, trusted: Iterable[str]) -> None:
        self._trusted: tuple[Network, ...] = tuple(ipaddress.ip_network(one, strict=False) for one in trusted)

    def client(self, peer: str, headers: dict[bytes, bytes]) -> str:
        """Return the address. Where the two headers tell different stories one was made up by the client: then it is the peer."""
        if not self.trusts(peer):
            return peer
        stories = set()
        if forwarded := headers.get(b"forwarded"):
            stories.add(self._last(peer, _forwarded(forwarded.decode("latin-1"))))
        if plain := headers.get(b"x-forwarded-for"):
            stories.add(self._last(peer, plain.decode("latin-1").split(",")))
        return stories.pop() if len(stories) == 1 else peer

    def _last(self, peer: str, hops: list[str]) -> str:
        client = peer
        for hop in reversed(hops[-_MOST_HOPS:]):
            address = _bare(hop)
            if address is None:  # obfuscated, unknown, or rubbish: what stands left of it proves nothing
                return client
            client = address
            if not self.trusts(address):
                return client
        return client

    def trusts(self, address: str) -> bool:
        """Whether a peer is one of the trusted proxies, whose word is believed."""
        if not self._trusted:
            return False
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is not None:  # what comes to `[::]` over IPv4
            known = known.ipv4_mapped
        return any(known in network for network in self._trusted)


def _forwarded(header: str) -> list[str]:
    """Return the `for` of each element; "" where an element has none."""
    found = (_FOR.search(element) for element in header.split(","))
    return [match[1].strip('"') if match else "" for match in found]


def _bare(hop: str) -> str | None:
    """Return an address without port and brackets in its usual spelling, or None."""
    text = hop.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
