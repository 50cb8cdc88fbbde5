"""The link to a device's code as a picture (RFC 8628, section 3.3.1), for devices that can show one and cannot draw it.

It says nothing that its address does not: a code is not looked up, so nobody learns whether it exists.
"""

from __future__ import annotations

import io
from typing import Final
from urllib.parse import urlencode

from limen.modules.oauth.device import model
from limen.modules.oauth.device.endpoint import PAGE
from limen.platform.http import PUBLIC, Answer, Call, Endpoint, NoSuchPlace, Raw

PATH: Final = f"{PAGE}/qr"
_SCALE: Final = 8
_MASK: Final = 4
"""Any mask can be read; to look for the best of the eight takes five milliseconds."""
_HEADERS: Final = (("cache-control", "public, max-age=600"),)


async def _draw(call: Call) -> Answer:
    import segno  # noqa: PLC0415 - few servers have devices

    code = model.read(call.query.text("user_code"))
    if not code:
        raise NoSuchPlace
    link = call.url(f"{PAGE}?{urlencode({'user_code': model.shown(code)})}")
    drawn = io.BytesIO()
    made = segno.make_qr(link, error="m", mask=_MASK, boost_error=False)
    made.save(drawn, kind="svg", scale=_SCALE, light="#fff", xmldecl=False, nl=False)
    return Raw(drawn.getvalue(), "image/svg+xml", headers=_HEADERS)


ENDPOINTS: Final = (Endpoint(method="GET", path=PATH, who=PUBLIC, call=_draw, summary="A device's link as a QR code"),)
