"""The privacy duty of claims."""

from __future__ import annotations

from typing import Final

from limen.kernel.ids import AccountId
from limen.modules.claims import store
from limen.modules.claims.service import subjects
from limen.platform.duties import Done, ExportPage, Forgotten, Holder
from limen.platform.sql import Reader, Work

_PAGE: Final = 300


class _Claims:
    """Holds by which names sectors know a person."""

    name = "claims"

    async def export(self, read: Reader, account: AccountId, after: str | None) -> ExportPage:
        """Return each sector with the `sub` it knows her by; a position is a sector."""
        found = await store.all_of(read, account, after or "", _PAGE)
        records = [{"sector": sector, "sub": sub, "made": made} for sector, sub, made in found]
        return ExportPage(records, found[-1][0] if len(found) == _PAGE else None)

    async def forget(self, work: Work, account: AccountId) -> Forgotten:
        """Delete them."""
        await subjects.forget(work, account)
        return Done()


HOLDER: Final[Holder[Reader, Work]] = _Claims()
"""Found by the composition root."""
