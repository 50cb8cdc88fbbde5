"""Apps that nobody here answers for: a browser is led to them where its person wants that, and not by a link of theirs alone.

RFC 9700, section 4.11.2: who registers an app of her own could otherwise make a wrong request, or one that nobody may be asked about, a link
from here to wherever she likes.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from limen.kernel.ids import AccountId
from limen.modules import clients, consents
from limen.modules.clients import Client
from limen.modules.oauth.errors import Refused
from limen.modules.oauth.pages import stays_here
from limen.platform.http import Answer, Call, FormPost, SeeOther
from limen.platform.sql import Reader


async def led(call: Call, client: Client, going: SeeOther | FormPost, refusal: Refused | None = None) -> Answer:
    """Send the browser to an app's address, or show the person where it would go; nothing was issued, and `refusal` says why."""
    uri = going.target if isinstance(going, FormPost) else going.location
    present = await call.session_now() if client.dynamic else None
    async with call.read() as reader:
        good = await may_be_led(reader, client, uri, present[0] if present else None)
    return going if good else stays_here(urlsplit(uri).netloc, going, refusal)


async def may_be_led(reader: Reader, client: Client, uri: str, account: AccountId | None) -> bool:
    """Whether a browser with this person's session, or with nobody's, may go to an app's address unasked: somebody answers for it, or she let the app in."""
    if await clients.is_vouched_for(reader, client, uri):
        return True
    return account is not None and bool(await consents.given(reader, account, client.id))
