"""A second factor: added in the account, asked for at every sign-in, and no way around it for whoever has the password, the mailbox or the session."""

from __future__ import annotations

import asyncio
import base64
import re
from datetime import UTC, datetime

import pytest

from limen.extensions.factors.totp import STEP, hotp, step_of
from limen.modules.journey import Ask, Proof
from limen.modules.signin.model import reached
from tests.journeys.conftest import ADA, PASSWORD, Town
from tests.journeys.conftest import step_of as shown_step
from tests.journeys.test_signing_in import asked, current, prove_page, sign_in
from tests.rig.asgi import Answer, Client

pytestmark = pytest.mark.anyio

SECURITY = "/account/security"


def code(town: Town, secret: bytes, ahead: int = 0) -> str:
    """Return the code that an app shows now."""
    return hotp(secret, step_of(town.world.clock.now()) + ahead)


async def add(browser: Client, kind: str = "totp") -> Answer:
    """Go as far as the page that shows a new secret."""
    page = await browser.submit(await browser.get(SECURITY), action="add")
    assert shown_step(page) == "factors.pick"
    return await browser.submit(page, action=kind)


async def with_app(town: Town, browser: Client) -> bytes:
    """Add an authenticator app; return its secret. A step passes, so that its next code is a new one."""
    page = await add(browser)
    letters = re.search(r'<code dir="ltr">([A-Z2-7 ]+)</code>', page.text)
    assert letters is not None
    secret = base64.b32decode(letters[1].replace(" ", ""))
    page = await browser.submit(page, {"code": code(town, secret)})
    assert page.url.startswith(f"http://localhost:8400{SECURITY}")
    assert "Authenticator app" in page.words
    town.world.advance(2 * STEP)
    return secret


async def with_codes(browser: Client) -> list[str]:
    """Take recovery codes."""
    page = await add(browser, "recovery_codes")
    codes = re.findall(r"<code>([0-9A-Z]{7}-[0-9A-Z]{7})</code>", page.text)
    assert len(codes) == 10
    await browser.submit(page)
    return codes


async def customer(town: Town) -> tuple[Client, bytes]:
    """Return the browser of somebody with a password and an app, and the app's secret."""
    await town.account()
    browser = town.browser()
    await sign_in(browser)
    return browser, await with_app(town, browser)


async def test_an_app_is_added_and_asked_for(town: Town) -> None:
    """She is told by mail; from then on the password is half of it, and with the code the session says aal2 by both."""
    await customer(town)
    assert (await town.mails())[0]["subject"] == "A way to sign in to Acme was added"
    browser = town.browser()
    page = await sign_in(browser)
    assert shown_step(page) == "signin.prove"
    assert "One more step" in page.words
    assert {value for _, value in page.forms()[0].buttons} == {"continue", "another"}
    assert await current(town, browser) is None


async def test_password_and_code_are_two_factors(town: Town) -> None:
    """Acr aal2; amr names both, and that there were several (RFC 8176)."""
    _, secret = await customer(town)
    browser = town.browser()
    page = await browser.submit(await sign_in(browser), {"code": code(town, secret)})
    assert page.url.endswith("/account")
    session = await current(town, browser)
    assert session is not None
    assert (session.acr, session.amr) == ("aal2", ("pwd", "otp", "mfa"))


async def test_a_code_seen_over_a_shoulder_is_worth_nothing(town: Town) -> None:
    """The same code a second time, in another browser within its half minute, is refused (RFC 6238, section 5.2)."""
    _, secret = await customer(town)
    seen = code(town, secret)
    owner, thief = town.browser(), town.browser()
    page = await owner.submit(await sign_in(owner), {"code": seen})
    assert page.url.endswith("/account")
    page = await thief.submit(await sign_in(thief), {"code": seen})
    assert shown_step(page) == "signin.prove"
    assert await current(town, thief) is None


async def test_of_two_that_show_a_code_at_once_one_gets_in(town: Town) -> None:
    """Whatever the moment: the secret is stored anew under the version that was compared with."""
    _, secret = await customer(town)
    browsers = [town.browser() for _ in range(4)]
    pages = [await sign_in(browser) for browser in browsers]
    shown = code(town, secret)
    await asyncio.gather(*(browser.submit(page, {"code": shown}) for browser, page in zip(browsers, pages, strict=True)))
    assert sum([await current(town, browser) is not None for browser in browsers]) == 1


async def test_who_has_the_mailbox_does_not_get_past(town: Town) -> None:
    """Not by a code to the address, not by recovery, which changes nothing before the second factor, and not by signing up again."""
    await customer(town)
    thief = town.browser()
    page = await thief.submit(await prove_page(thief), action="email_code")
    page = await thief.submit(page, {"code": await town.code()})
    assert (shown_step(page), await current(town, thief)) == ("signin.prove", None)
    assert "authenticator app" in page.words

    thief = town.browser()
    page = await thief.submit(await thief.get("/recover"), {"identifier": ADA})
    page = await thief.submit(page, {"code": await town.code()})
    assert shown_step(page) == "signin.second"
    assert await town.facts("signin.password_recovered") == []

    thief = town.browser()
    page = await thief.submit(await thief.get("/signup"), {"identifier": ADA})
    page = await thief.submit(page, {"code": await town.code()})
    while shown_step(page).startswith("signup."):
        page = await thief.submit(page)
    assert (shown_step(page), await current(town, thief)) == ("signin.prove", None)


