"""The gallery: real-looking pages made of every part, behind the headers that pages have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

from limen.kernel import secrets
from limen.platform import pages
from limen.platform.pages import Action, Brand, Card, FooterLink, Languages, Look, Message, Page, _m, counted

pages.register("gallery", Path(__file__).parent)

NOW: Final = datetime(2026, 3, 3, 14, 5, tzinfo=UTC)
OFFERED: Final = ("en", "de", "ar")
LOGO: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Ccircle cx='16' cy='16' r='15' fill='%23e8590c'/%3E"
    "%3Cpath d='M16 7v18M9 14l7-7 7 7' stroke='%23fff' stroke-width='3' fill='none'/%3E%3C/svg%3E"
)
BRANDS: Final = {
    "lumen": Brand("Lumen", "#3b5bdb", links=(FooterLink("Privacy", "https://lumen.example/privacy"), FooterLink("Terms", "https://lumen.example/terms"))),
    "sun": Brand("Sonnenschein & Töchter", "#ffd400", radius=2),
    "ink": Brand("Ink", "#111111", radius=20),
    "logo": Brand("Arrow", "#e8590c", logo=LOGO),
}
_CARDS: Final = (
    Card("/account", _m("Profile"), 1, _m("Your name, address and language.")),
    Card("/account/security", _m("Security"), 2, _m("Password, passkeys and devices.")),
    Card("/account/apps", _m("Apps"), 3, _m("What you have allowed.")),
)
_PASSWORD: Final = counted("Use at least {count} character.", "Use at least {count} characters.", 15)
PAGES: Final[dict[str, Page]] = {
    "signin": Page(template="gallery/signin.html", title=_m("Sign in"), values={"identifier": ""}),
    "signin-wrong": Page(
        template="gallery/signin.html",
        title=_m("Sign in"),
        values={"identifier": "maryam.alami@", "errors": {"identifier": _m("Enter an e-mail address, such as name@example.com.")}},
    ),
    "password": Page(template="gallery/password.html", title=_m("Enter your password"), values={}),
    "password-wrong": Page(
        template="gallery/password.html",
        title=_m("Enter your password"),
        values={"errors": {"password": _m("That is not the password of this account. Try again, or have a code sent.")}},
    ),
    "code": Page(template="gallery/code.html", title=_m("Check your e-mail"), values={"remarks": (_m("A new code is on its way."),)}),
    "signup": Page(template="gallery/signup.html", title=_m("Your details")),
    "signup-wrong": Page(
        template="gallery/signup.html",
        title=_m("Your details"),
        values={
            "errors": {
                "family_name": _m("Enter your last name."),
                "password": _PASSWORD,
                "news": _m("Choose one."),
                "terms": _m("Accept the terms to go on."),
                "": _m("Nothing was saved yet."),
            }
        },
    ),
    "consent": Page(template="gallery/consent.html", title=Message(_m("Allow {app} to use your account?"), {"app": "Lumen Shop"})),
    "account": Page(template="gallery/account.html", title=_m("Your account"), values={"cards": _CARDS, "since": NOW, "now": NOW + timedelta(minutes=5)}),
    "notices": Page(template="gallery/notices.html", title=_m("Sign out everywhere?")),
    "done": pages.message_page(
        _m("You are signed out"),
        _m("You can close this page now, or sign in again."),
        Action(_m("Sign in"), "/signin"),
        Action(_m("Back"), "/account", primary=False),
        kind="success",
    ),
    **{f"error-{status}": pages.error_page(status) for status in (400, 403, 404, 405, 413, 421, 500)},
    "error-429": pages.error_page(429, retry_after=600),
    "error-503": pages.error_page(503, retry_after=20, reference="req_01jd4k2m", home="/"),
    "form-post": pages.form_post_page("https://app.example/cb", {"code": 'a"><b>', "state": "s"}),
}

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def look_for(query: dict[str, list[str]], path: str, accept_language: str = "") -> Look:
    """Return the look a request asks for by `brand` and `ui_locales`."""
    brand = query.get("brand", ["lumen"])[0]
    language = Languages(OFFERED).choose(ui_locales=query.get("ui_locales", [""])[0], accept_language=accept_language)
    keep = (("brand", brand),)
    return Look(brand=BRANDS[brand], language=language, languages=OFFERED, nonce=secrets.token(count=12), csrf=secrets.token(), path=path, keep=keep)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve `/<page>?brand=&ui_locales=` and the style sheet."""
    if scope["type"] != "http":
        return
    await receive()
    path = scope["path"]
    if path == pages.stylesheet().path:
        await _answer(send, 200, pages.stylesheet().body, pages.stylesheet().media_type, "")
        return
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    query = parse_qs(scope["query_string"].decode())
    look = look_for(query, path, headers.get("accept-language", ""))
    page = PAGES.get(path[1:]) or pages.error_page(404)
    targets = " ".join(("'self'", *page.form_targets))
    policy = (
        f"default-src 'none'; style-src 'self' 'nonce-{look.nonce}'; script-src 'nonce-{look.nonce}'; img-src 'self' data:;"
        f" form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    )
    await _answer(send, page.status, pages.render(page, look).encode(), "text/html; charset=utf-8", policy)


async def _answer(send: Send, status: int, body: bytes, media_type: str, policy: str) -> None:
    headers = [(b"content-type", media_type.encode()), (b"content-security-policy", policy.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
