"""From an app through the journeys and back, as a browser without script walks it."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from limen.modules.oauth import store
from limen.platform.sql import statement
from limen.platform.wire import jose
from tests.modules.oauth.conftest import BASE, CALLBACK, Door, answered, asked, to_app
from tests.rig.asgi import Client

pytestmark = pytest.mark.anyio

PASSWORD = "four grey geese dance"


async def code_sent(door: Door, to: str) -> str:
    """Deliver what is due and return the newest code for an address."""
    await door.runner.run_due()
    mails = (await door.browser().get("/dev/mailbox.json")).json()
    return str(next(mail["code"] for mail in mails if mail["to"] == to and mail["code"]))


async def signed_up(door: Door, browser: Client, address: str, **changes: str) -> dict[str, str]:
    """Come from the app, make an account, consent, and return what the app gets."""
    page = await browser.get(f"/oauth/authorize?{urlencode(asked(prompt='create', **changes))}")
    page = await browser.submit(page, {"identifier": address})
    page = await browser.submit(page, {"code": await code_sent(door, address)})
    page = await browser.submit(page, {"new_password": PASSWORD})
    assert "The Shop" in page.words, page.words
    return answered(await to_app(browser, await browser.submit(page, action="allow", follow=False)))


async def test_a_stranger_becomes_a_customer_on_her_way_into_the_app(door: Door) -> None:
    """prompt=create leads to sign-up; after address, password and consent the app has tokens about her."""
    browser = door.browser()
    found = await signed_up(door, browser, "eve@example.com", scope="openid email")
    assert found["state"] == "st&te=1 %\u00e9"
    body = (await door.redeem(found["code"])).json()
    told = (await door.userinfo(body["access_token"])).json()
    assert told == {"sub": jose.peek(body["id_token"]).claims["sub"], "email": "eve@example.com", "email_verified": True}
    again = await door.ask(browser, prompt="none", scope="openid email")
    assert "code" in answered(again)


async def test_who_signs_in_again_keeps_the_session_apps_were_told(door: Door) -> None:
    """prompt=login asks for the password; sid stays, auth_time and the cookie change."""
    browser = door.browser()
    first = (await door.redeem((await signed_up(door, browser, "eve@example.com"))["code"])).json()
    cookie = browser.cookie("lmn_s_acme")
    door.world.advance(100)
    page = await browser.get(f"/oauth/authorize?{urlencode(asked(prompt='login'))}")
    answer = await browser.submit(page, {"password": PASSWORD}, follow=False)
    second = (await door.redeem(answered(await to_app(browser, answer))["code"])).json()
    was, now = jose.peek(first["id_token"]).claims, jose.peek(second["id_token"]).claims
    assert (was["sid"], was["sub"]) == (now["sid"], now["sub"])
    assert int(str(now["auth_time"])) >= int(str(was["auth_time"])) + 100
    assert browser.cookie("lmn_s_acme") != cookie
    old = Client(door.app, BASE)
    stale = await old.get(f"/oauth/authorize?{urlencode(asked(prompt='none'))}", headers={"cookie": f"lmn_s_acme={cookie}"}, follow=False)
    assert answered(stale)["error"] == "login_required"
    assert (await door.refresh(first["refresh_token"])).status == 200


async def test_a_forgotten_password_ends_what_others_may_have(door: Door) -> None:
    """Who recovers her account loses every other session and grant, offline or not."""
    browser = door.browser()
    body = (await door.redeem((await signed_up(door, browser, "eve@example.com"))["code"])).json()
    other = door.browser()
    page = await other.get("/recover")
    page = await other.submit(page, {"identifier": "eve@example.com"})
    page = await other.submit(page, {"code": await code_sent(door, "eve@example.com")})
    page = await other.submit(page, {"new_password": "five loud swans sing"})
    assert page.status == 200, page.words
    assert (await door.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await door.userinfo(body["access_token"])).status == 401
    assert answered(await door.ask(browser, prompt="none"))["error"] == "login_required"


async def test_the_language_asked_for_is_spoken(door: Door) -> None:
    """ui_locales goes with the person through the journey."""
    page = await door.browser().get(f"/oauth/authorize?{urlencode(asked(ui_locales='fr de'))}")
    assert page.headers["content-language"] == "de"
    assert 'lang="de"' in page.text


async def test_a_hint_stands_in_the_field(door: Door) -> None:
    """login_hint is what is typed already; nothing is said about whether it is known."""
    page = await door.browser().get(f"/oauth/authorize?{urlencode(asked(login_hint='eve@example.com'))}")
    assert 'value="eve@example.com"' in page.text


async def test_what_a_person_left_behind_is_cleared_away(door: Door) -> None:
    """A request nobody came back for is sealed while it waits, and gone an hour or two later."""
    await door.browser().get(f"/oauth/authorize?{urlencode(asked(login_hint='canary@example.com'))}")
    rows = statement(sa.select(store.REQUESTS.c.sealed).where(store.REQUESTS.c.tenant == sa.bindparam("tenant")), into=bytes)
    async with door.world.read() as reader:
        (sealed,) = await reader.all(rows)
    assert b"canary" not in sealed
    assert CALLBACK.encode() not in sealed
    door.world.advance(7_200)
    await door.runner.run_due()
    async with door.world.read() as reader:
        assert await reader.all(rows) == []