async def test_who_has_the_session_alone_changes_nothing(town: Town) -> None:
    """Later than ten minutes after the sign-in both factors are asked for before one is added or removed."""
    browser, secret = await customer(town)
    town.world.advance(11 * 60)
    for action in ("add", "remove"):
        page = await browser.submit(await browser.get(SECURITY), action=action)
        assert shown_step(page) == "signin.prove"
        assert "password" in page.text
        page = await browser.submit(page, {"password": PASSWORD})
        assert "authenticator app" in page.words
    page = await browser.submit(page, {"code": code(town, secret)})
    assert shown_step(page) == "factors.remove"
    page = await browser.submit(page, action="cancel")
    assert "Authenticator app" in page.words


async def test_it_is_removed_and_she_is_told(town: Town) -> None:
    """She shows once more what is to go; after that the password is enough again, since nothing else is there."""
    browser, secret = await customer(town)
    page = await browser.submit(await browser.get(SECURITY), action="remove")
    page = await browser.submit(page, {"password": PASSWORD})
    page = await browser.submit(page, {"code": code(town, secret)})
    page = await browser.submit(page, action="remove")
    assert "Authenticator app" not in page.words
    assert (await town.mails())[0]["subject"] == "A way to sign in to Acme was removed"
    assert (await sign_in(town.browser())).url.endswith("/account")


async def test_a_session_of_the_password_alone_removes_nothing(town: Town) -> None:
    """Not even where the tenant asks nobody for a second factor at sign-in; who signs in by e-mail alone has nothing stronger to show."""
    await customer(town)
    await town.set(signin={"second_factor": "never"})
    thief = town.browser()
    assert (await sign_in(thief)).url.endswith("/account")
    page = await thief.submit(await thief.get(SECURITY), action="remove")
    page = await thief.submit(page, {"password": PASSWORD})
    assert (shown_step(page), "authenticator app" in page.words) == ("signin.prove", True)
    assert await town.facts("factors.factor_removed") == []


async def test_a_recovery_code_stands_in_for_a_lost_phone_once(town: Town) -> None:
    """Another way on the page of the second factor; each code works once, and the phone's code still does."""
    browser, secret = await customer(town)
    codes = await with_codes(browser)
    for used, gets_in in ((codes[0].lower(), True), (codes[0], False), (codes[1], True)):
        fresh = town.browser()
        page = await fresh.submit(await sign_in(fresh), action="recovery_codes")
        await fresh.submit(page, {"recovery_code": used})
        assert (await current(town, fresh) is not None) is gets_in, used
    fresh = town.browser()
    assert (await fresh.submit(await sign_in(fresh), {"code": code(town, secret)})).url.endswith("/account")


async def test_recovery_with_the_second_factor_goes_on(town: Town) -> None:
    """Mailbox and app: a new password is chosen, and she is in."""
    _, secret = await customer(town)
    browser = town.browser()
    page = await browser.submit(await browser.get("/recover"), {"identifier": ADA})
    page = await browser.submit(page, {"code": await town.code()})
    assert "Continue" in page.words
    assert "Sign in" not in page.words
    page = await browser.submit(page, {"code": code(town, secret)})
    assert shown_step(page) == "signin.new_password"
    page = await browser.submit(page, {"new_password": "another grey goose walks"})
    assert page.url.endswith("/account")


async def test_a_wrong_code_adds_nothing_and_guesses_are_counted(town: Town) -> None:
    """At enrolment a wrong code leaves the page; at sign-in five are free, then each waits."""
    await town.account()
    browser = town.browser()
    await sign_in(browser)
    page = await add(browser)
    page = await browser.submit(page, {"code": "000000"})
    assert shown_step(page) == "factors.add"
    assert "not right" in page.words
    await with_app(town, browser)
    thief = town.browser()
    page = await sign_in(thief)
    for _ in range(6):
        page = await thief.submit(page, {"code": "000000"})
    assert "Too many wrong tries" in page.words


async def test_a_tenant_may_leave_it_to_the_apps(town: Town) -> None:
    """With `second_factor = "never"` the password is enough, until an app asks for aal2."""
    await customer(town)
    await town.set(signin={"second_factor": "never"})
    browser = town.browser()
    assert (await sign_in(browser)).url.endswith("/account")
    page = await browser.get(await asked(town, browser, Ask(acr_values=("aal2",))))
    page = await browser.submit(page, {"password": PASSWORD})
    assert "authenticator app" in page.words


@pytest.mark.parametrize(
    ("shown", "acr"),
    [
        ("pwd", "aal1"),
        ("totp", "aal1"),
        ("pwd totp", "aal2"),
        ("totp paper", "aal1"),
        ("mail", "lmn:email"),
        ("mail totp", "aal1"),
        ("mail pwd", "aal1"),
        ("mail pwd paper", "aal2"),
    ],
)
def test_what_proofs_reach_together(shown: str, acr: str) -> None:
    """Two of one kind are one; an address strengthens nothing (SP 800-63B-4, 2.2.1)."""
    kinds = {"pwd": ("known", "aal1"), "totp": ("held", "aal1"), "paper": ("held", "aal1"), "mail": ("address", "lmn:email")}
    now = datetime(2026, 11, 25, tzinfo=UTC)
    assert reached([Proof(factor=name, amr=(), acr=kinds[name][1], means=kinds[name][0], at=now) for name in shown.split()]) == acr
