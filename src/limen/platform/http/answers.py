"""What an endpoint answers: values, which the edge turns into a response with every header that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from limen.kernel.secrets import Secret
from limen.platform.pages import Cookie, Page

Headers: TypeAlias = tuple[tuple[str, str], ...]
"""Header fields an endpoint adds, or sets in place of the edge's own; any case."""


class SetCookie(msgspec.Struct, frozen=True):
    """A cookie for the browser. The edge makes `__Host-lmn_<name>_<tenant>` of it and puts the tenant before the value.

    `max_age` in seconds; None ends with the browser, 0 deletes. `readable` is for the session iframe alone: scripts may read it,
    other sites' frames get it, and it must carry no authority.
    """

    name: str
    value: Secret[str]
    max_age: int | None = None
    readable: bool = False


def drop_cookie(name: str, *, readable: bool = False) -> SetCookie:
    """Return what deletes a cookie; `readable` as it was set, or a browser on http keeps it."""
    return SetCookie(name, Secret(""), 0, readable)


class Json(msgspec.Struct, frozen=True):
    """A JSON document (RFC 8259); `value` is a Struct, a dataclass, or what msgspec encodes."""

    value: object
    status: int = 200
    headers: Headers = ()
    cookies: tuple[Cookie, ...] = ()


class SeeOther(msgspec.Struct, frozen=True):
    """303, with which every POST of a page ends. A `location` that begins with `/` is a path of the tenant; else it is a checked address."""

    location: str
    cookies: tuple[Cookie, ...] = ()
    headers: Headers = ()


class Raw(msgspec.Struct, frozen=True):
    """Octets of any media type. `packed` is the same as gzip, where it is kept ready."""

    body: bytes
    media_type: str
    status: int = 200
    headers: Headers = ()
    cookies: tuple[Cookie, ...] = ()
    packed: bytes | None = None


class FormPost(msgspec.Struct, frozen=True):
    """An answer posted to an app's address by the browser, by script or by the page's button (OAuth 2.0 Form Post Response Mode)."""

    target: str
    fields: Mapping[str, str]
    cookies: tuple[Cookie, ...] = ()


Answer: TypeAlias = Json | SeeOther | Raw | Page | FormPost
"""What an endpoint may answer."""


def no_content(*cookies: Cookie) -> Raw:
    """Return 204: done, nothing to say."""
    return Raw(b"", "", 204, (), cookies)
