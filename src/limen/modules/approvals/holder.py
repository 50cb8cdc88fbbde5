"""The privacy duty of approvals."""

from __future__ import annotations

from typing import Final

from limen.kernel.ids import AccountId
from limen.modules import keys
from limen.modules.approvals import store
from limen.platform.duties import Done, ExportPage, Forgotten, Holder
from limen.platform.sql import Reader, Work

_PAGE: Final = 200


class _Approvals:
    """Holds what a person was asked, and what she answered."""

    name = "approvals"

    async def export(self, read: Reader, account: AccountId, after: str | None) -> ExportPage:
        """Return each question with its answer, the latest first."""
        found = await store.list_of(read, account, after or "", _PAGE)
        if not found:
            return ExportPage(())
        box = await keys.subject_box(read, account)
        records = []
        for approval, sealed in found:
            question = store.opened(read, approval.id, sealed, box)
            records.append(
                {
                    "app": approval.client,
                    "scopes": " ".join(question.scopes),
                    "details": "; ".join(question.details),
                    "message": question.message,
                    "asked": approval.asked.isoformat(),
                    "answer": approval.standing(read.now).value,
                    "answered": approval.answered.isoformat() if approval.answered else None,
                }
            )
        return ExportPage(records, found[-1][0].id if len(found) == _PAGE else None)

    async def forget(self, work: Work, account: AccountId) -> Forgotten:
        """Delete the account's questions."""
        await store.drop_of(work, account)
        return Done()


HOLDER: Final[Holder[Reader, Work]] = _Approvals()
