"""Fetches addresses that others named, without becoming their tool: resolved once, connected to the address that was checked, little and soon.

For `jwks_uri`, `request_uri`, `sector_identifier_uri`, back-channel logout, webhooks. Private networks are refused (they trust the
server, not the client who named the address), redirects are not followed, 64 kB and three seconds are enough for everybody.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Coroutine, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Final, Generic, TypeAlias, TypeVar
from urllib.parse import SplitResult, urlsplit

from limen.kernel.errors import Kind, LimenError
from limen.platform.telemetry import TRACES

if TYPE_CHECKING:
    import ssl

    import httpx2

T = TypeVar("T")
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_LONGEST_URL: Final = 2_048
_HTTPS: Final = 443
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that is anybody's on the internet: old and local ranges that a Python may take for global (fec0::/10) lie outside."""
_EXAMPLES: Final = ipaddress.IPv6Network("3fff::/20")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


class Crowd(Generic[T]):
    """What many want at the same time, fetched once for all of them: strangers who ask often make no more calls than one at a time."""

    __slots__ = ("_under_way",)

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    async def wait(self, key: Hashable, fetch: Callable[[], Coroutine[None, None, T]]) -> T:
        """Return what `fetch` does, or did when somebody began it for the same key; who goes away while it is under way ends it for nobody else."""
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(fetch())
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(task)


class FetchRefused(LimenError):
    """The address is not one we go to: its scheme, its port, or where its name leads."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "address_refused"


class FetchFailed(LimenError):
    """Nothing usable came back: no connection, too late, too much, a redirect."""

    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    code: ClassVar[str] = "fetch_failed"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came back."""

    status: int
    media_type: str
    body: bytes
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """How far one may go. In dev mode (`own_machine`) loopback is allowed, over http too, on any port, with self-signed certificates."""

    own_machine: bool = False
    any_port: bool = False
    """https on other ports than 443, for what an operator (not a client) entered."""
    limit: int = 65_536
    seconds: float = 3.0

    async def get(self, url: str, *, accept: str = "application/json") -> Fetched:
        """Return what stands at an address. FetchRefused before anything is sent, FetchFailed after."""
        return await self._fetch("GET", url, b"", {"accept": accept})

    async def post(self, url: str, body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> Fetched:
        """Send octets to an address, and return the answer whatever its status."""
        return await self._fetch("POST", url, body, {**(headers or {}), "content-type": media_type})

    async def _fetch(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Fetched:
        parts = self._parsed(url)
        with TRACES.span(f"fetch {method}", "client", {"http.request.method": method, "server.address": parts.hostname or ""}):
            fetched = await self._exchanged(method, parts, (body, headers))
            TRACES.note("http.response.status_code", fetched.status)
            return fetched

    async def _exchanged(self, method: str, parts: SplitResult, content: tuple[bytes, Mapping[str, str]]) -> Fetched:
        import httpx2  # noqa: PLC0415 - slow to import, and most servers seldom fetch

        try:
            async with asyncio.timeout(self.seconds):
                address = await self._resolved(parts)
                async with httpx2.AsyncClient(verify=self._trust(address), trust_env=False, follow_redirects=False, timeout=self.seconds) as client:
                    return await self._exchange(client, self._request(client, method, parts, address, content))
        except TimeoutError:
            raise FetchFailed("the address did not answer in time") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as trouble:
            raise FetchFailed("the address could not be reached", operator=f"{parts.hostname}: {trouble!r}") from None

    def _parsed(self, url: str) -> SplitResult:
        """Return the address taken apart; FetchRefused by its looks."""
        if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
            raise FetchRefused("the address is not a plain URL")
        try:
            parts = urlsplit(url)
            port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
        except ValueError:
            raise FetchRefused("the address is not a plain URL") from None
        if not parts.hostname or "@" in parts.netloc:
            raise FetchRefused("the address names no host, or a user")
        if parts.scheme != "https" and not (self.own_machine and parts.scheme == "http"):
            raise FetchRefused("the address has to be https")
        if port != _HTTPS and not (self.any_port or self.own_machine):
            raise FetchRefused("the address has to be on port 443")
        return parts

    async def _resolved(self, parts: SplitResult) -> Address:
        """Return the one address to connect to. Every address of the name has to be fit, so that no order of answers makes a difference."""
        host = parts.hostname or ""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError):
            raise FetchFailed("the name does not resolve") from None
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        for address in addresses:
            if not self._fit(address, parts.scheme):
                raise FetchRefused("the address leads into a private network", operator=f"{host} is {address}")
        if not addresses:
            raise FetchFailed("the name does not resolve")
        return min(addresses, key=lambda address: address.version)

    def _fit(self, address: Address, scheme: str) -> bool:
        inner = _inner(address)
        if inner.is_loopback:
            return self.own_machine
        if isinstance(inner, ipaddress.IPv6Address) and (inner not in _GLOBAL_UNICAST or inner in _EXAMPLES):
            return False
        return scheme == "https" and inner.is_global and not inner.is_multicast and not inner.is_reserved

    def _trust(self, address: Address) -> ssl.SSLContext | bool:
        """Return the certificates that are believed: the usual ones, and on the own machine any."""
        return False if self.own_machine and address.is_loopback else _usual()

    @staticmethod
    def _request(client: httpx2.AsyncClient, method: str, parts: SplitResult, address: Address, content: tuple[bytes, Mapping[str, str]]) -> httpx2.Request:
        """Return a request to the checked address that names the host in its head and in TLS."""
        body, headers = content
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
        literal = f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004 - IPv6
        url = f"{parts.scheme}://{literal}:{port}{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        own = {"host": parts.netloc, "user-agent": "Limen", "accept-encoding": "identity", **headers}
        return client.build_request(method, url, headers=own, content=body or None, extensions={"sni_hostname": parts.hostname})

    async def _exchange(self, client: httpx2.AsyncClient, request: httpx2.Request) -> Fetched:
        response = await client.send(request, stream=True)
        try:
            if 300 <= response.status_code < 400:  # noqa: PLR2004 - redirects
                raise FetchFailed("the address redirects elsewhere")
            body = b""
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > self.limit:
                    raise FetchFailed(f"the address answers more than {self.limit} octets")
        finally:
            await response.aclose()
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Fetched(response.status_code, media_type, body, dict(response.headers))


@cache
def _usual() -> ssl.SSLContext:
    """Return what is believed everywhere, read once: it takes 24 ms of the event loop, and a sign-out may call a hundred apps."""
    import httpx2  # noqa: PLC0415 - as above

    return httpx2.create_ssl_context(trust_env=False)


def _inner(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one carries to (mapped, 6to4, Teredo, NAT64), else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
