"""`/account/apps`: which apps a person lets in, what each may do, and taking it back."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from limen.kernel.ids import AccountId, ClientId
from limen.modules import clients, consents, tenants
from limen.modules.grants import service
from limen.modules.grants.model import Ending
from limen.platform.http import SESSION, Answer, Call, Endpoint, Form, hear, say
from limen.platform.pages import Card, Message, Page, _m, counted
from limen.platform.sql import Reader

PATH: Final = "/account/apps"

_WHOLE: Final = frozenset({"openid"})
"""Without it the app knows nobody: taken back, all is."""


@dataclass(frozen=True, slots=True)
class Point:
    """One thing an app may: an English text, or the tenant's own. `apart`: it can be taken back by itself. An authorization detail has no scope."""

    scope: str
    text: str
    apart: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """An app as the person whose account it uses sees it. `used` is None where it never had a token, `open_at` where it begins no sign-in from here.

    `implied`: she was asked for nothing of it, since it is the operator's own.
    """

    id: ClientId
    name: str
    points: tuple[Point, ...]
    since: datetime
    used: datetime | None
    implied: bool
    open_at: str | None


async def show(call: Call) -> Answer:
    """List the apps, the one used last first."""
    account, _ = call.signed_in()
    heard = hear(call)
    async with call.read() as reader:
        found = await _apps(reader, account)
        now = reader.now
    return Page(template="grants/apps.html", title=_m("Apps with access"), values={**heard.values, "apps": found, "now": now}, cookies=heard.cookies)


async def remove(call: Call) -> Answer:
    """Take back one thing an app was let have, or everything; introspection and refresh know it when this answers."""
    account, _ = call.signed_in()
    client, scope = ClientId(call.form.text("app")), call.form.text("scope")
    async with call.work() as work:
        one_of_several = bool(scope) and scope not in _WHOLE and len(await consents.given(work, account, client)) > 1
        lost = await consents.withdraw(work, account, client, (scope,) if one_of_several else None)
        if not one_of_several:
            await service.end_of_client(work, account, client, Ending.CONSENT_WITHDRAWN)
        known = await clients.find(work, client)
    if not lost:
        return say(call, PATH, remark=_m("That app had no access any more."))
    name = {"app": known.display if known else client}
    return say(call, PATH, remark=Message(_m("{app} may do that no more.") if one_of_several else _m("{app} has no access any more."), name))


async def _apps(reader: Reader, account: AccountId) -> list[Shown]:
    scopes: dict[ClientId, list[consents.Consent]] = defaultdict(list)
    for one in await consents.list_of(reader, account):
        scopes[one.client].append(one)
    used: dict[ClientId, datetime] = {}
    said: dict[ClientId, dict[str, None]] = defaultdict(dict)
    for grant in await service.list_of(reader, account):
        used[grant.permit.client] = max(grant.last_used, used.get(grant.permit.client, grant.last_used))
        said[grant.permit.client].update(dict.fromkeys(grant.permit.extra.said if grant.permit.extra else ()))
    own = {scope: text for resource in (await tenants.find(reader)).resources for scope, text in resource.scopes.items()}
    found = []
    for client, given in scopes.items():
        known = await clients.find(reader, client)
        points = (*_points([one.scope for one in given], own), *(Point("", text, apart=False) for text in said[client]))
        since, implied = min(one.given_at for one in given), all(one.implied for one in given)
        found.append(Shown(client, known.display if known else client, points, since, used.get(client), implied, _entrance(known)))
    return sorted(found, key=lambda app: (app.used or app.since, app.id), reverse=True)


def _points(scopes: list[str], own: dict[str, str]) -> tuple[Point, ...]:
    """Return what scopes mean, as the consent page said it, in its order."""
    ordered = (*(one for one in consents.STANDARD if one in scopes), *(one for one in scopes if one not in consents.STANDARD))
    texts = {**{one: own.get(one, one) for one in scopes}, **consents.STANDARD}
    return tuple(Point(one, texts[one], apart=one not in _WHOLE and len(scopes) > 1) for one in ordered)


def _entrance(client: clients.Client | None) -> str | None:
    """Return where a sign-in at the app begins, if it can begin here (OpenID Connect Core 1.0, section 4)."""
    if client is None or client.initiate_login_uri is None:
        return None
    return f"/oauth/initiate_login?{urlencode({'client_id': client.id})}"


async def _glance(reader: Reader, account: AccountId) -> str | Message:
    count = len({one.client for one in await consents.list_of(reader, account)})
    return counted("{count} app has access", "{count} apps have access", count) if count else _m("No app has access")


CARDS: Final = (Card(PATH, _m("Apps"), 30, _m("Which apps may do what, and taking it back."), _glance),)

ENDPOINTS: Final = (
    Endpoint(method="GET", path=PATH, who=SESSION, call=show, summary="Which apps a customer lets in"),
    Endpoint(method="POST", path=PATH, who=SESSION, call=remove, takes=Form, summary="Take an app's access back"),
)
