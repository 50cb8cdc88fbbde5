"""What approvals do when all sessions of a person are ended: nothing is done any more in the name of a yes from one of them."""

from __future__ import annotations

from typing import Final

from limen.kernel.facts import Fact
from limen.modules.approvals import store
from limen.modules.approvals.facts import ApprovalsCleared
from limen.platform.sql import Reaction, Work


async def _all_sessions_ended(work: Work, fact: Fact) -> None:
    if fact.subject is not None and (cleared := await store.clear(work, fact.subject)):
        work.record(ApprovalsCleared(subject=fact.subject, count=cleared))


REACTIONS: Final[dict[str, Reaction]] = {"sessions.all_ended": _all_sessions_ended}
