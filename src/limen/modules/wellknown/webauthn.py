"""Related Origin Requests (Web Authentication Level 3, section 5.11): which other origins may use passkeys of this place."""

from __future__ import annotations

from typing import Final

import msgspec

from limen.modules import tenants
from limen.modules.wellknown.settings import Tenant
from limen.platform.http import PUBLIC, Answer, Call, Cors, Endpoint, Json, NoSuchPlace, kept_for_all


class RelatedOrigins(msgspec.Struct, frozen=True):
    """The document's one member."""

    origins: tuple[str, ...]


async def _show(call: Call) -> Answer:
    async with call.read() as reader:
        origins = (await tenants.settings(reader, Tenant.section, Tenant)).related_origins
    if not origins:
        raise NoSuchPlace
    return Json(RelatedOrigins(origins), headers=kept_for_all(call))


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/.well-known/webauthn",
        who=PUBLIC,
        call=_show,
        gives=RelatedOrigins,
        summary="Say at which other origins passkeys of this place work (Related Origin Requests)",
        cors=Cors.METADATA,
        refusals=(NoSuchPlace,),
    ),
)
