"""`/dev/mailbox`: the mailbox of dev mode, for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from limen.modules.notices.api import messages
from limen.modules.notices.model import EMAIL, SMS, VOICE
from limen.platform import mail
from limen.platform.http import DEV, Call, Endpoint
from limen.platform.pages import Page, _m

_CHANNELS: Final = {EMAIL: _m("Mail"), SMS: _m("Text message"), VOICE: _m("Call")}


@dataclass(frozen=True, slots=True)
class _Shown:
    to: str
    channel: str
    subject: str
    at: datetime
    code: str
    link: str
    paragraphs: tuple[tuple[str, ...], ...]


def _shown(message: mail.Dropped) -> _Shown:
    paragraphs = tuple(tuple(paragraph.splitlines()) for paragraph in message.text.strip().split("\n\n"))
    return _Shown(message.to, _CHANNELS.get(message.channel, message.channel), message.subject, message.at, message.code, message.link, paragraphs)


async def _mailbox(call: Call) -> Page:
    return Page(template="notices/mailbox.html", title=_m("Mailbox"), values={"messages": [_shown(one) for one in await messages(call)]})


ENDPOINTS: Final = (Endpoint(method="GET", path="/dev/mailbox", who=DEV, call=_mailbox, summary="Messages that would have been sent."),)
