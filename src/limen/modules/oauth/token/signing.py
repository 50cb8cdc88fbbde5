"""Signing what is durable, several in a row.

Requests whose facts went to disk together wake together. A signature between two stretches of Python finds the processor's caches cold and
leaves them cold: twenty microseconds a token that signing one after the other saves. Alone, a token waits for one turn of the loop.
"""

from __future__ import annotations

import asyncio
from typing import Final

from limen.modules.oauth.access_token import raw
from limen.modules.oauth.ground import Press
from limen.modules.oauth.id_token import signed as signed_identity
from limen.modules.oauth.model import TokenBody
from limen.modules.oauth.possession import token_type
from limen.modules.oauth.token.port import Given

_IN_A_ROW: Final = 32
"""At a millisecond the loop gets its turn."""


async def signed(press: Press, given: Given) -> TokenBody:
    """Return the answer to a token request."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[TokenBody] = loop.create_future()
    if not press.waiting:
        loop.call_soon(_sign, loop, press)
    press.waiting.append((given, ready))
    return await ready


def _sign(loop: asyncio.AbstractEventLoop, press: Press) -> None:
    row = press.waiting[:_IN_A_ROW]
    del press.waiting[:_IN_A_ROW]
    if press.waiting:
        loop.call_soon(_sign, loop, press)
    for given, ready in row:
        if ready.cancelled():
            continue
        try:
            ready.set_result(_body(press, given))
        except Exception as trouble:  # noqa: BLE001 - whoever waits for this one is told, the others get theirs
            ready.set_exception(trouble)


def _body(press: Press, given: Given) -> TokenBody:
    key = press.key
    return TokenBody(
        access_token=given.access.text(key),
        token_type=token_type(given.access.bound),
        expires_in=given.lifetime,
        scope=given.scope,
        refresh_token=given.refresh,
        id_token=signed_identity(press.id_key, given.identity) if given.identity is not None else None,
        authorization_details=raw(given.details),
        issued_token_type=given.kind,
    )
