"""Turns an answer into status, header fields and octets."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import quote

import msgspec

from limen.kernel import secrets
from limen.kernel.secrets import Secret
from limen.platform.http.answers import Answer, FormPost, Headers, Json, Raw, SeeOther, SetCookie
from limen.platform.http.call import LANGUAGE
from limen.platform.http.cookies import header_of
from limen.platform.http.policy import Fields, page_fields
from limen.platform.pages import Cookie, Look, Page, form_post_page, render

if TYPE_CHECKING:
    from limen.platform.http.call import Call
    from limen.platform.http.plan import Plan

Response: TypeAlias = tuple[int, Fields, bytes]
"""Status, header fields, body."""

_encode: Final = msgspec.json.Encoder().encode
_NOT_AT_ALL: Final = re.compile(rb"q=0(?:\.0{0,3})?")
_TEXTUAL: Final = re.compile(r"text/|application/(?:json|javascript|[a-z.-]+\+json|xml)|image/svg")
_WORTH: Final = 600
_KEPT: Final = 65_536
_YEAR: Final = 31_536_000
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f]")
_ADDRESS: Final = "!#$%&'()*+,/:;=?@[]~"
_NO_STORE: Final = (b"cache-control", b"no-store")
_VARY: Final = (b"vary", b"accept-encoding")
_BODILESS: Final = frozenset({204, 304})


def respond(plan: Plan, call: Call, answer: Answer) -> Response:
    """Return the response to one call. ValueError where an endpoint's own header fields are none."""
    if isinstance(answer, Json):
        body = _encode(answer.value)
        fields = plan.json
        if not (answer.headers or answer.cookies or plan.packs or call.binds):
            return answer.status, [*fields, (b"content-length", b"%d" % len(body))], body
        if answer.headers:
            fields = _merged(fields, _own(answer.headers))
        if plan.packs and len(body) > _WORTH:
            fields, body = _packed(call, fields, body, kept=False)
        return answer.status, _closed(call, fields, body, answer.cookies), body
    if isinstance(answer, SeeOther):
        fields = _merged([(b"location", _location(call, answer.location)), _NO_STORE, *plan.document], _own(answer.headers))
        return 303, _closed(call, fields, b"", answer.cookies), b""
    if isinstance(answer, Raw):
        return _raw(plan, call, answer)
    page = form_post_page(answer.target, answer.fields) if isinstance(answer, FormPost) else answer
    return _page(call, page, answer.cookies)


def _raw(plan: Plan, call: Call, answer: Raw) -> Response:
    if answer.status in _BODILESS:
        return answer.status, _with_cookies(call, _merged(plan.document, _own(answer.headers)), answer.cookies), b""
    fields = _merged([(b"content-type", answer.media_type.encode("ascii")), _NO_STORE, *plan.document], _own(answer.headers))
    body = answer.body
    if answer.packed is not None:
        fields = [*fields, _VARY]
        if _takes_gzip(call):
            fields, body = [*fields, (b"content-encoding", b"gzip")], answer.packed
    elif plan.packs and len(body) > _WORTH and _TEXTUAL.match(answer.media_type):
        fields, body = _packed(call, fields, body, kept=len(body) <= _KEPT)
    return answer.status, _closed(call, fields, body, answer.cookies), body


def _page(call: Call, page: Page, cookies: Iterable[Cookie]) -> Response:
    call.nonce = secrets.token(count=16)
    look = look_of(call)
    html = render(page, look)
    own: Fields = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"cache-control", b"no-store" if page.personal or look.csrf in html else b"no-cache"),
        (b"content-language", look.language.encode("ascii")),
        *page_fields(page, call.nonce, production=call.house.production),
    ]
    if page.retry_after is not None:
        own.append((b"retry-after", b"%d" % page.retry_after))
    if look.csrf in html:
        call.browser.asked = True
    fields, body = _packed(call, own, html.encode(), kept=False)
    return page.status, _closed(call, fields, body, (*cookies, *_language(call))), body


def look_of(call: Call) -> Look:
    """Return for whom a page of this call is drawn."""
    return Look(
        brand=call.site.brand,
        language=call.language,
        languages=call.site.languages,
        nonce=call.nonce,
        csrf=call.browser.csrf(),
        path=call.path,
        keep=_kept(call),
        prefix=call.site.prefix,
    )


def _kept(call: Call) -> tuple[tuple[str, str], ...]:
    """Return the query, for links that stay on the page: what cannot be read is not kept."""
    try:
        return call.query.items()
    except Exception:  # noqa: BLE001 - the page at hand may be the one that says so
        return ()


def _language(call: Call) -> tuple[SetCookie, ...]:
    """Remember the language a person chose by a link."""
    if call.method == "GET" and any(name == "ui_locales" for name, _ in _kept(call)):
        return (SetCookie(LANGUAGE, Secret(call.language), _YEAR),)
    return ()


@lru_cache(maxsize=256)
def _own(headers: Headers) -> Fields:
    fields = []
    for name, value in headers:
        lower = name.lower()
        if _UNFIT.search(value) or _UNFIT.search(name) or lower in ("set-cookie", "content-length", "transfer-encoding"):
            raise ValueError(f"the header field {name!r} cannot be set so")
        fields.append((lower.encode("ascii"), value.encode("latin-1")))
    return fields


def _merged(fields: Fields, own: Fields) -> Fields:
    """Return the fields with `own` in place of those of the same names."""
    if not own:
        return fields
    names = {name for name, _ in own}
    return [*(field for field in fields if field[0] not in names), *own]


def _location(call: Call, location: str) -> bytes:
    if _UNFIT.search(location):
        raise ValueError("a redirect with control characters in it")
    address = call.site.issuer + location if location.startswith("/") else location
    return (address if address.isascii() and " " not in address else quote(address, safe=_ADDRESS)).encode("ascii")


def _closed(call: Call, fields: Fields, body: bytes, cookies: Iterable[Cookie]) -> Fields:
    return [*_with_cookies(call, fields, cookies), (b"content-length", b"%d" % len(body))]


def _with_cookies(call: Call, fields: Fields, cookies: Iterable[Cookie]) -> Fields:
    """Add Set-Cookie fields: the answer's, and the browser's own where the call relied on it."""
    made = [(b"set-cookie", header_of(cookie, call.place)) for cookie in cookies]
    if call.binds:
        made.append((b"set-cookie", header_of(call.browser.cookie(), call.place)))
    return [*fields, *made] if made else fields


def _takes_gzip(call: Call) -> bool:
    """Whether the client said so (RFC 9110, section 12.5.3); `*` alone is nobody's way to ask for it."""
    for item in call.raw_headers.get(b"accept-encoding", b"").split(b","):
        coding, _, weight = item.partition(b";")
        if coding.strip().lower() == b"gzip":
            return _NOT_AT_ALL.fullmatch(weight.strip().lower()) is None
    return False


def _packed(call: Call, fields: Fields, body: bytes, *, kept: bool) -> tuple[Fields, bytes]:
    fields = [*fields, _VARY]
    if not _takes_gzip(call):
        return fields, body
    return [*fields, (b"content-encoding", b"gzip")], _pack_and_keep(body) if kept else _pack(body)


def _pack(body: bytes) -> bytes:
    deflate = zlib.compressobj(6, zlib.DEFLATED, 31)
    return deflate.compress(body) + deflate.flush()


_pack_and_keep = lru_cache(maxsize=64)(_pack)
