"""What accounts do when keys change."""

from __future__ import annotations

from typing import Final

from limen.modules import keys
from limen.modules.accounts.jobs import REINDEX, Reindex
from limen.platform.outbox import enqueue
from limen.platform.sql import Reaction, Work


async def _rotated(work: Work, fact: keys.TenantKeyRotated) -> None:
    if fact.use == keys.Use.INDEX.value:
        await enqueue(work, REINDEX, Reindex(fact.key), key=fact.key)


REACTIONS: Final[dict[str, Reaction]] = {keys.TenantKeyRotated.name: _rotated}
