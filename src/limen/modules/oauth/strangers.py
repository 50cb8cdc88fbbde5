"""Apps that nobody here answers for: a browser is led to them where its person wants that, and not by a link of theirs alone.

RFC 9700, section 4.11.2: who registers an app of her own could otherwise make a wrong request, or one that nobody may be asked about, a link
from here to wherever she likes.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from limen.modules import clients, consents
from limen.modules.clients import Client
from limen.modules.oauth.errors import Refused
from limen.modules.oauth.pages import stays_here
from limen.platform.http import Answer, Call, FormPost, SeeOther


async def led(call: Call, client: Client, going: SeeOther | FormPost, refusal: Refused | None = None) -> Answer:
    """Send the browser to an app's address, or show the person where it would go; nothing was issued, and `refusal` says why."""
    uri = going.target if isinstance(going, FormPost) else going.location
    async with call.read() as reader:
        known = await clients.is_vouched_for(reader, client, uri)
    return going if known or await _is_let_in(call, client) else stays_here(urlsplit(uri).netloc, going, refusal)


async def _is_let_in(call: Call, client: Client) -> bool:
    """Whether the person of this browser lets the app have anything: then she has decided."""
    present = await call.session_now()
    if present is None:
        return False
    async with call.read() as reader:
        return bool(await consents.given(reader, present[0], client.id))
