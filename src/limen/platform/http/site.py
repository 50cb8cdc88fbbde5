"""Which tenant an address belongs to. The answer is kept a moment, so that a request pays a look into a dict."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from limen.kernel.errors import Kind, LimenError
from limen.kernel.ids import TenantId
from limen.platform.pages import Brand, Languages

PREFIX: Final = "/t/"
"""Tenants without a domain of their own stand under `/t/<tenant>`."""

_HOST: Final = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")
_KEPT_FOR: Final = 1.0
_MOST: Final = 20_000
_LONGEST_HOST: Final = 261
_DEFAULT_PORTS: Final = {"https": ":443", "http": ":80"}


@dataclass(frozen=True, slots=True)
class Site:
    """A tenant as the web sees it. `issuer` is `origin` and `prefix`; `prefix` is "" or `/t/<tenant>`; `host` as in the header Host."""

    tenant: TenantId
    issuer: str
    origin: str
    prefix: str
    host: str
    dev: bool
    name: str
    brand: Brand
    languages: tuple[str, ...]

    @property
    def secure(self) -> bool:
        """Whether it is served over https; only dev mode is not."""
        return self.origin.startswith("https:")


class Sites(Protocol):
    """Knows the tenants' addresses."""

    async def find(self, host: str, path: str) -> Site | None:
        """Return the site of a Host (lower case, default port left out) and raw path; None where nobody lives."""
        ...


class Place:
    """A site with what is computed once for it."""

    __slots__ = ("cookie_prefix", "languages", "origin", "site", "tenant_mark", "until")

    def __init__(self, site: Site, until: float) -> None:
        self.site = site
        self.until = until
        self.languages = Languages(site.languages)
        self.origin = site.origin
        self.cookie_prefix = f"{'__Host-' if site.secure else ''}lmn_"
        self.tenant_mark = f"{site.tenant}."


class Places:
    """The sites in use, by Host and prefix. `forget` drops them all; without it a change shows within a second."""

    __slots__ = ("_clock", "_found", "_scheme", "_sites")

    def __init__(self, sites: Sites, *, scheme: str, clock: Callable[[], float]) -> None:
        self._sites = sites
        self._scheme = scheme
        self._clock = clock
        self._found: dict[tuple[bytes, str], Place] = {}

    def known(self, host: bytes, prefix: str) -> Place | None:
        """Return the place if it was looked up a moment ago."""
        place = self._found.get((host, prefix))
        return place if place is not None and place.until > self._clock() else None

    async def find(self, host: bytes, prefix: str) -> Place | None:
        """Look the place up, and keep it. Nothing is kept for names nobody has; what is kept serves on while nothing can be looked up."""
        name = normal_host(host, self._scheme)
        try:
            site = await self._sites.find(name, prefix or "/") if name else None
        except LimenError as trouble:
            kept = self._found.get((host, prefix))
            if kept is None or trouble.kind is not Kind.UNAVAILABLE:
                raise
            kept.until = self._clock() + _KEPT_FOR
            return kept
        if site is None or site.prefix != prefix:
            self._found.pop((host, prefix), None)
            return None
        if len(self._found) >= _MOST:
            self._found.clear()
        place = Place(site, self._clock() + _KEPT_FOR)
        self._found[host, prefix] = place
        return place

    def forget(self) -> None:
        """Drop everything: a tenant, a domain or a brand has changed."""
        self._found.clear()


def normal_host(host: bytes, scheme: str) -> str:
    """Return a Host header in lower case without the scheme's port and a final dot; "" for what is no host (RFC 9110, section 7.2)."""
    if len(host) > _LONGEST_HOST:
        return ""
    name = host.decode("latin-1").lower().removesuffix(_DEFAULT_PORTS[scheme])
    bare, colon, port = name.rpartition(":") if not name.endswith("]") else (name, "", "")
    if not colon:
        bare, port = name, ""
    bare = bare.removesuffix(".")
    if not _HOST.fullmatch(bare) or (colon and not (port.isascii() and port.isdigit())):
        return ""
    return f"{bare}:{port}" if port else bare


def prefix_of(path: str) -> str:
    """Return `/t/<tenant>` of a raw path, or ""."""
    if not path.startswith(PREFIX):
        return ""
    end = path.find("/", len(PREFIX))
    return path if end < 0 else path[:end]
