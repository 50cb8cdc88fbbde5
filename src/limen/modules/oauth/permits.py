"""What every permit of the door has alike, however the person was asked: the name by which the app knows her, beside what the request brought."""

from __future__ import annotations

from typing import Final

import msgspec

from limen.kernel.ids import AccountId
from limen.modules import claims, tenants
from limen.modules.clients import Client
from limen.modules.grants import Extra
from limen.modules.oauth import details
from limen.platform.sql import Work

_NOTHING: Final = Extra()


async def extra_of(work: Work, client: Client, account: AccountId, brought: Extra = _NOTHING) -> Extra | None:
    """Return what a permit has beyond the usual; None where that is nothing, as of most. A pairwise subject is made when first asked for."""
    if brought.details:
        brought = msgspec.structs.replace(brought, said=details.said(brought.details, await tenants.find(work), client))
    subject = await claims.subject(work, account, client)
    whole = brought if subject == account else msgspec.structs.replace(brought, subject=subject)
    return None if whole == _NOTHING else whole
