"""The privacy duty of accounts."""

from __future__ import annotations

from typing import Final

from limen.kernel.ids import AccountId
from limen.modules.accounts import service, store
from limen.modules.accounts.model import AccountState
from limen.platform.duties import Done, ExportPage, Forgotten, Holder
from limen.platform.sql import Reader, Work


class _Accounts:
    """Holds how somebody is found."""

    name = "accounts"

    async def export(self, read: Reader, account: AccountId, after: str | None) -> ExportPage:
        """Return the account's state and its identifiers; there are few, so one page does."""
        del after
        held = await service.find(read, account)
        if held is None:
            return ExportPage(())
        own = await service.identifiers(read, account)
        return ExportPage(
            (
                {"account": held.id, "state": held.state.value, "created": held.created.isoformat()},
                *({"kind": one.kind, "value": one.value, "verified_at": one.verified_at.isoformat()} for one in own),
            )
        )

    async def forget(self, work: Work, account: AccountId) -> Forgotten:
        """Close the account and free its identifiers. The row stays, without anything personal, so that the log's ids lead somewhere."""
        held = await service.find(work, account)
        if held is not None and held.state is not AccountState.CLOSED:
            await service.close(work, account, "forgotten")
        await store.drop_all(work, account)
        return Done()


HOLDER: Final[Holder[Reader, Work]] = _Accounts()
