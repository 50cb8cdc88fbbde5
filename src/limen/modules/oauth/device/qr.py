"""The link to a device's code as a picture (RFC 8628, section 3.3.1), for devices that can show one and cannot draw it.

It says nothing that its address does not: a code is not looked up, so nobody learns whether it exists.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from limen.modules.oauth.device import model
from limen.modules.oauth.device.endpoint import PAGE
from limen.platform.http import PUBLIC, Answer, Call, Endpoint, NoSuchPlace, Raw
from limen.platform.pages import qr_code

PATH: Final = f"{PAGE}/qr"
_HEADERS: Final = (("cache-control", "public, max-age=600"),)


async def _draw(call: Call) -> Answer:
    code = model.read(call.query.text("user_code"))
    if not code:
        raise NoSuchPlace
    link = call.url(f"{PAGE}?{urlencode({'user_code': model.shown(code)})}")
    return Raw(qr_code(link, fills=False).encode(), "image/svg+xml", headers=_HEADERS)


ENDPOINTS: Final = (Endpoint(method="GET", path=PATH, who=PUBLIC, call=_draw, summary="A device's link as a QR code"),)
