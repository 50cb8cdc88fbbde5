"""`http.md`: every endpoint, from its value."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Final

from limen.app.compose import install
from limen.platform.http import PUBLIC, Cors, Endpoint
from limen.platform.http.endpoint import WhoKind
from limen.platform.http.errors import status_of_kind
from limen.platform.http.health import health_endpoints
from limen.platform.http.openapi import description, own_refusals
from limen.platform.pages import stylesheet
from tools.reference.markdown import Row, code, page, table

_WHO: Final[Mapping[WhoKind, str]] = {
    WhoKind.PUBLIC: "anybody",
    WhoKind.SESSION: "who is signed in",
    WhoKind.SCOPE: "bearer of ",
    WhoKind.PROTOCOL: "by the protocol",
    WhoKind.DEV: "this machine, dev mode",
}
_CORS: Final[Mapping[Cors, str]] = {Cors.NEVER: "", Cors.METADATA: "any origin", Cors.ANY_ORIGIN: "any origin, pre-flight"}
_SUBJECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "Protocols": ("/oauth", "/.well-known"),
    "API": ("/api",),
    "Operations": ("/health", "/dev", "/assets"),
    "Pages": ("/",),
}
"""Headings with the beginnings of their paths; the first that fits takes an endpoint."""
_LEAD: Final = """\
Paths are relative to the issuer; `/.well-known/oauth-authorization-server` is relative to the origin, and `/t/<tenant>` follows it (RFC 8414, section
3.1). Where there is GET there is HEAD. The column CORS says which origins' scripts may read the answer, never with cookies; where it is empty, none. Under
`/api` an endpoint takes bearer tokens and JSON and answers errors as problem+json (RFC 9457) with a stable [code](errors.md); `/api/openapi.json` has the
shapes. "By the protocol": the client proves itself, or the token it brings. Beside the refusals named, any endpoint may answer 400, 404, 405, 408, 413, 421,
429, 431, 500 and 503."""


def http() -> str:
    """Return the page."""
    lines: list[str] = []
    left = endpoints()
    for heading, beginnings in _SUBJECTS.items():
        mine = [one for one in left if one.path.startswith(beginnings)]
        left = [one for one in left if one not in mine]
        head = ("method", "path", "what", "who may call", "CORS", "refusals")
        lines += [f"## {heading}", "", *table(head, map(_endpoint, mine))]
    return page("HTTP", _LEAD, lines)


def endpoints() -> list[Endpoint]:
    """Return every endpoint that is served, those of dev mode too, in the order of paths."""
    mine = install()
    told = description(mine)
    style = Endpoint(method="GET", path="/assets/{hash}.css", who=PUBLIC, call=told.call, summary=inspect.getdoc(stylesheet) or "")
    return sorted((*mine, *health_endpoints({}), told, style), key=lambda one: (one.path, one.method))


def _endpoint(one: Endpoint) -> Row:
    refused = sorted({f"{status_of_kind(error)} {error.code}" for error in (*one.refusals, *own_refusals(one))})
    who = _WHO[one.who.kind] + code(one.who.scope)
    return (one.method, code(one.path), one.summary.rstrip("."), who, _CORS[one.cors], ", ".join(code(each) for each in refused))
