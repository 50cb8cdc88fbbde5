"""RP-Initiated Logout 1.0: an app sends a person here to be signed out, and perhaps on to an address of its own.

An ID token of the very session signs out at once; whatever is less sure asks the person first. The browser is sent on only to an address
its client registered for that, letter by letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import msgspec

from limen.kernel.ids import ClientId, RequestId, SessionId
from limen.modules import accounts, clients, sessions
from limen.modules.oauth import jobs, store, strangers
from limen.modules.oauth.errors import NothingWaits
from limen.modules.oauth.facts import LoggedOut
from limen.modules.oauth.id_token import Hint, read_hint
from limen.modules.oauth.model import Leaving, form_target, with_parameters
from limen.modules.oauth.pages import sent_astray
from limen.modules.oauth.store import RequestKind, Slot
from limen.modules.sessions import EndReason, Session
from limen.platform.http import PUBLIC, Answer, Call, Endpoint, Form, SeeOther, drop_cookie, way_out
from limen.platform.pages import Action, Page, _m, message_page
from limen.platform.sql import Reader, Work

PATH: Final = "/oauth/logout"
CONFIRM: Final = "/oauth/logout/confirm"
DONE: Final = "/oauth/logout/done"
STAY: Final = "/account"


class Parting(msgspec.Struct, frozen=True, kw_only=True):
    """A logout request that was looked at: who asks, and where the browser goes afterwards."""

    client: ClientId | None = None
    target: str = ""
    """Registered, with `state` in it; empty: to our own page, as from a stranger's app that she did not let in."""
    astray: bool = False
    """It named an address that is not registered."""


_GONE: Final = (drop_cookie(sessions.COOKIE), drop_cookie(sessions.STATE, readable=True))
_encode = msgspec.json.Encoder().encode
_parting = msgspec.json.Decoder(Parting).decode
_leaving = msgspec.json.Decoder(Leaving).decode


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a request comes to."""

    parting: Parting
    at_once: bool


async def _get(call: Call) -> Answer:
    waits = call.query.text("request")
    if not waits:
        return await _leave(call, call.query.into(Leaving))
    async with call.work() as work:
        plain = await store.take(work, Slot(RequestId(waits), RequestKind.LEAVE_POSTED))
    if plain is None:
        raise NothingWaits
    return await _leave(call, _leaving(plain))


async def _post(call: Call) -> Answer:
    """Take a request from another site's form, without our cookies, and go on as a GET of ours, where they come."""
    async with call.work() as work:
        request = await store.add(work, RequestKind.LEAVE_POSTED, b"", _encode(call.form.into(Leaving)))
        await jobs.order_sweep(work)
    return SeeOther(f"{PATH}?{urlencode({'request': request})}")


async def _leave(call: Call, leaving: Leaving) -> Answer:
    present = await call.session_now()
    async with call.read() as reader:
        session = await sessions.find(reader, present[1]) if present else None
        judged = await _judge(reader, call.site.issuer, leaving, session)
    if session is None or judged.at_once:
        return await _part(call, judged.parting, session.id if session else None)
    async with call.work() as work:
        request = await store.add(work, RequestKind.LEAVE, call.browser.digest(), _encode(judged.parting))
        await jobs.order_sweep(work)
    return SeeOther(f"{CONFIRM}?{urlencode({'request': request} | ({'ui_locales': leaving.ui_locales} if leaving.ui_locales else {}))}")


