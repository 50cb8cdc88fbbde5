"""Takes a request's body: bounded in size and time, of the media type asked for, decoded strictly."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from limen.platform.http.errors import ClientGone, TooLarge, TooSlow, WrongMedia
from limen.platform.wire import bodies, forms

if TYPE_CHECKING:
    from limen.platform.http.plan import Plan

Receive = Callable[[], Awaitable[Any]]
"""ASGI's receive; its messages are mappings of any values."""

_PATIENCE: Final = 15.0
_CHARSET: Final = re.compile(rb'\s*;\s*charset="?utf-8"?\s*', re.IGNORECASE)


def media_of(content_type: bytes) -> bytes:
    """Return the media type in lower case; BadRequest where its charset is not UTF-8."""
    media, semicolon, _ = content_type.partition(b";")
    if semicolon and b"charset" in content_type.lower() and not _CHARSET.search(content_type):
        raise WrongMedia("The body has to be UTF-8.")
    return media.strip().lower()


def check_head(plan: Plan, headers: dict[bytes, bytes]) -> None:
    """Refuse by the header alone what need not be read."""
    length = headers.get(b"content-length")
    if length is not None and (len(length) > 12 or not length.isdigit() or int(length) > plan.limit):  # noqa: PLR2004 - longer than any body that fits
        raise TooLarge(f"more than {plan.limit} octets")
    if b"content-encoding" in headers:
        raise WrongMedia("The body has to come uncompressed.")
    content_type = headers.get(b"content-type")
    if not plan.media or content_type in plan.media:
        return
    if content_type is None and (length is None or length == b"0") and b"transfer-encoding" not in headers:
        return  # an empty body is of no type: a form without fields
    if content_type is None or media_of(content_type) not in plan.media:
        raise WrongMedia(f"The body has to be {plan.endpoint.media_taken[0]}.")


async def octets(plan: Plan, receive: Receive) -> bytes:
    """Return the whole body. TooLarge as soon as it passes the limit, TooSlow when it dawdles, ClientGone when nobody is there any more."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    late = False

    def give_up() -> None:
        nonlocal late
        late = True
        if task is not None:
            task.cancel()

    timer = loop.call_later(_PATIENCE, give_up)
    try:
        return await _octets(plan.limit, receive)
    except asyncio.CancelledError:
        if not late:
            raise
        if task is not None:
            task.uncancel()
        raise TooSlow(f"the body did not come within {_PATIENCE:.0f} seconds", headers=(("connection", "close"),)) from None
    finally:
        timer.cancel()


async def _octets(limit: int, receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if len(body) <= limit and not message.get("more_body") and message["type"] == "http.request":
        return body
    pieces, size = [body], len(body)
    while True:
        if message["type"] == "http.disconnect":
            raise ClientGone
        if size > limit:
            raise TooLarge(f"more than {limit} octets", headers=(("connection", "close"),))
        if not message.get("more_body"):
            return b"".join(pieces)
        message = await receive()
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])


def form_of(plan: Plan, body: bytes) -> forms.Form:
    """Return the body as a form."""
    return forms.read(body, repeatable=plan.repeatable, limit=plan.limit)


def struct_of(plan: Plan, body: bytes) -> object:
    """Return a JSON body as the Struct the endpoint takes; an empty one is an object without members."""
    return None if plan.struct is None else bodies.read(body or b"{}", plan.struct, limit=plan.limit)
