"""What sessions do when accounts change."""

from __future__ import annotations

from typing import Final

from limen.kernel.facts import Fact
from limen.modules.sessions import service
from limen.modules.sessions.model import EndReason
from limen.platform.sql import Reaction, Work


async def _suspended(work: Work, fact: Fact) -> None:
    if fact.subject is not None:
        await service.end_all(work, fact.subject, EndReason.SUSPENDED)


async def _closed(work: Work, fact: Fact) -> None:
    if fact.subject is not None:
        await service.end_all(work, fact.subject, EndReason.CLOSED)


REACTIONS: Final[dict[str, Reaction]] = {
    "accounts.account_suspended": _suspended,
    "accounts.account_closed": _closed,
}
