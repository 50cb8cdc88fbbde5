"""What a person takes back from an app by itself: gone at once from introspection, userinfo and refresh, and told to the app."""

from __future__ import annotations

import pytest

from limen.kernel.ids import ClientId
from limen.modules import consents
from tests.modules.oauth.conftest import Door
from tests.modules.oauth.test_pushed import change

SHOP = ClientId("shop")

pytestmark = pytest.mark.anyio


async def test_one_scope_is_taken_back_and_the_rest_stands(door: Door) -> None:
    """The token in hand says so when asked about, a refresh gives the rest, and none gives it back."""
    await change(door, "shop", initiate_login_uri="https://shop.example/login")
    person = await door.person()
    body = await door.tokens(person, scope="openid email read offline_access")
    page = await person.browser.get("/account/apps")
    assert "Open The Shop" in page.words
    number = next(n for n, form in enumerate(page.forms()) if form.fields.get("app") == "shop" and form.fields.get("scope") == "email")
    page = await person.browser.submit(page, form=number)
    assert "The Shop may do that no more." in page.words
    looked = (await door.call("/oauth/introspect", auth="shop", token=body["access_token"])).json()
    assert looked["scope"] == "openid read offline_access"
    assert "email" not in (await door.userinfo(body["access_token"])).json()
    again = (await door.refresh(body["refresh_token"])).json()
    assert again["scope"] == "openid read offline_access"
    assert (await door.refresh(again["refresh_token"], scope="openid email")).json()["error"] == "invalid_scope"
    (fact,) = await door.facts("grants.grant_narrowed")
    assert (fact.data["client"], fact.data["lost"]) == ("shop", ["email"])


async def test_what_identifies_the_person_takes_all_with_it(door: Door) -> None:
    """Without openid an app knows nobody; and the last scope is the whole."""
    person = await door.person(consent=())
    async with door.world.work() as work:
        await consents.give(work, person.account, SHOP, ("openid", "email"))
    body = await door.tokens(person, scope="openid email")
    async with door.world.work() as work:
        await consents.withdraw(work, person.account, SHOP, ("openid",))
    assert not await door.active(body["access_token"])


async def test_a_code_on_its_way_has_no_more_than_is_left(door: Door) -> None:
    """Taken back between code and token: the code gives nothing."""
    person = await door.person()
    code = await door.code(person, scope="openid email")
    async with door.world.work() as work:
        await consents.withdraw(work, person.account, SHOP, ("email",))
    assert (await door.redeem(code)).json()["error"] == "invalid_grant"
