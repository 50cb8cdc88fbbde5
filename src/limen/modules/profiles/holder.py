"""The privacy duty of profiles."""

from __future__ import annotations

from typing import Final

import msgspec

from limen.kernel.ids import AccountId
from limen.modules.profiles import service, store
from limen.platform.duties import Done, ExportPage, Forgotten, Holder, Plain
from limen.platform.sql import Reader, Work


class _Profiles:
    """Holds what a person told of herself."""

    name = "profiles"

    async def export(self, read: Reader, account: AccountId, after: str | None) -> ExportPage:
        """Return the profile as one record; members of the address have a dot in their name."""
        del after
        known: dict[str, Plain] = {}
        for name, value in msgspec.to_builtins(await service.read(read, account)).items():
            if isinstance(value, dict):
                known |= {f"{name}.{line}": one for line, one in value.items()}
            else:
                known[name] = value
        return ExportPage((known,) if known else ())

    async def forget(self, work: Work, account: AccountId) -> Forgotten:
        """Delete the profile."""
        await store.drop(work, account)
        return Done()


HOLDER: Final[Holder[Reader, Work]] = _Profiles()
