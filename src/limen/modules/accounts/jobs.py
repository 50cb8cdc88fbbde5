"""Writing every identifier's index anew after the key of the blind index has rotated."""

from __future__ import annotations

from typing import Final

from limen.kernel.ids import AccountId
from limen.modules import keys
from limen.modules.accounts import service, store
from limen.modules.accounts.facts import IdentifierDropped
from limen.modules.accounts.model import IDENTIFIERS
from limen.modules.accounts.model.forms import kept
from limen.platform.sql import Work

_AT_ONCE: Final = 25


async def reindex(work: Work, after: str) -> keys.Page:
    """Bring the identifiers of a page of accounts under the current index key."""
    page = await service.list_of(work, after, _AT_ONCE)
    changed = await _reindex_some(work, [one.id for one in page])
    return keys.Page(changed, page[-1].id if len(page) == _AT_ONCE else None)


async def _reindex_some(work: Work, accounts: list[AccountId]) -> int:
    changed = 0
    held = {one.id: one for one in await store.identifiers(work, accounts)}
    for several in (await service.identifiers_of(work, accounts)).values():
        for one in several:
            blind = await keys.blind(work, IDENTIFIERS, one.kind, kept(one.kind, one.value))
            if blind != held[one.id].blind:
                await _bring(work, held[one.id], blind)
                changed += 1
    return changed


async def _bring(work: Work, row: store.Kept, blind: bytes) -> None:
    """Write an identifier's index anew.

    Two who proved one identifier in the second of the rotation, in processes of which one did not know of it yet, both have it: under one
    key each. Whoever was first keeps it.
    """
    twin = await store.held(work, row.kind, blind)
    if twin is not None:
        late = max(row, twin, key=lambda one: (one.verified_at, one.id))
        await store.drop(work, late.account, late.id)
        work.record(IdentifierDropped(subject=late.account, kind=late.kind, identifier=late.id))
        if late is row:
            return
    await store.reblind(work, row, blind)


KEPT: Final[keys.Keeping] = {IDENTIFIERS: reindex}
