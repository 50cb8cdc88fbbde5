"""`/account/apps`: which apps a person lets in, what each may do, and taking it back."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from limen.kernel.ids import AccountId, ClientId
from limen.modules import clients, consents, tenants
from limen.modules.grants import service
from limen.modules.grants.model import Ending
from limen.platform.http import SESSION, Answer, Call, Endpoint, Form, hear, say
from limen.platform.pages import Card, Message, Page, _m, counted
from limen.platform.sql import Reader

PATH: Final = "/account/apps"


@dataclass(frozen=True, slots=True)
class Shown:
    """An app as the person whose account it uses sees it. `words` are English texts, and the tenant's own; `used` is None where it never had a token.

    `implied`: she was asked for nothing of it, since it is the operator's own.
    """

    id: ClientId
    name: str
    words: tuple[str, ...]
    since: datetime
    used: datetime | None
    implied: bool


async def show(call: Call) -> Answer:
    """List the apps, the one used last first."""
    account, _ = call.signed_in()
    heard = hear(call)
    async with call.read() as reader:
        found = await _apps(reader, account)
        now = reader.now
    return Page(template="grants/apps.html", title=_m("Apps with access"), values={**heard.values, "apps": found, "now": now}, cookies=heard.cookies)


async def remove(call: Call) -> Answer:
    """Take back everything an app was let have; its tokens are dead when this answers."""
    account, _ = call.signed_in()
    client = ClientId(call.form.text("app"))
    async with call.work() as work:
        lost = await consents.withdraw(work, account, client)
        await service.end_of_client(work, account, client, Ending.CONSENT_WITHDRAWN)
        known = await clients.find(work, client)
    if not lost:
        return say(call, PATH, remark=_m("That app had no access any more."))
    return say(call, PATH, remark=Message(_m("{app} has no access any more."), {"app": known.display if known else client}))


async def _apps(reader: Reader, account: AccountId) -> list[Shown]:
    scopes: dict[ClientId, list[consents.Consent]] = defaultdict(list)
    for one in await consents.list_of(reader, account):
        scopes[one.client].append(one)
    used: dict[ClientId, datetime] = {}
    for grant in await service.list_of(reader, account):
        used[grant.permit.client] = max(grant.last_used, used.get(grant.permit.client, grant.last_used))
    own = {scope: text for resource in (await tenants.find(reader)).resources for scope, text in resource.scopes.items()}
    found = []
    for client, given in scopes.items():
        known = await clients.find(reader, client)
        words = _words([one.scope for one in given], own)
        since, implied = min(one.given_at for one in given), all(one.implied for one in given)
        found.append(Shown(client, known.display if known else client, words, since, used.get(client), implied))
    return sorted(found, key=lambda app: (app.used or app.since, app.id), reverse=True)


def _words(scopes: list[str], own: dict[str, str]) -> tuple[str, ...]:
    """Return what scopes mean, as the consent page said it, in its order."""
    return (*(text for scope, text in consents.STANDARD.items() if scope in scopes), *(own.get(one, one) for one in scopes if one not in consents.STANDARD))


async def _glance(reader: Reader, account: AccountId) -> str | Message:
    count = len({one.client for one in await consents.list_of(reader, account)})
    return counted("{count} app has access", "{count} apps have access", count) if count else _m("No app has access")


CARDS: Final = (Card(PATH, _m("Apps"), 30, _m("Which apps may do what, and taking it back."), _glance),)

ENDPOINTS: Final = (
    Endpoint(method="GET", path=PATH, who=SESSION, call=show, summary="Which apps a customer lets in"),
    Endpoint(method="POST", path=PATH, who=SESSION, call=remove, takes=Form, summary="Take an app's access back"),
)
