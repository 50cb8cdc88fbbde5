"""What people see when an app sent them here wrongly: plain words for them, and one exact line for who builds the app."""

from __future__ import annotations

from pathlib import Path

from limen.kernel.errors import LimenError
from limen.modules.oauth.errors import NothingWaits, Refused, UnknownClient, UnreadableRequest, UnregisteredAddress
from limen.modules.oauth.model import form_target
from limen.platform.http import Answer, FormPost, SeeOther, as_page
from limen.platform.pages import Action, Page, _m, message_page, register
from limen.platform.wire.forms import BadForm

register("oauth", Path(__file__).parent)


def sent_astray(error: LimenError) -> Answer:
    """Tell a refusal of the door on a page."""
    match error:
        case UnknownClient():
            return _wrong_link(_m("client_id names no client of this tenant."), error.code)
        case UnregisteredAddress():
            return _wrong_link(_m("redirect_uri is not, letter by letter, one that the client registered; so nothing is sent there."), error.code)
        case UnreadableRequest():
            return _wrong_link(_m("The request was pushed or signed, and is unknown, too old, answered before, or not signed as it has to be."), error.code)
        case BadForm():
            return _wrong_link(_m("The request cannot be read in one way only: a parameter is given twice, or its encoding is broken."), error.code)
        case NothingWaits():
            return message_page(
                _m("This page cannot go on here"),
                _m("It is finished, it took more than an hour, or it was opened in another browser. Go back to the app you came from and start again."),
                Action(_m("To your account"), "/account"),
                kind="warning",
                status=404,
            )
        case _:
            return as_page(error)


def _wrong_link(developer: str, code: str) -> Page:
    return Page(
        template="oauth/wrong_link.html",
        title=_m("The app sent you here wrongly"),
        values={"developer": developer, "code": code},
        status=400,
    )


def stays_here(place: str, going: SeeOther | FormPost, refusal: Refused | None) -> Page:
    """Say where the browser would go for an app that nobody checked, with a way there for who wants it."""
    posted = going if isinstance(going, FormPost) else None
    return Page(
        template="oauth/stays_here.html",
        title=_m("Leave for an app nobody checked?"),
        values={
            "place": place,
            "link": going.location if isinstance(going, SeeOther) else "",
            "target": posted.target if posted else "",
            "fields": tuple(posted.fields.items()) if posted else (),
            "code": refusal.code.value if refusal else "",
            "why": refusal.why if refusal else "",
        },
        status=400 if refusal else 200,
        form_targets=(form_target(posted.target),) if posted else (),
    )
