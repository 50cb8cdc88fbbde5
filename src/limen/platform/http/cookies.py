"""Cookies, all of them: named after the tenant, carrying the tenant, `__Host-` and Secure over https."""

from __future__ import annotations

import re
from typing import Final

from limen.kernel.secrets import Secret
from limen.platform.http.site import Place
from limen.platform.pages import Cookie

_LONGEST: Final = 16_384
_MOST: Final = 200
_NAME: Final = re.compile(r"[a-z]{1,16}")
_VALUE: Final = re.compile(r"[A-Za-z0-9._~-]{0,2048}")


class Cookies:
    """Our own cookies of one request. Those of other tenants, and whatever else a browser sends, do not exist here."""

    __slots__ = ("_found", "_header", "_place")

    def __init__(self, header: str, place: Place) -> None:
        self._header = header
        self._place = place
        self._found: dict[str, Secret[str]] | None = None

    def get(self, name: str) -> Secret[str] | None:
        """Return the value of cookie `name` (`s`, `j`, `l`), if this tenant set it."""
        if self._found is None:
            self._found = _read(self._header, self._place)
        return self._found.get(name)


def _read(header: str, place: Place) -> dict[str, Secret[str]]:
    """Return the tenant's cookies. One that comes twice with two values was planted by a neighbour: neither is believed."""
    found: dict[str, Secret[str]] = {}
    if len(header) > _LONGEST:
        return found
    ending, mark = f"_{place.site.tenant}", place.tenant_mark
    planted: set[str] = set()
    for pair in header.split(";", _MOST)[:_MOST]:
        raw, _, value = pair.strip().partition("=")
        if not raw.startswith(place.cookie_prefix) or not raw.endswith(ending) or not value.startswith(mark):
            continue
        name, bare = raw[len(place.cookie_prefix) : -len(ending)], value[len(mark) :]
        if not bare or not _NAME.fullmatch(name) or not _VALUE.fullmatch(bare):
            continue
        kept = Secret(bare)
        if name in found and found[name] != kept:
            planted.add(name)
        found[name] = kept
    return {name: kept for name, kept in found.items() if name not in planted}


def full_name(name: str, place: Place) -> str:
    """Return what a cookie of this tenant is called in the browser."""
    return f"{place.cookie_prefix}{name}_{place.site.tenant}"


def header_of(cookie: Cookie, place: Place) -> bytes:
    """Return the field value of Set-Cookie (RFC 6265bis) for a cookie of this tenant."""
    value = cookie.value.reveal()
    if not _NAME.fullmatch(cookie.name) or not _VALUE.fullmatch(value):
        raise ValueError(f"cookie {cookie.name!r} has a name or value that does not fit a header")
    parts = [f"{full_name(cookie.name, place)}={place.tenant_mark}{value}", "Path=/"]
    if cookie.max_age is not None:
        parts.append(f"Max-Age={cookie.max_age}")
    if place.site.secure or cookie.readable:
        parts.append("Secure")  # browsers take localhost for secure; without it SameSite=None is void
    parts += ["SameSite=None"] if cookie.readable else ["HttpOnly", "SameSite=Lax"]
    return "; ".join(parts).encode("ascii")
