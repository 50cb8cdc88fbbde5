"""Bringing secrets that clients sign with under the tenant's next key."""

from __future__ import annotations

from typing import Final

from limen.modules import keys
from limen.modules.clients import store
from limen.modules.clients.model import SECRETS
from limen.platform.sql import Work

_AT_ONCE: Final = 100


async def _reseal(work: Work, after: str) -> keys.Page:
    box, found, changed = await keys.tenant_box(work, SECRETS), await store.sealed(work, after, _AT_ONCE), 0
    for client, sealed in found:
        place = store.secret_place(work, client)
        if not box.is_current(sealed):
            await store.reseal(work, client, box.seal(box.open(sealed, place), place))
            changed += 1
    return keys.Page(changed, found[-1][0] if len(found) == _AT_ONCE else None)


KEPT: Final[keys.Keeping] = {SECRETS: _reseal}
