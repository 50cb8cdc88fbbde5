"""A forgotten password: from the mailbox to a new one, and what ends with the old."""

from __future__ import annotations

import pytest

from limen.modules import accounts
from tests.journeys.conftest import ADA, OURS, PASSWORD, Town, step_of
from tests.journeys.test_signing_in import current, prove_page, sign_in
from tests.rig.asgi import Answer, Client

pytestmark = pytest.mark.anyio

NEW = "seven slow snails sing"


async def recovered(town: Town, browser: Client) -> Answer:
    """Go the whole way to a new password."""
    page = await browser.get("/recover")
    assert step_of(page) == "signin.recover_identify"
    page = await browser.submit(page, {"identifier": ADA})
    assert step_of(page) == "signin.recover_prove"
    page = await browser.submit(page, {"code": await town.code()})
    assert step_of(page) == "signin.new_password"
    return await browser.submit(page, {"new_password": NEW})


async def test_she_chooses_another_and_is_in(town: Town) -> None:
    """The code, a new password, the portal; the old one is wrong from then on, and she is told by mail."""
    await town.account()
    browser = town.browser()
    page = await recovered(town, browser)
    assert page.url.endswith("/account")
    assert "do not fit together" in (await sign_in(town.browser())).words
    assert (await sign_in(town.browser(), password=NEW)).url.endswith("/account")
    told = (await town.mails())[0]
    assert told["to"] == ADA
    assert "was changed" in told["subject"]
    assert told["link"] == "http://localhost:8400/recover"


async def test_every_other_session_ends(town: Town) -> None:
    """Browsers signed in with the old password are out; the fact that ends grants says why."""
    await town.account()
    other, browser = town.browser(), town.browser()
    await sign_in(other)
    await sign_in(browser)
    await recovered(town, browser)
    assert await current(town, other) is None
    assert await current(town, browser) is not None
    assert [fact.data["reason"] for fact in await town.facts("sessions.all_ended")] == ["credential_changed"]


async def test_a_mailbox_reaches_no_level_by_choosing_a_password(town: Town) -> None:
    """E-mail never raises an assurance level: the session of a recovery says lmn:email."""
    await town.account()
    browser = town.browser()
    await recovered(town, browser)
    session = await current(town, browser)
    assert session is not None
    assert session.acr == "lmn:email"


async def test_the_way_there_from_the_password_page(town: Town) -> None:
    """The button carries the address along, sends the code at once, and the way back is open before."""
    await town.account()
    browser = town.browser()
    page = await browser.submit(await prove_page(browser), action="recover")
    assert step_of(page) == "signin.recover_prove"
    assert "get back into" in (await town.mails())[0]["subject"]
    page = await browser.submit(page, action="another")
    page = await browser.submit(page, action="signin")
    assert step_of(page) == "signin.identify"


async def test_nobody_chooses_before_the_proof(town: Town) -> None:
    """The step of the new password posted too early changes nothing."""
    await town.account()
    browser = town.browser()
    page = await browser.submit(await browser.get("/recover"), {"identifier": ADA})
    form = page.forms()[0]
    forced = await browser.post(
        page.url,
        form={**form.fields, "step": "signin.new_password", "new_password": NEW, "action": "continue"},
        headers=OURS,
    )
    assert step_of(forced) == "signin.recover_prove"
    assert (await sign_in(town.browser())).url.endswith("/account")


async def test_an_unknown_address_gets_no_code(town: Town) -> None:
    """The page is the same, the mail says that there is no account."""
    browser = town.browser()
    page = await browser.submit(await browser.get("/recover"), {"identifier": "nobody@example.com"})
    assert step_of(page) == "signin.recover_prove"
    assert [(mail["to"], mail["code"]) for mail in await town.mails()] == [("nobody@example.com", "")]


async def test_a_suspended_account_keeps_its_password(town: Town) -> None:
    """After the proof she is told that it cannot be used, and nothing of it was changed."""
    account = await town.account()
    async with town.world.work() as work:
        await accounts.suspend(work, account, "abuse")
    browser = town.browser()
    page = await browser.submit(await browser.get("/recover"), {"identifier": ADA})
    page = await browser.submit(page, {"code": await town.code()})
    assert step_of(page) == "signin.identify"
    assert "cannot be used at the moment" in page.words
    assert [fact for fact in await town.facts("factors.factor_enrolled") if fact.data["replaced"]] == []


async def test_whoever_had_no_password_gets_one(town: Town) -> None:
    """Recovery gives an account without a password its first."""
    await town.account(password=None)
    assert (await recovered(town, town.browser())).url.endswith("/account")
    assert (await sign_in(town.browser(), password=NEW)).url.endswith("/account")


async def test_a_tenant_without_passwords_lets_her_in_by_the_code(town: Town) -> None:
    """Where passwords are no way in, none is chosen."""
    await town.account(password=None)
    await town.set(signin={"methods": ["email_code"]})
    browser = town.browser()
    page = await browser.submit(await browser.get("/recover"), {"identifier": ADA})
    page = await browser.submit(page, {"code": await town.code()})
    assert page.url.endswith("/account")


async def test_a_closed_factor_opens_with_the_new_password(town: Town) -> None:
    """What a thief's guesses closed, the owner's mailbox opens."""
    await town.account()
    thief = town.browser()
    page = await prove_page(thief)
    for _ in range(6):
        page = await thief.submit(page, {"password": "a guess of the thief"})
    assert "Too many wrong tries" in page.words
    await recovered(town, town.browser())
    assert (await sign_in(town.browser(), password=NEW)).url.endswith("/account")
    assert PASSWORD != NEW
