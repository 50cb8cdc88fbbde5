"""`/account/sessions`: where a person is signed in, and ending it there."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from limen.kernel.ids import AccountId, SessionId
from limen.modules.sessions import service
from limen.modules.sessions.model import EndReason, Listed
from limen.platform.http import SESSION, Answer, Call, Endpoint, Form, hear, say
from limen.platform.pages import Card, Message, Page, _m, counted
from limen.platform.sql import Reader
from limen.platform.wire.user_agents import Shape, coarse

PATH: Final = "/account/sessions"


@dataclass(frozen=True, slots=True)
class Shown:
    """A session as its owner sees it."""

    id: SessionId
    device: str | Message
    shape: Shape
    place: str | Message
    since: datetime
    seen: datetime
    here: bool


async def show(call: Call) -> Answer:
    """List where she is signed in, this browser first."""
    account, here = call.signed_in()
    heard = hear(call)
    async with call.read() as reader:
        found = [_shown(one, here) for one in await service.list_of(reader, account)]
        now = reader.now
    found.sort(key=lambda one: not one.here)
    values = {**heard.values, "sessions": found, "now": now}
    return Page(template="sessions/sessions.html", title=_m("Where you are signed in"), values=values, cookies=heard.cookies)


async def end(call: Call) -> Answer:
    """End one other session, or all others."""
    account, here = call.signed_in()
    if call.form.text("action") == "end_others":
        async with call.work() as work:
            await service.end_all(work, account, EndReason.REVOKED, keep=here)
        return say(call, PATH, remark=_m("You are signed out everywhere else."))
    meant = SessionId(call.form.text("session"))
    async with call.work() as work:
        held = await service.find(work, meant)
        ended = held is not None and held.account == account and meant != here and await service.end(work, meant, EndReason.REVOKED)
    return say(call, PATH, remark=_m("You are signed out there.") if ended else _m("Nobody was signed in there any more."))


def _shown(listed: Listed, here: SessionId) -> Shown:
    session, device = listed.session, coarse(listed.place.user_agent)
    return Shown(
        id=session.id,
        device=_device(device.browser, device.system),
        shape=device.shape,
        place=_place(listed.place.address),
        since=session.created,
        seen=session.last_seen,
        here=session.id == here,
    )


def _device(browser: str, system: str) -> str | Message:
    if browser and system:
        return Message(_m("{browser} on {system}"), {"browser": browser, "system": system})
    return browser or system or _m("A device we do not recognise")


def _place(address: str) -> str | Message:
    """Return where a session was opened, as coarse as helps its owner: the network, not the address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip
    if ip.is_loopback:
        return _m("This computer")
    if ip.is_private or ip.is_link_local:
        return _m("A local network")
    first, second, *_ = ip.exploded.replace(".", ":").split(":")
    shown = f"{first}.{second}.x.x" if isinstance(ip, ipaddress.IPv4Address) else f"{first}:{second}:x"
    return Message(_m("Network {network}"), {"network": shown})


async def _glance(reader: Reader, account: AccountId) -> str | Message:
    return counted("Signed in on {count} device", "Signed in on {count} devices", len(await service.list_of(reader, account)))


CARDS: Final = (Card(PATH, _m("Devices"), 20, _m("Where you are signed in, and signing out there."), _glance),)

ENDPOINTS: Final = (
    Endpoint(method="GET", path=PATH, who=SESSION, call=show, summary="Where a customer is signed in"),
    Endpoint(method="POST", path=PATH, who=SESSION, call=end, takes=Form, summary="Sign out elsewhere"),
)
