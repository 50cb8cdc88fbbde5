"""The privacy duty of grants."""

from __future__ import annotations

from typing import Final

from limen.kernel.ids import AccountId
from limen.modules.grants.store import codes, grants, tokens
from limen.platform.duties import Done, ExportPage, Forgotten, Holder
from limen.platform.sql import Reader, Work

_PAGE: Final = 200


class _Grants:
    """Holds which apps had tokens, and when."""

    name = "grants"

    async def export(self, read: Reader, account: AccountId, after: str | None) -> ExportPage:
        """Return each grant: app, scopes, from when to when."""
        found = await grants.all_of(read, account, after or "", _PAGE)
        records = [
            {
                "app": one.permit.client,
                "scopes": " ".join(one.permit.scopes),
                "granted": one.created.isoformat(),
                "last_used": one.last_used.isoformat(),
                "ended": one.ended_at.isoformat() if one.ended_at else None,
            }
            for one in found
        ]
        return ExportPage(records, found[-1].id if len(found) == _PAGE else None)

    async def forget(self, work: Work, account: AccountId) -> Forgotten:
        """Delete the account's codes, tokens and grants."""
        await codes.drop_of(work, account)
        await tokens.drop_of(work, account)
        await grants.drop_of(work, account)
        return Done()


HOLDER: Final[Holder[Reader, Work]] = _Grants()
