"""The security headers of every answer, from one place."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Final

from limen.platform.http.endpoint import Cors
from limen.platform.pages import Page

Fields = list[tuple[bytes, bytes]]
"""Header fields as ASGI takes them: names in lower case."""

_TARGET: Final = re.compile(r"https?://[A-Za-z0-9.\-_\[\]:]{1,260}|[A-Za-z][A-Za-z0-9+.\-]{0,100}:")
_FOREVER: Final = 63_072_000

_UNUSED: Final = (
    *(b"accelerometer", b"browsing-topics", b"camera", b"display-capture", b"geolocation", b"gyroscope"),
    *(b"hid", b"microphone", b"midi", b"payment", b"serial", b"usb"),
)
_USED: Final = (b"publickey-credentials-create", b"publickey-credentials-get")

_ALWAYS: Final[Fields] = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
_DOCUMENT: Final[Fields] = [(b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'")]
_PAGE: Final[Fields] = [
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b", ".join((*(feature + b"=()" for feature in _UNUSED), *(feature + b"=(self)" for feature in _USED)))),
]
_CORS: Final[dict[Cors, Fields]] = {
    Cors.NEVER: [],
    Cors.METADATA: [(b"access-control-allow-origin", b"*"), (b"cross-origin-resource-policy", b"cross-origin")],
    Cors.ANY_ORIGIN: [
        (b"access-control-allow-origin", b"*"),
        (b"access-control-expose-headers", b"WWW-Authenticate, DPoP-Nonce, Retry-After"),
        (b"cross-origin-resource-policy", b"cross-origin"),
    ],
}


def _transport(*, production: bool) -> Fields:
    return [(b"strict-transport-security", b"max-age=%d" % _FOREVER)] if production else []


def document_fields(cors: Cors, *, production: bool) -> Fields:
    """Return the fields of everything that is no page: JSON, redirects, assets."""
    return [*_ALWAYS, *_DOCUMENT, *_CORS[cors], *_transport(production=production)]


def page_fields(page: Page, nonce: str, *, production: bool) -> Fields:
    """Return the fields of a page; ValueError where an origin it names is none."""
    policy = (b"content-security-policy", content_policy(page, nonce).encode("ascii"))
    return [policy, *_ALWAYS, *_PAGE, *_transport(production=production)]


def content_policy(page: Page, nonce: str) -> str:
    """Return the Content-Security-Policy (CSP level 3) of a page: nothing but what it brings, and the way its form may lead.

    `form-action` names the origin of the app the journey ends at, because Chromium holds every redirect after a form to it.
    """
    for origin in (*page.form_targets, *page.script_origins, *page.frame_origins):
        if not _TARGET.fullmatch(origin):
            raise ValueError(f"{origin!r} is neither an origin nor a scheme")
    origins = "".join(f" {origin}" for origin in page.script_origins)
    parts = [
        "default-src 'none'",
        f"style-src 'self' 'nonce-{nonce}'",
        f"script-src 'nonce-{nonce}'{origins}",
        f"connect-src 'self'{origins}",
        "img-src 'self' data:",
        "form-action 'self'" + "".join(f" {target}" for target in page.form_targets),
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
    if framed := (*page.script_origins, *page.frame_origins):
        parts.append(f"frame-src {' '.join(framed)}")
    return "; ".join(parts)


def framed_policy(script: str) -> str:
    """Return the policy of the one document that other sites may frame: nothing in it but this very script (CSP level 3, `hash-source`)."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"default-src 'none'; script-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors *"


def preflight_fields(cors: Cors, method: str) -> Fields:
    """Return the answer to a preflight (Fetch, CORS protocol); nothing where no other origin may call."""
    if cors is Cors.NEVER:
        return []
    return [
        (b"access-control-allow-origin", b"*"),
        (b"access-control-allow-methods", method.encode("ascii")),
        (b"access-control-allow-headers", b"Authorization, Content-Type, DPoP"),
        (b"access-control-max-age", b"7200"),
    ]
