"""Takes a request's body: bounded in size and time, of the media type asked for, decoded strictly."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from limen.platform.http.errors import ClientGone, TooLarge, TooSlow, WrongMedia

if TYPE_CHECKING:
    from limen.platform.http.plan import Plan

Receive = Callable[[], Awaitable[Any]]
"""ASGI's receive; its messages are mappings of any values."""

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
        raise TooLarge(f"more than {plan.limit} octets", headers=(("connection", "close"),))
    if b"content-encoding" in headers:
        raise WrongMedia("The body has to come uncompressed.")
    content_type = headers.get(b"content-type")
    if not plan.media or content_type in plan.media:
        return
    if content_type is None and (length is None or length == b"0") and b"transfer-encoding" not in headers:
        return  # an empty body is of no type: a form without fields
    if content_type is None or media_of(content_type) not in plan.media:
        raise WrongMedia(f"The body has to be {plan.endpoint.media_taken[0]}.")


class Bodies:
    """Reads bodies, and gives up on those that do not come in time. One look every few seconds at all that wait costs a request next to nothing."""

    __slots__ = ("_late", "_looking", "_patience", "_since")

    def __init__(self, patience: float) -> None:
        """`patience` in seconds."""
        self._patience = patience
        self._since: dict[asyncio.Task[object], float] = {}
        self._late: set[asyncio.Task[object]] = set()
        self._looking = False

    async def octets(self, limit: int, receive: Receive) -> bytes:
        """Return the whole body. TooLarge as soon as it passes the limit, TooSlow when it dawdles, ClientGone when nobody is there any more."""
        task = asyncio.current_task()
        if task is None:
            return await _octets(limit, receive)
        self._since[task] = monotonic()
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_later(self._patience / 4, self._look)
        try:
            return await _octets(limit, receive)
        except asyncio.CancelledError:
            if task not in self._late:
                raise
            task.uncancel()
            raise TooSlow(f"the body did not come within {self._patience:.0f} seconds", headers=(("connection", "close"),)) from None
        finally:
            del self._since[task]
            if self._late:
                self._late.discard(task)

    def _look(self) -> None:
        now = monotonic()
        for task, since in self._since.items():
            if now - since > self._patience:
                self._late.add(task)
                task.cancel()
        self._looking = bool(self._since)
        if self._looking:
            asyncio.get_running_loop().call_later(self._patience / 4, self._look)


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