async def _judge(reader: Reader, issuer: str, leaving: Leaving, session: Session | None) -> _Judged:
    """Say who asks and whether the person need not be asked: the hint is a token of ours, for this session and this client."""
    hint = await read_hint(reader, issuer, leaving.id_token_hint) if leaving.id_token_hint else None
    named = leaving.client_id or None
    if hint is not None and named not in (None, hint.client):
        return _Judged(Parting(astray=bool(leaving.post_logout_redirect_uri)), at_once=False)
    asking = hint.client if hint else named
    client = await clients.find(reader, asking) if asking else None
    wanted = leaving.post_logout_redirect_uri
    registered = client is not None and bool(wanted) and clients.matches_post_logout(client, wanted)
    led = client is not None and registered and await strangers.may_be_led(reader, client, wanted, session.account if session else None)
    target = with_parameters(wanted, {"state": leaving.state or None}) if led else ""
    parting = Parting(client=client.id if client else None, target=target, astray=bool(wanted) and not registered)
    return _Judged(parting, at_once=_is_sure(hint, session) and (registered or not wanted))


def _is_sure(hint: Hint | None, session: Session | None) -> bool:
    return hint is not None and (session is None or hint.session == session.id)


async def _part(call: Call, parting: Parting, session: SessionId | None) -> Answer:
    """End the session, if there is one, and send the browser on."""
    first = parting.target or DONE
    if session is not None:
        async with call.work() as work:
            first = await _end(call, work, parting, session)
    return SeeOther(first, _GONE)


async def _end(call: Call, work: Work, parting: Parting, session: SessionId) -> str:
    """End the session; return where the browser goes."""
    if await sessions.end(work, session, EndReason.SIGNED_OUT):
        work.record(LoggedOut(client=parting.client, session=session))
    return await way_out(call, work, session, parting.target or DONE)


async def _ask(call: Call) -> Answer:
    """Ask the person whether she wants to sign out, saying who asks and who is signed in."""
    present = await call.session_now()
    request = RequestId(call.query.text("request"))
    async with call.read() as reader:
        plain = await store.find(reader, Slot(request, RequestKind.LEAVE, call.browser.digest()))
        if plain is None:
            raise NothingWaits
        parting = _parting(plain)
        client = await clients.find(reader, parting.client) if parting.client else None
        own = await accounts.identifiers(reader, present[0]) if present else ()
    return Page(
        template="oauth/logout.html",
        title=_m("Sign out?"),
        values={
            "app": client.display if client else "",
            "identifier": own[0].value if own else "",
            "request": request,
            "confirm": CONFIRM,
            "astray": parting.astray,
        },
        form_targets=(form_target(parting.target),) if parting.target else (),
    )


async def _confirmed(call: Call) -> Answer:
    present = await call.session_now()
    async with call.work() as work:
        plain = await store.take(work, Slot(RequestId(call.form.text("request")), RequestKind.LEAVE, call.browser.digest()))
        if plain is None:
            raise NothingWaits
        if call.form.text("action") != "signout":
            return SeeOther(STAY)
        parting = _parting(plain)
        first = parting.target or DONE
        if present is not None:
            first = await _end(call, work, parting, present[1])
    return SeeOther(first, _GONE)


async def _done(call: Call) -> Answer:
    del call
    return message_page(
        _m("You are signed out"),
        _m("Apps that you opened with this account may have sessions of their own: sign out there too, if others use this device."),
        Action(_m("Sign in again"), "/signin"),
        kind="success",
    )


ENDPOINTS: Final = (
    Endpoint(method="GET", path=PATH, who=PUBLIC, call=_get, summary="Sign a person out for an app (RP-Initiated Logout 1.0)", refuse=sent_astray),
    Endpoint(method="POST", path=PATH, who=PUBLIC, call=_post, takes=Form, csrf=False, summary="Likewise, by a form of the app's", refuse=sent_astray),
    Endpoint(method="GET", path=CONFIRM, who=PUBLIC, call=_ask, summary="Ask whether to sign out", refuse=sent_astray),
    Endpoint(method="POST", path=CONFIRM, who=PUBLIC, call=_confirmed, takes=Form, csrf=True, summary="Sign out, or stay", refuse=sent_astray),
    Endpoint(method="GET", path=DONE, who=PUBLIC, call=_done, summary="Say that one is signed out"),
)
