"""`/dev/mailbox.json`: the mailbox of dev mode, for tests."""

from __future__ import annotations

from typing import Final

from limen.platform import mail
from limen.platform.http import DEV, Call, Endpoint, Json


async def messages(call: Call) -> list[mail.Dropped]:
    """Return what the mailbox holds, newest first: of all tenants, or under a tenant's own path of that one alone."""
    async with call.read() as read:
        return await mail.mailbox_of(read, everybody=not call.site.prefix)


async def _mailbox(call: Call) -> Json:
    return Json(await messages(call))


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/dev/mailbox.json",
        who=DEV,
        call=_mailbox,
        summary="Messages that would have been sent, newest first.",
        gives=list[mail.Dropped],
    ),
)
