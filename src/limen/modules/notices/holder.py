"""The privacy duty of notices: nothing is kept about an account.

A message lives sealed in the outbox until it has left; the counters know an address by its blind index alone, for an hour. A dead letter
goes after 30 days, or when its epoch key is destroyed.
"""

from __future__ import annotations

from typing import Final

from limen.kernel.ids import AccountId
from limen.platform.duties import Done, ExportPage, Forgotten
from limen.platform.sql import Reader, Work


class _Notices:
    name: Final = "notices"

    async def export(self, read: Reader, account: AccountId, after: str | None) -> ExportPage:
        del read, account, after
        return ExportPage(())

    async def forget(self, work: Work, account: AccountId) -> Forgotten:
        del work, account
        return Done()


HOLDER: Final = _Notices()
