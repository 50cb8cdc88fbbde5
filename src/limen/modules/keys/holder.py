"""The privacy duty of keys. Run it last: what other holders cannot delete at once dies with the key."""

from __future__ import annotations

from typing import Final

from limen.kernel.ids import AccountId
from limen.modules.keys.service import subject
from limen.platform.duties import Done, ExportPage, Forgotten, Holder
from limen.platform.sql import Reader, Work


class _Keys:
    """Holds the key under which everything about a person is sealed; there is nothing to read in it."""

    name = "keys"

    async def export(self, read: Reader, account: AccountId, after: str | None) -> ExportPage:
        """Return nothing: a key says nothing about a person."""
        del read, account, after
        return ExportPage(())

    async def forget(self, work: Work, account: AccountId) -> Forgotten:
        """Destroy the person's key."""
        await subject.forget_subject(work, account)
        return Done()


HOLDER: Final[Holder[Reader, Work]] = _Keys()
