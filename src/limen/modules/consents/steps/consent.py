"""The consent page of a journey: the person sees which app wants what, and says yes or no."""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from limen.modules import accounts, clients, tenants
from limen.modules.clients import Client, Registered
from limen.modules.consents import service
from limen.modules.consents.facts import ConsentRefused
from limen.modules.consents.model import STANDARD
from limen.modules.journey import Advance, Denied, Outcome, State, Step, View
from limen.platform.pages import Message, Page, _m
from limen.platform.sql import Reader, Work

ANSWERED: Final = "consents.answered"


class Answer(msgspec.Struct, frozen=True):
    """The buttons of the page. Anything but a clear yes is a no."""

    action: Literal["allow", "deny"] = "deny"


async def _applies(reader: Reader, state: State) -> bool:
    if state.account is None or state.ask.client is None or state.mark(ANSWERED):
        return False
    return await service.is_asked(reader, state.account, state.ask.client, state.ask.scopes, afresh="consent" in state.ask.prompt or bool(state.ask.details))


async def _page(reader: Reader, state: State) -> Page:
    client = await clients.find(reader, state.ask.client) if state.ask.client else None
    tenant = await tenants.find(reader)
    name = client.display if client else ""
    own = {scope: text for resource in tenant.resources for scope, text in resource.scopes.items()}
    asked = set(state.ask.scopes)
    identifiers = await accounts.identifiers(reader, state.account) if state.account else ()
    return Page(
        template="consents/consent.html",
        title=Message(_m("{app} asks for access"), {"app": name}),
        values={
            "app": name,
            "tenant": tenant.display,
            "identifier": identifiers[0].value if identifiers else "",
            "details": state.ask.details,
            "stranger": _stranger(client, state) if client and client.dynamic else None,
            "elsewhere": state.ask.elsewhere,
            "policy": client.policy_uri if client else None,
            "terms": client.tos_uri if client else None,
            "points": [*(text for scope, text in STANDARD.items() if scope in asked), *(own.get(one, one) for one in state.ask.scopes if one not in STANDARD)],
        },
    )


def _stranger(client: Client, state: State) -> Message:
    """Return what is said of an app that came by itself: a name anybody can choose, so the person is told where it stands, or where she goes."""
    place = urlsplit(client.id).hostname if client.registered is Registered.DOCUMENT else state.ask.form_target
    if not place:
        return Message(_m("Nobody here has checked this app. Allow it only if you have just asked for it yourself."))
    return Message(_m("Nobody here has checked this app. Its address is {place}: allow it only if you know that address."), {"place": place})


async def _settle(work: Work, view: View, answer: Answer, checked: None) -> Outcome:
    del checked
    state = view.state
    if state.account is None or state.ask.client is None:
        return Advance(state)
    if answer.action == "deny":
        work.record(ConsentRefused(subject=state.account, client=state.ask.client, scopes=state.ask.scopes))
        return Denied(state, "access_denied")
    await service.give(work, state.account, state.ask.client, state.ask.scopes)
    return Advance(state.marked(ANSWERED))


CONSENT: Final = Step[Answer, None](name="consents.consent", path="/consent", applies=_applies, page=_page, settle=_settle, fields=Answer)
