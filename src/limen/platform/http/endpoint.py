"""An endpoint is a value: from it come the route, the check of who may call, the body's reader, the refusals and the API's description."""

from __future__ import annotations

import enum
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from limen.kernel.errors import LimenError
from limen.platform.http.answers import Answer
from limen.platform.wire.bodies import JSON_LIMIT
from limen.platform.wire.forms import FORM_LIMIT, Form

if TYPE_CHECKING:
    from limen.platform.http.call import Call

FORM_MEDIA: Final = "application/x-www-form-urlencoded"
JSON_MEDIA: Final = "application/json"
LONGEST_BODY: Final = 524_288
"""Octets no body may pass, whatever its endpoint."""

_PARAMETER: Final = re.compile(r"\{(\w+)\}")

Translate: TypeAlias = Callable[[LimenError], Answer]
"""Puts an error into the words of a protocol: `as_problem`, `as_page`, `as_oauth`, or a door's own."""


class WhoKind(enum.Enum):
    """The ways to be allowed in."""

    PUBLIC = "public"
    SESSION = "session"
    SCOPE = "scope"
    PROTOCOL = "protocol"
    DEV = "dev"


@dataclass(frozen=True, slots=True)
class Who:
    """Who may call."""

    kind: WhoKind
    scope: str = ""


PUBLIC: Final = Who(WhoKind.PUBLIC)
"""Everybody."""
SESSION: Final = Who(WhoKind.SESSION)
"""Who is signed in: `call.account` and `call.session` are there. Others are led to sign in, or get 401 where no page is spoken."""
PROTOCOL: Final = Who(WhoKind.PROTOCOL)
"""The door finds out by its protocol: client authentication, a token it introduces."""
DEV: Final = Who(WhoKind.DEV)
"""Dev mode only, under localhost and 127.0.0.1; in production the endpoint does not exist."""


def scope(name: str) -> Who:
    """Return: bearers of an access token with this scope; `call.access` says who they are."""
    return Who(WhoKind.SCOPE, name)


class Cors(enum.Enum):
    """Which scripts of other origins may read the answer. Cookies never count."""

    NEVER = "never"
    METADATA = "metadata"
    """Documents anybody may read."""
    ANY_ORIGIN = "any_origin"
    """Calls of single-page apps that bring their own credentials: token, userinfo, revoke, par, register."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of one path. `path` is relative to the issuer: `/oauth/token`, `/api/v1/accounts/{account}`."""

    method: str
    path: str
    who: Who
    call: Callable[[Call], Awaitable[Answer]]
    summary: str
    takes: type[msgspec.Struct | Form | bytes] | None = None
    """The body: a Struct (`call.taken(Kind)`), `Form` (`call.form`), `bytes` (`call.raw`), or None and nothing is read."""
    query: type[msgspec.Struct] | None = None
    """The query as a Struct (`call.asked(Kind)`); None leaves it to `call.query`."""
    gives: type | None = None
    status: int = 200
    """Of success; for the description."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """What the path's parameters are; for the description."""
    etag: bool = False
    """Whether the answer carries the record's version as its ETag; for the description."""
    if_match: bool = False
    """Whether If-Match is heeded; for the description."""
    refusals: tuple[type[LimenError], ...] = ()
    cors: Cors = Cors.NEVER
    hot: bool = False
    """On the hot path: its place in the dict before the router is sure, because its path has no parameters."""
    csrf: bool | None = None
    """Whether a change needs a form of ours (or the header `limen-csrf`) from the same origin. None: pages and what cookies authorise do;
    a door that takes POSTs from elsewhere says False."""
    at_origin: bool = False
    """`path` is relative to the origin and the tenant's prefix follows it (RFC 8414, section 3.1)."""
    behind: str = ""
    """With `at_origin`: what follows the prefix (RFC 9728, section 3.1)."""
    media: tuple[str, ...] = ()
    """Media types of the body that are taken; empty: JSON under /api, forms elsewhere."""
    repeatable: frozenset[str] = frozenset()
    """Fields of the form or query that may come more than once, such as `resource`."""
    limit: int = 0
    """Octets of the body at most; 0 is 16 KiB for forms, 64 KiB for JSON."""
    refuse: Translate | None = None
    """How errors are told; None: OAuth's JSON where `who` is PROTOCOL, problem+json where else programs call (API, JSON, CORS), else a page."""

    def __post_init__(self) -> None:
        if not self.path.startswith("/") or self.method != self.method.upper():
            raise ValueError(f"{self.method} {self.path}: a path begins with a slash, a method is in capitals")
        if self.hot and "{" in self.path:
            raise ValueError(f"{self.path}: a hot path has no parameters")
        if self.takes is not None and self.method in ("GET", "HEAD"):
            raise ValueError(f"{self.path}: {self.method} has no body")
        if not self.parts.keys() <= set(self.parameters):
            raise ValueError(f"{self.path}: describes a parameter that is not there")
        if self.limit > LONGEST_BODY:
            raise ValueError(f"{self.path}: no body passes {LONGEST_BODY} octets")

    @property
    def api(self) -> bool:
        """Whether it is part of the JSON API."""
        return self.path.startswith("/api/")

    @property
    def parameters(self) -> tuple[str, ...]:
        """The path's parameters, in order."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def media_taken(self) -> tuple[str, ...]:
        """The media types of the body that are taken."""
        if self.media or self.takes is bytes:
            return self.media
        return (JSON_MEDIA,) if self.api and self.takes is not Form else (FORM_MEDIA,)

    @property
    def takes_json(self) -> bool:
        """Whether its body is JSON: then a program calls it, not a form."""
        return self.takes is not None and any(media.endswith(("/json", "+json")) for media in self.media_taken)

    @property
    def limit_taken(self) -> int:
        """Octets of the body at most."""
        return self.limit or (FORM_LIMIT if FORM_MEDIA in self.media_taken else JSON_LIMIT)
