"""The privacy duty of sessions."""

from __future__ import annotations

from typing import Final

from limen.kernel.ids import AccountId
from limen.modules import keys
from limen.modules.sessions import store
from limen.platform.duties import Done, ExportPage, Forgotten, Holder, More
from limen.platform.sql import Reader, Work

_PAGE: Final = 200


class _Sessions:
    """Holds where and when a person was signed in."""

    name = "sessions"

    async def export(self, read: Reader, account: AccountId, after: str | None) -> ExportPage:
        """Return when and where the person was signed in."""
        found = await store.all_of(read, account, after or "", _PAGE)
        if not found:
            return ExportPage(())
        box = await keys.subject_box(read, account)
        records = []
        for kept in found:
            place = store.unsealed(read, box, kept)
            session = kept.session
            records.append(
                {
                    "session": session.id,
                    "signed_in": session.auth_time.isoformat(),
                    "opened": session.created.isoformat(),
                    "last_seen": session.last_seen.isoformat(),
                    "methods": " ".join(session.amr),
                    "address": place.address,
                    "user_agent": place.user_agent,
                }
            )
        return ExportPage(records, found[-1].session.id if len(found) == _PAGE else None)

    async def forget(self, work: Work, account: AccountId) -> Forgotten:
        """Delete the account's sessions."""
        return More() if await store.drop_of(work, account, _PAGE) == _PAGE else Done()


HOLDER: Final[Holder[Reader, Work]] = _Sessions()
