"""Where a browser has to go when its session ends by its own sign-out: doors may have something to tell other sites through it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final, TypeAlias

from limen.kernel.ids import SessionId

if TYPE_CHECKING:
    from limen.platform.http.call import Call
    from limen.platform.sql import Work

Farewell: TypeAlias = "Callable[[Call, Work, SessionId, str], Awaitable[str]]"
"""Takes a session that has just ended and where the browser is to go; returns where it goes first, which is the same where nothing is to tell.

Both are paths of the tenant or checked addresses, as `SeeOther` takes them.
"""

_FAREWELLS: Final[list[Farewell]] = []


def install_farewells(found: Iterable[Farewell]) -> None:
    """Take what doors have to say; called at start-up, before the first request."""
    _FAREWELLS[:] = found


async def way_out(call: Call, work: Work, session: SessionId, then: str) -> str:
    """Return where the browser goes whose session this Work ended, and at last to `then`."""
    for farewell in _FAREWELLS:
        then = await farewell(call, work, session, then)
    return then
