"""The page of apps."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from limen.kernel.ids import ClientId
from limen.kernel.secrets import Secret
from limen.modules import clients, tenants
from tests.journeys.conftest import OURS, Town, step_of
from tests.modules.portal.conftest import Customer
from tests.rig.asgi import Answer

pytestmark = pytest.mark.anyio

PATH = "/account/apps"
BACK = "http://127.0.0.1:9001/callback"
SECRET = "what only the kiosk and the test know"
VERIFIER = "a-verifier-of-forty-three-letters-or-more-of-them"


@dataclass
class App:
    """An app that was let in."""

    access: str
    refresh: str


async def _kiosk(town: Town) -> None:
    async with town.world.work() as work:
        tenant = await tenants.find(work)
        resource = tenants.Resource(identifier="https://api.example", scopes={"orders": "See your orders"})
        await tenants.save(work, tenants.Tenant(**{**{name: getattr(tenant, name) for name in tenant.__slots__}, "resources": (resource,)}))
    kiosk = clients.Client(
        id=ClientId("kiosk"),
        name="The Kiosk",
        kind=clients.ClientKind.WEB,
        redirect_uris=(BACK,),
        grants=(clients.GrantType.AUTHORIZATION_CODE, clients.GrantType.REFRESH_TOKEN),
        scopes=("openid", "email", "offline_access", "orders"),
    )
    async with town.world.work() as work:
        await clients.save(work, clients.with_secret(kiosk, Secret(SECRET), work.now), dev=True)


async def _asks(ada: Customer) -> Answer:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": "kiosk",
        "redirect_uri": BACK,
        "scope": "openid email offline_access orders",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "prompt": "consent",
    }
    return await ada.browser.get(f"/oauth/authorize?{urlencode(query)}")


async def _let_in(town: Town, ada: Customer) -> App:
    await _kiosk(town)
    page = await _asks(ada)
    assert step_of(page) == "consents.consent", page.words
    answer = await ada.browser.submit(page, action="allow")
    code = parse_qs(urlsplit(answer.location).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER, "client_id": "kiosk", "client_secret": SECRET}
    tokens = (await town.browser().post("/oauth/token", form=form)).json()
    return App(tokens["access_token"], tokens["refresh_token"])


async def test_an_app_is_listed_with_what_it_may_do(town: Town, ada: Customer) -> None:
    """Its name, the words of each scope as the consent page said them, since when, and when it was used last."""
    await _let_in(town, ada)
    town.world.advance(3 * 3_600)
    page = await ada.browser.get(PATH)
    for words in ("The Kiosk", "Know who you are", "See your e-mail address", "Stay connected", "See your orders", "last used 3 hours ago"):
        assert words in page.words
    assert "1 app has access" in (await ada.browser.get("/account")).words


async def test_taking_access_back_is_effective_at_once(town: Town, ada: Customer) -> None:
    """The app's tokens are dead, it is not listed any more, and it has to ask again."""
    app = await _let_in(town, ada)
    bearer = {"authorization": f"Bearer {app.access}"}
    assert (await town.browser().get("/oauth/userinfo", headers=bearer)).status == 200
    page = await ada.browser.submit(await ada.browser.get(PATH), action="remove")
    assert page.url.endswith(PATH)
    assert "The Kiosk has no access any more." in page.words
    assert "No app has access" in page.words
    assert (await town.browser().get("/oauth/userinfo", headers=bearer)).status == 401
    form = {"grant_type": "refresh_token", "refresh_token": app.refresh, "client_id": "kiosk", "client_secret": SECRET}
    refused = await town.browser().post("/oauth/token", form=form)
    assert (refused.status, refused.json()["error"]) == (400, "invalid_grant")
    assert step_of(await _asks(ada)) == "consents.consent"


async def test_what_had_no_access_is_said_to_have_none(ada: Customer) -> None:
    """A second press, or an app nobody knows, is no error."""
    token = next(form.fields["csrf"] for form in (await ada.browser.get("/account")).forms())
    page = await ada.browser.post(PATH, form={"csrf": token, "app": "nobody", "action": "remove"}, headers=OURS)
    assert page.status == 200
    assert "That app had no access any more." in page.words
