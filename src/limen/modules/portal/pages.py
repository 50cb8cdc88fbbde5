"""`/account`: the start page, signing in for it, signing out of it."""

from __future__ import annotations

from typing import Final

from limen.modules import accounts, journey, profiles, sessions
from limen.platform.http import PUBLIC, SESSION, Answer, Call, Endpoint, Form, SeeOther, drop_cookie
from limen.platform.pages import Action, Card, Page, _m, message_page, shell_cards

HOME: Final = "/account"
DOOR: Final = "portal"
RESUMES: Final = {DOOR: HOME}
"""Where a journey that began here comes back to."""
CARDS: Final = (Card(HOME, _m("Overview"), 0),)


async def start(call: Call) -> Answer:
    """Show the start page; after a sign-in for another page of the portal, go on to that one."""
    wanted = _known(call.query.text("request"))
    if wanted != HOME:
        return SeeOther(wanted)
    account, _ = call.signed_in()
    async with call.read() as reader:
        profile = await profiles.read(reader, account)
        identifiers = await accounts.identifiers(reader, account)
    values = {"name": profile.given_name or profile.name or "", "identifiers": [one.value for one in identifiers], "cards": _others()}
    return Page(template="portal/start.html", title=_m("Your account"), values=values)


async def sign_in(call: Call) -> Answer:
    """Begin a sign-in that comes back to a page of the portal."""
    wanted = _known(call.query.text("to").removeprefix(call.site.prefix))
    if await call.session_now() is not None:
        return SeeOther(wanted)
    record = "" if wanted == HOME else wanted
    async with call.work() as work:
        begun = await journey.begin(work, "sign_in", journey.Ask(), journey.Return(DOOR, record), call.browser.digest())
    return SeeOther(journey.entrance("sign_in", begun))


async def sign_out(call: Call) -> Answer:
    """End the session of this browser; others go on."""
    _, session = call.signed_in()
    async with call.work() as work:
        await sessions.end(work, session, sessions.EndReason.SIGNED_OUT)
    return SeeOther("/account/signed-out", cookies=(drop_cookie(sessions.COOKIE),))


async def signed_out(call: Call) -> Answer:
    """Say that she is out; who is still in is sent home."""
    if await call.session_now() is not None:
        return SeeOther(HOME)
    return message_page(
        _m("You are signed out"), _m("On this device nobody is signed in any more."), Action(_m("Sign in again"), "/account/signin"), kind="success"
    )


def _known(path: str) -> str:
    """Return the path if it is a page of the portal, else the start page: a query never leads anywhere else."""
    return path if path in {card.path for card in shell_cards()} else HOME


def _others() -> tuple[Card, ...]:
    return tuple(card for card in shell_cards() if card.path != HOME)


ENDPOINTS: Final = (
    Endpoint(method="GET", path=HOME, who=SESSION, call=start, summary="The customer's start page"),
    Endpoint(method="GET", path="/account/signin", who=PUBLIC, call=sign_in, summary="Begin a sign-in for the customer's pages"),
    Endpoint(method="POST", path="/account/signout", who=SESSION, call=sign_out, takes=Form, summary="Sign out of this browser"),
    Endpoint(method="GET", path="/account/signed-out", who=PUBLIC, call=signed_out, summary="Say that nobody is signed in any more"),
)
