"""`/account`: the start page, signing in for it, signing out of it, and the way to a new password."""

from __future__ import annotations

from typing import Final

from limen.modules import accounts, journey, profiles, sessions, signin
from limen.platform.http import PUBLIC, SESSION, Answer, Call, Endpoint, Form, SeeOther, drop_cookie, way_out
from limen.platform.pages import Action, Card, Page, _m, message_page, shell_cards

HOME: Final = "/account"
SIGNED_OUT: Final = "/account/signed-out"
DOOR: Final = "portal"
RESUMES: Final = {DOOR: HOME}
"""Where a journey that began here comes back to."""
CARDS: Final = (Card(HOME, _m("Overview"), 0),)
PLACES: Final = {"change-password": HOME}
"""Where password managers send people who are to change their password."""


async def start(call: Call) -> Answer:
    """Show the start page; after a sign-in for another page of the portal, go on to that one."""
    wanted = _known(call.query.text("request"))
    if wanted != HOME:
        return SeeOther(wanted)
    account, _ = call.signed_in()
    cards = tuple(card for card in shell_cards() if card.path != HOME)
    async with call.read() as reader:
        profile = await profiles.read(reader, account)
        identifiers = await accounts.identifiers(reader, account)
        glances = {card.path: await card.glance(reader, account) if card.glance else "" for card in cards}
    values = {
        "name": profile.given_name or profile.name or "",
        "identifiers": [one.value for one in identifiers],
        "cards": cards,
        "glances": glances,
    }
    return Page(template="portal/start.html", title=_m("Your account"), values=values)


async def sign_in(call: Call) -> Answer:
    """Begin a sign-in that comes back to a page of the portal."""
    wanted = _known(call.query.text("to").removeprefix(call.site.prefix))
    if await call.session_now() is not None:
        return SeeOther(wanted)
    record = "" if wanted == HOME else wanted
    async with call.work() as work:
        begun = await journey.begin(work, signin.SIGN_IN, journey.Ask(), journey.Return(DOOR, record), call.browser.digest())
    return SeeOther(journey.entrance(signin.SIGN_IN, begun))


async def new_password(call: Call) -> Answer:
    """Begin the journey that ends with a new password, for the address of whoever is signed in, and back to the start page."""
    account, session = call.signed_in()
    async with call.work() as work:
        own = await accounts.identifiers(work, account)
        ask = journey.Ask(login_hint=next((one.value for one in own if one.kind == accounts.EMAIL), ""))
        begun = await journey.begin(work, signin.RECOVER, ask, journey.Return(DOOR, ""), call.browser.digest(), session)
    return SeeOther(journey.entrance(signin.RECOVER, begun))


async def sign_out(call: Call) -> Answer:
    """End the session of this browser; others go on."""
    _, session = call.signed_in()
    async with call.work() as work:
        await sessions.end(work, session, sessions.EndReason.SIGNED_OUT)
        first = await way_out(call, work, session, SIGNED_OUT)
    return SeeOther(first, cookies=(drop_cookie(sessions.COOKIE), drop_cookie(sessions.STATE, readable=True)))


async def signed_out(call: Call) -> Answer:
    """Say that she is out; who is still in is sent home."""
    if await call.session_now() is not None:
        return SeeOther(HOME)
    return message_page(
        _m("You are signed out"),
        _m("Nobody is signed in on this device any more. Apps that you opened may keep a sign-in of their own: sign out there too if others use this device."),
        Action(_m("Sign in again"), "/account/signin"),
        kind="success",
    )


def _known(path: str) -> str:
    """Return the path, less its query, if it is a page of the portal, else the start page: nobody is led anywhere else."""
    bare = path.partition("?")[0]
    return bare if bare in {card.path for card in shell_cards()} else HOME


ENDPOINTS: Final = (
    Endpoint(method="GET", path=HOME, who=SESSION, call=start, summary="The customer's start page"),
    Endpoint(method="GET", path="/account/signin", who=PUBLIC, call=sign_in, summary="Begin a sign-in for the customer's pages"),
    Endpoint(method="POST", path="/account/password", who=SESSION, call=new_password, takes=Form, summary="Begin to choose a new password"),
    Endpoint(method="POST", path="/account/signout", who=SESSION, call=sign_out, takes=Form, summary="Sign out of this browser"),
    Endpoint(method="GET", path=SIGNED_OUT, who=PUBLIC, call=signed_out, summary="Say that nobody is signed in any more"),
)
