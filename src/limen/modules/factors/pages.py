"""`/account/security`: with what a person signs in, adding to it and taking from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from limen.kernel.ids import AccountId, FactorId
from limen.modules import journey
from limen.modules.factors import service
from limen.modules.factors.steps import ADD, REMOVE, SECURITY, makers
from limen.platform.http import SESSION, Answer, Call, Endpoint, Form, SeeOther
from limen.platform.pages import Card, Message, Page, _m, counted
from limen.platform.sql import Reader

DOOR: Final = "factors"
RESUMES: Final = {DOOR: SECURITY}
"""Where a journey that adds or removes a factor comes back to."""
_RECENT: Final = 600
"""Seconds since the sign-in, at most, of who changes what she signs in with."""

_TWO: Final = ("aal2",)


@dataclass(frozen=True, slots=True)
class Shown:
    """A factor as its owner sees it. `goes`: she can remove it here."""

    id: FactorId
    words: str
    since: datetime
    used: datetime | None
    goes: bool


async def show(call: Call) -> Answer:
    """List what she signs in with."""
    account, _ = call.signed_in()
    async with call.read() as reader:
        found = [_shown(one.id, one.kind, (one.created, one.last_used)) for one in await service.list_of(reader, account) if one.kind in service.kinds()]
        now = reader.now
    return Page(template="factors/security.html", title=_m("Security"), values={"factors": found, "now": now, "more": bool(makers())})


def _shown(factor: FactorId, kind: str, times: tuple[datetime, datetime | None]) -> Shown:
    way = service.factor(kind)
    return Shown(factor, way.words, *times, goes=way.making is not None)


async def change(call: Call) -> Answer:
    """Begin the journey that adds a factor, or removes the one named: it asks for a sign-in first, unless the last one was just now.

    What is to go is shown once more, or what stands in for it, where she has two: a session of one of them takes the other from nobody.
    """
    account, session = call.signed_in()
    factor = call.form.text("factor")
    kind = REMOVE if call.form.text("action") == "remove" else ADD
    async with call.work() as work:
        ask = journey.Ask(account=account, max_age=_RECENT, acr_values=_TWO if kind == REMOVE else ())
        begun = await journey.begin(work, kind, ask, journey.Return(DOOR, factor if kind == REMOVE else ""), call.browser.digest(), session)
    return SeeOther(journey.entrance(kind, begun))


async def _glance(reader: Reader, account: AccountId) -> str | Message:
    count = len([one for one in await service.list_of(reader, account) if one.kind in service.kinds()])
    return counted("{count} way to sign in set up", "{count} ways to sign in set up", count) if count else _m("You sign in with codes by e-mail")


CARDS: Final = (Card(SECURITY, _m("Security"), 15, _m("With what you sign in, and making it safer."), _glance),)

ENDPOINTS: Final = (
    Endpoint(method="GET", path=SECURITY, who=SESSION, call=show, summary="With what a customer signs in"),
    Endpoint(method="POST", path=SECURITY, who=SESSION, call=change, takes=Form, summary="Begin to add or remove a way to sign in"),
)
