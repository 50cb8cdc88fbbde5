"""Pages that everyone needs: a plain message, the error pages, and the form that carries an answer to an app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from limen.platform.pages.model import Message, Page, _m


@dataclass(frozen=True, slots=True)
class Action:
    """A way on: a link to a path of the tenant (`/signin`), or a button that posts `action=<value>` there."""

    label: str
    path: str
    post: str = ""
    """The value of `action`; empty makes a link."""
    primary: bool = True


def message_page(title: str | Message, text: str | Message, *actions: Action, kind: str = "", status: int = 200) -> Page:
    """Return a page that says one thing and what to do next. `kind`: "", `success`, `info` or `warning` shows a mark above the title."""
    return Page(template="pages/message.html", title=title, status=status, values={"text": text, "actions": actions, "kind": kind})


_ERRORS: Final[dict[int, tuple[str, str]]] = {
    400: (_m("That request cannot be read"), _m("Something in the address or the form is not as it should be. Go back to where you came from and try again.")),
    403: (_m("This page is not open to you"), _m("You may be signed in with another account, or the page was open for too long. Go back and try again.")),
    404: (_m("There is no such page"), _m("The address may be mistyped or the page may have moved. Check the address, or start from the beginning.")),
    405: (_m("That does not work here"), _m("This address cannot be used in this way. Start from the beginning.")),
    413: (_m("That is too large"), _m("What was sent is larger than this page takes. Go back and send less.")),
    421: (_m("This address is not ours"), _m("This server does not answer for that name. Check the address you opened.")),
    429: (_m("Too many tries"), _m("To keep accounts safe, this has to rest for a while. Nothing is lost.")),
    500: (_m("Something went wrong on our side"), _m("It is not your fault. Please try again in a moment. If it happens again, tell us when it happened.")),
    503: (_m("We cannot do this right now"), _m("The service is busy or being looked after. Nothing is lost. Please try again in a moment.")),
}


def error_page(status: int, *, text: str | Message | None = None, retry_after: int | None = None, reference: str = "", home: str = "") -> Page:
    """Return the page for an HTTP status. `text` replaces the explanation; `reference` is what support can find the case by; `home` the way on."""
    title, usual = _ERRORS.get(status) or _ERRORS[500 if status >= 500 else 400]  # noqa: PLR2004 - HTTP's classes of status
    values = {"text": text or usual, "retry_after": retry_after, "reference": reference, "home": home}
    return Page(template="pages/error.html", title=title, status=status, values=values, retry_after=retry_after)


def form_post_page(target: str, fields: Mapping[str, str]) -> Page:
    """Return the page that posts an answer to `target` (OAuth 2.0 Form Post Response Mode), by script or by its button."""
    parts = urlsplit(target)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
    values = {"target": target, "fields": tuple(fields.items())}
    return Page(template="pages/form_post.html", title=_m("Back to the app"), values=values, form_targets=(origin,))
