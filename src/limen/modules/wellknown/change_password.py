"""A Well-Known URL for Changing Passwords (W3C): password managers send people from here to the page that does it."""

from __future__ import annotations

from typing import Final

from limen.platform.http import PUBLIC, Answer, Call, Endpoint, NoSuchPlace, SeeOther
from limen.platform.pages import place_of


async def _lead(call: Call) -> Answer:
    del call
    path = place_of("change-password")
    if path is None:
        raise NoSuchPlace
    return SeeOther(path)


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/.well-known/change-password",
        who=PUBLIC,
        call=_lead,
        status=303,
        summary="Lead to the page where a password is changed",
        refusals=(NoSuchPlace,),
    ),
)
"""That an address nobody has answers 404 (section 2.2, the reliability of HTTP status codes) is the edge's doing."""
