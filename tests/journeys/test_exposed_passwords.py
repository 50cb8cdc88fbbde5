"""A right password that attackers know: it lets its owner on, to a page where she chooses another."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from limen.extensions.factors.password import corpus
from limen.extensions.factors.password.known import open_leaked
from limen.extensions.factors.password.settings import Server
from limen.kernel.secrets import Secret
from limen.modules import accounts, factors
from limen.modules.factors import Prepared
from limen.platform.crypto import hash_password
from limen.platform.duties import Settings
from tests.journeys.conftest import ADA, OURS, PASSWORD, Town, step_of
from tests.journeys.test_second_factor import code, with_app
from tests.journeys.test_signing_in import current, sign_in

pytestmark = pytest.mark.anyio

KNOWN = "Sunshine2019!"
NEW = "seven slow snails sing"


async def exposed(town: Town, password: str = KNOWN) -> None:
    """Make an account with a password of a time when nobody minded."""
    account = await town.account(password=None)
    hashed = hash_password(password).encode()
    async with town.world.work() as work:
        await factors.enrol(work, account, Prepared("password", Secret(hashed)))


async def test_she_chooses_another_and_is_in(town: Town) -> None:
    """The right password leads to the page that says why; after it she is in, the old one is wrong, and she is told by mail."""
    await exposed(town)
    browser = town.browser()
    page = await sign_in(browser, password=KNOWN)
    assert step_of(page) == "signin.replace_password"
    assert "on lists that attackers try first" in page.words
    assert await current(town, browser) is None
    page = await browser.submit(page, {"new_password": NEW})
    assert page.url.endswith("/account")
    session = await current(town, browser)
    assert session is not None
    assert (session.acr, session.amr) == ("aal1", ("pwd",))
    assert "do not fit together" in (await sign_in(town.browser(), password=KNOWN)).words
    assert (await sign_in(town.browser(), password=NEW)).url.endswith("/account")
    assert "was changed" in (await town.mails())[0]["subject"]
    assert [fact.name for fact in await town.facts("signin.password_")] == ["signin.password_exposed", "signin.password_replaced"]


async def test_a_wrong_password_is_said_to_be_wrong(town: Town) -> None:
    """Nobody who does not know the password learns that it is on a list, nor is a wrong one looked for in it."""
    await exposed(town)
    page = await sign_in(town.browser(), password="Sunshine2018!")
    assert step_of(page) == "signin.prove"
    assert await town.facts("signin.password_exposed") == []


async def test_another_that_is_known_will_not_do(town: Town) -> None:
    """The page stays, says what is wrong, and lets nobody in."""
    await exposed(town)
    browser = town.browser()
    page = await sign_in(browser, password=KNOWN)
    page = await browser.submit(page, {"new_password": KNOWN + "Sunshine"})
    assert step_of(page) == "signin.replace_password"
    assert "easy to guess" in page.words
    assert await current(town, browser) is None


async def test_what_was_open_with_the_old_one_ends(town: Town) -> None:
    """Whoever is signed in elsewhere, perhaps with the list in hand, is out."""
    await exposed(town)
    await town.set(password={"check_at_sign_in": False})
    other = town.browser()
    assert (await sign_in(other, password=KNOWN)).url.endswith("/account")
    await town.set(password={"check_at_sign_in": True})
    browser = town.browser()
    await browser.submit(await sign_in(browser, password=KNOWN), {"new_password": NEW})
    assert await current(town, other) is None
    assert await current(town, browser) is not None
    assert [fact.data["reason"] for fact in await town.facts("sessions.all_ended")] == ["credential_changed"]


async def test_a_stolen_one_is_changed_likewise(town: Town, tmp_path: Path) -> None:
    """On no list of words, but in the filter: she is led to the page, and the same one will not do again, with the reason beside it."""
    await exposed(town, PASSWORD)
    (tmp_path / "list.txt").write_text(hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest())
    for _ in corpus.build(tmp_path / "list.txt", tmp_path / "leaked.filter"):
        pass
    open_leaked(Settings([Server(leaked=tmp_path / "leaked.filter")]))
    try:
        browser = town.browser()
        page = await sign_in(browser)
        assert step_of(page) == "signin.replace_password"
        page = await browser.submit(page, {"new_password": PASSWORD})
        assert "in a list of stolen passwords" in page.words
        page = await browser.submit(page, {"new_password": NEW})
        assert page.url.endswith("/account")
    finally:
        open_leaked(Settings([]))


async def test_a_suspended_account_changes_nothing(town: Town) -> None:
    """She is turned away before she is asked for a new password."""
    await exposed(town)
    async with town.world.work() as work:
        account = await accounts.by_normal(work, "email", ADA)
        assert account is not None
        await accounts.suspend(work, account.id, "abuse")
    page = await sign_in(town.browser(), password=KNOWN)
    assert step_of(page) == "signin.identify"
    assert "cannot be used at the moment" in page.words


async def test_nobody_goes_past_the_page(town: Town) -> None:
    """Going on without a password, or naming another step, opens no session."""
    await exposed(town)
    browser = town.browser()
    page = await sign_in(browser, password=KNOWN)
    form = page.forms()[0]
    for said in ({"action": "continue", "new_password": ""}, {"action": "skip"}, {"step": "signin.enter"}):
        page = await browser.post(page.url, form={**form.fields, **said}, headers=OURS)
        assert step_of(page) == "signin.replace_password"
    assert await current(town, browser) is None


async def test_a_good_password_meets_no_such_page(town: Town) -> None:
    """Beside the address on the first page, a password that nobody knows opens the session at once; one that is known leads on like anywhere."""
    await exposed(town)
    await town.account("bob@example.com")
    for address, password, step in (("bob@example.com", PASSWORD, ""), (ADA, KNOWN, "signin.replace_password")):
        browser = town.browser()
        page = await browser.submit(await browser.get("/signin"), {"identifier": address, "password": password})
        assert step_of(page) == step
        assert (await current(town, browser) is None) is bool(step)


async def test_a_second_factor_comes_before_the_change(town: Town) -> None:
    """Whoever has the list alone changes nothing; going on as somebody else asks nothing of her; with the code the owner comes to the page."""
    await exposed(town)
    await town.account("bob@example.com")
    await town.set(password={"check_at_sign_in": False})
    browser = town.browser()
    await sign_in(browser, password=KNOWN)
    secret = await with_app(town, browser)
    await town.set(password={"check_at_sign_in": True})
    thief, owner = town.browser(), town.browser()
    page = await sign_in(thief, password=KNOWN)
    assert step_of(page) == "signin.prove"
    forced = await thief.post(page.url, form={**page.forms()[0].fields, "step": "signin.replace_password", "new_password": NEW}, headers=OURS)
    assert step_of(forced) == "signin.prove"
    page = await thief.submit(forced, action="another")
    page = await thief.submit(page, {"identifier": "bob@example.com", "password": PASSWORD})
    assert page.url.endswith("/account")
    page = await owner.submit(await sign_in(owner, password=KNOWN), {"code": code(town, secret)})
    assert step_of(page) == "signin.replace_password"
    page = await owner.submit(page, {"new_password": NEW})
    assert page.url.endswith("/account")
    session = await current(town, owner)
    assert session is not None
    assert session.acr == "aal2"


async def test_signing_in_anew_before_a_change_asks_likewise(town: Town) -> None:
    """Before a factor is added she signs in anew; a password that is known is changed there too, and she goes on to what she wanted."""
    await exposed(town)
    await town.set(password={"check_at_sign_in": False})
    browser = town.browser()
    await sign_in(browser, password=KNOWN)
    await town.set(password={"check_at_sign_in": True})
    town.world.advance(3600)
    page = await browser.submit(await browser.get("/account/security"), action="add")
    assert step_of(page) == "signin.prove"
    page = await browser.submit(page, {"password": KNOWN})
    assert step_of(page) == "signin.replace_password"
    page = await browser.submit(page, {"new_password": NEW})
    assert step_of(page) == "factors.pick"
