"""Front-Channel Logout 1.0: after a sign-out the browser itself tells the apps of the session, each by a page of its own in a hidden frame.

The page goes on by itself, at once where a script sees that all have answered, else after a few seconds; who blocks frames loses nothing
but the telling. Whoever has to be sure that its app hears uses the back channel.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

from limen.kernel.ids import RequestId, SessionId
from limen.modules import clients, grants
from limen.modules.clients import Client
from limen.modules.oauth import jobs, store
from limen.modules.oauth.errors import NothingWaits
from limen.modules.oauth.model import form_target, with_parameters
from limen.modules.oauth.pages import sent_astray
from limen.modules.oauth.store import RequestKind, Slot
from limen.platform.http import PUBLIC, Answer, Call, Endpoint, Farewell
from limen.platform.pages import Page, _m
from limen.platform.sql import Work

PATH: Final = "/oauth/logout/apps"
MOST: Final = 30
"""So many frames a page has at most."""
SECONDS: Final = 5
"""What frames get to load where no script says that they have."""


class Told(msgspec.Struct, frozen=True):
    """What a browser has to open, and where it goes then: a path of the tenant or a checked address."""

    frames: tuple[str, ...]
    then: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Told).decode


async def farewell(call: Call, work: Work, session: SessionId, then: str) -> str:
    """Return the way over the page with the frames, where an app of the session wants to be told so."""
    frames = await _frames(work, call.site.issuer, session)
    if not frames:
        return then
    request = await store.add(work, RequestKind.LEFT, call.browser.digest(), _encode(Told(frames, then)))
    await jobs.order_sweep(work)
    return f"{PATH}?{urlencode({'request': request})}"


async def _frames(work: Work, issuer: str, session: SessionId) -> tuple[str, ...]:
    frames: list[str] = []
    after = ""
    while len(frames) < MOST:
        found = await grants.clients_of_session(work, session, after, MOST)
        known = [await clients.find(work, one) for one in found]
        frames += [
            _address(client, client.frontchannel_logout_uri, issuer, session) for client in known if client is not None and client.frontchannel_logout_uri
        ]
        if len(found) < MOST:
            break
        after = found[-1]
    return tuple(frames[:MOST])


def _address(client: Client, uri: str, issuer: str, session: SessionId) -> str:
    """Return what the frame opens: `iss` and `sid` beside what the app's address has of its own, where it registered for them (section 2)."""
    return with_parameters(uri, {"iss": issuer, "sid": session}) if client.frontchannel_logout_session_required else uri


async def _show(call: Call) -> Answer:
    async with call.read() as reader:
        plain = await store.find(reader, Slot(RequestId(call.query.text("request")), RequestKind.LEFT, call.browser.digest()))
    if plain is None:
        raise NothingWaits
    told = _decode(plain)
    then = call.site.prefix + told.then if told.then.startswith("/") else told.then
    return Page(
        template="oauth/logout_apps.html",
        title=_m("You are signed out"),
        values={"frames": told.frames, "then": then, "seconds": SECONDS, "back": urlsplit(told.then).hostname or ""},
        frame_origins=tuple(dict.fromkeys(form_target(frame) for frame in told.frames)),
    )


FAREWELLS: Final[tuple[Farewell, ...]] = (farewell,)

ENDPOINTS: Final = (Endpoint(method="GET", path=PATH, who=PUBLIC, call=_show, summary="Tell apps of a sign-out through the browser", refuse=sent_astray),)
