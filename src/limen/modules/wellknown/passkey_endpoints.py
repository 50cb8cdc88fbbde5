"""A Well-Known URL for Relying Party Passkey Endpoints (W3C): where a person adds a passkey, and where she looks after hers."""

from __future__ import annotations

from typing import Final

import msgspec

from limen.platform.http import PUBLIC, Answer, Call, Cors, Endpoint, Json, NoSuchPlace, kept_for_all
from limen.platform.pages import place_of


class PasskeyEndpoints(msgspec.Struct, frozen=True):
    """Addresses of pages that are there; with none there is no document."""

    enroll: str
    manage: str


async def _show(call: Call) -> Answer:
    path = place_of("passkeys")
    if path is None:
        raise NoSuchPlace
    page = call.url(path)
    return Json(PasskeyEndpoints(page, page), headers=kept_for_all(call))


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/.well-known/passkey-endpoints",
        who=PUBLIC,
        call=_show,
        gives=PasskeyEndpoints,
        summary="Say where passkeys are added and looked after",
        cors=Cors.METADATA,
        refusals=(NoSuchPlace,),
    ),
)
