"""The privacy duty of consents."""

from __future__ import annotations

from typing import Final

from limen.kernel.ids import AccountId
from limen.modules.consents import store
from limen.platform.duties import Done, ExportPage, Forgotten, Holder
from limen.platform.sql import Reader, Work

_PAGE: Final = 300


class _Consents:
    """Holds what a person let apps have, and the terms she agreed to."""

    name = "consents"

    async def export(self, read: Reader, account: AccountId, after: str | None) -> ExportPage:
        """Return each app and scope with its instants; a position is `client scope`, neither of which holds a space."""
        client, _, scope = (after or "").partition(" ")
        found = await store.all_of(read, account, (client, scope), _PAGE)
        records = [
            {
                "app": one.client,
                "scope": one.scope,
                "given": one.given_at.isoformat(),
                "asked": not one.implied,
                "withdrawn": one.withdrawn_at.isoformat() if one.withdrawn_at else None,
            }
            for one in found
        ]
        if after is None:
            records += [{"terms": one.version, "agreed": one.at.isoformat()} for one in await store.accepted(read, account, _PAGE)]
        return ExportPage(records, f"{found[-1].client} {found[-1].scope}" if len(found) == _PAGE else None)

    async def forget(self, work: Work, account: AccountId) -> Forgotten:
        """Delete the account's consents, to terms too."""
        await store.drop_of(work, account)
        return Done()


HOLDER: Final[Holder[Reader, Work]] = _Consents()
