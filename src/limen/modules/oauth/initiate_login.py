"""A sign-in that begins here (OpenID Connect Core 1.0, section 4): the browser goes to the app's own address, and the app begins its request."""

from __future__ import annotations

from typing import Final

import msgspec

from limen.kernel.ids import ClientId
from limen.modules import clients
from limen.modules.oauth import strangers
from limen.modules.oauth.errors import UnknownClient
from limen.modules.oauth.model import with_parameters
from limen.modules.oauth.pages import sent_astray
from limen.platform.http import PUBLIC, Answer, Call, Endpoint, SeeOther

PATH: Final = "/oauth/initiate_login"


class Initiating(msgspec.Struct, frozen=True):
    """Which app, and where in it."""

    client_id: ClientId = ClientId("")
    target_link_uri: str = ""


async def _initiate(call: Call) -> Answer:
    """Send the browser to the app's `initiate_login_uri`; to a stranger's if the person wants that.

    Nobody is told who is signed in: the app asks, and is answered as always.
    """
    asked = call.query.into(Initiating)
    async with call.read() as reader:
        client = await clients.find(reader, asked.client_id) if asked.client_id else None
    if client is None or client.initiate_login_uri is None:
        await call.refused("unknown_client")
        raise UnknownClient
    going = SeeOther(with_parameters(client.initiate_login_uri, {"iss": call.site.issuer, "target_link_uri": asked.target_link_uri or None}))
    return await strangers.led(call, client, going)


ENDPOINTS: Final = (
    Endpoint(method="GET", path=PATH, who=PUBLIC, call=_initiate, summary="Let an app begin a sign-in (OpenID Connect Core 1.0, 4)", refuse=sent_astray),
)
