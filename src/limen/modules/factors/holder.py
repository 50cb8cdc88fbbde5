"""The privacy duty of factors."""

from __future__ import annotations

from typing import Final

from limen.kernel.ids import AccountId
from limen.modules.factors import store
from limen.platform.duties import Done, ExportPage, Forgotten, Holder
from limen.platform.sql import Reader, Work


class _Factors:
    """Holds what a person proves herself with: secrets that nobody reads, and when they were made and used."""

    name = "factors"

    async def export(self, read: Reader, account: AccountId, after: str | None) -> ExportPage:
        """Return kinds and dates; a secret is never handed out."""
        del after
        found = await store.all_of(read, account)
        return ExportPage(
            [
                {"factor": one.id, "kind": one.kind, "created": one.created.isoformat(), "last_used": one.last_used.isoformat() if one.last_used else None}
                for one in found
            ]
        )

    async def forget(self, work: Work, account: AccountId) -> Forgotten:
        """Delete the account's factors and counters."""
        await store.drop_of(work, account)
        return Done()


HOLDER: Final[Holder[Reader, Work]] = _Factors()
