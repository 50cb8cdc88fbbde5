"""Signing up, as a browser without script does it, and as a thief would."""

from __future__ import annotations

import asyncio

import pytest

from limen.modules import accounts, profiles
from tests.journeys.conftest import ADA, OURS, PASSWORD, Town, step_of
from tests.rig.asgi import Answer, Client

pytestmark = pytest.mark.anyio


async def code_page(browser: Client, address: str = ADA) -> Answer:
    """Go as far as the page that asks for the code."""
    page = await browser.get("/signup")
    page = await browser.submit(page, {"identifier": address})
    assert step_of(page) == "signup.prove"
    return page


async def test_somebody_signs_up_and_stands_in_the_portal(town: Town) -> None:
    """Address, code from the mailbox, password; then she is signed in, and the account is hers."""
    browser = town.browser()
    page = await browser.get("/signup")
    assert page.status == 200
    assert step_of(page) == "signup.identify"
    page = await browser.submit(page, {"identifier": "Ada@Example.com"})
    assert step_of(page) == "signup.prove"
    page = await browser.submit(page, {"code": await town.code()})
    assert step_of(page) == "signup.password"
    page = await browser.submit(page, {"new_password": PASSWORD})
    assert page.status == 200, page.words
    assert page.url == "http://localhost:8400/account"
    assert ADA in page.words
    opened = await town.facts("sessions.session_opened")
    assert [(fact.data["acr"], fact.data["amr"]) for fact in opened] == [("aal1", ["otp", "pwd"])]


async def test_the_mail_names_its_purpose_and_goes_to_the_address(town: Town) -> None:
    """The sign-up mail, with a code and no word in its subject that unlocks anything."""
    await code_page(town.browser())
    mail = (await town.mails())[0]
    assert (mail["to"], len(mail["code"])) == (ADA, 6)
    assert mail["code"] not in mail["subject"]
    assert "Confirm your e-mail address" in mail["subject"]


async def test_an_address_that_is_none_is_said_and_kept(town: Town) -> None:
    """The mistake stands beside the field, what was typed stands in it, and no mail goes."""
    browser = town.browser()
    page = await browser.get("/signup")
    for typed, said in (("ada(at)example", "does not look like an e-mail address"), ("", "Enter your e-mail address")):
        page = await browser.submit(page, {"identifier": typed})
        assert said in page.words
        assert page.forms()[0].fields["identifier"] == typed
        assert page.status == 200
    assert await town.mails() == []


async def test_wrong_codes_up_to_the_limit(town: Town) -> None:
    """Five tries for a code; then even the right one is refused, and a new one works."""
    browser = town.browser()
    page = await code_page(browser)
    right = await town.code()
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for left in (4, 3, 2, 1):
        page = await browser.submit(page, {"code": wrong})
        assert f"{left} tr" in page.words
    page = await browser.submit(page, {"code": wrong})
    assert "it was the last try" in page.words
    page = await browser.submit(page, {"code": right})
    assert step_of(page) == "signup.prove"
    assert "used up or too old" in page.words
    page = await browser.submit(page, action="resend")
    assert "A new code is on its way" in page.words
    town.world.advance(2)
    page = await browser.submit(page, {"code": await town.code()})
    assert step_of(page) == "signup.password", page.words


async def test_a_code_is_too_old_after_ten_minutes(town: Town) -> None:
    """The page says so and offers a new one; the journey goes on."""
    browser = town.browser()
    page = await code_page(browser)
    code = await town.code()
    town.world.advance(601)
    page = await browser.submit(page, {"code": code})
    assert "too old" in page.words
    page = await browser.submit(page, action="resend")
    page = await browser.submit(page, {"code": await town.code()})
    assert step_of(page) == "signup.password"


async def test_a_new_code_makes_the_old_one_void(town: Town) -> None:
    """Of two codes the newer works, the older costs a try."""
    browser = town.browser()
    page = await code_page(browser)
    old = await town.code()
    page = await browser.submit(page, action="resend")
    new = await town.code()
    if old != new:
        page = await browser.submit(page, {"code": old})
        assert step_of(page) == "signup.prove"
    assert step_of(await browser.submit(page, {"code": new})) == "signup.password"


async def test_five_mails_an_hour_for_an_address(town: Town) -> None:
    """The sixth is refused in words, the last code still works, and after an hour there is another."""
    browser = town.browser()
    page = await code_page(browser)
    for _ in range(4):
        await town.mails()
        page = await browser.submit(page, action="resend")
    code = await town.code()
    page = await browser.submit(page, action="resend")
    assert "Several codes were sent to this address" in page.words
    assert len(await town.mails()) == 5
    assert step_of(await browser.submit(page, {"code": code})) == "signup.password"
    other = town.browser()
    page = await code_page(other)
    assert "Several codes were sent" in page.words
    assert len(await town.mails()) == 5


async def test_nobody_gets_a_code_by_being_refused_one(town: Town) -> None:
    """Where no mail went, no code from elsewhere fits: one sent for the thief's own address proves nothing about another."""
    flood = town.browser()
    page = await code_page(flood)
    for _ in range(4):
        page = await flood.submit(page, action="resend")
    thief = town.browser()
    page = await code_page(thief, "mallory@example.com")
    own = await town.code("mallory@example.com")
    page = await thief.submit(page, action="another")
    page = await thief.submit(page, {"identifier": ADA})
    assert "Several codes were sent" in page.words
    page = await thief.submit(page, {"code": own})
    assert step_of(page) == "signup.prove"
    assert "not right" in page.words


async def test_an_address_with_an_account_goes_the_same_way_and_is_told_after_the_proof(town: Town) -> None:
    """Only whoever proved the mailbox learns that there is an account, and is then signed in to it: none is made."""
    account = await town.account()
    browser, stranger = town.browser(), town.browser()
    known, unknown = await code_page(browser), await code_page(stranger, "bob@example.com")
    assert known.words.replace(ADA, "-") == unknown.words.replace("bob@example.com", "-")
    page = await browser.submit(known, {"code": await town.code()})
    assert step_of(page) == "signup.existing"
    assert "You already have an account" in page.words
    page = await browser.submit(page)
    assert page.url.endswith("/account")
    assert [fact.subject for fact in await town.facts("sessions.session_opened")] == [account]
    assert len(await town.facts("accounts.account_created")) == 1


async def test_an_address_nobody_proved_reserves_nothing(town: Town) -> None:
    """Pre-hijacking: a thief begins with the victim's address; the victim signs up as if nobody had, and the thief's journey leads nowhere."""
    thief, victim = town.browser(), town.browser()
    caught = await code_page(thief)
    await town.mails()
    assert await town.facts("accounts.account_created") == []
    page = await code_page(victim)
    page = await victim.submit(page, {"code": await town.code()})
    page = await victim.submit(page, {"new_password": PASSWORD})
    assert page.url.endswith("/account")
    caught = await thief.submit(caught, {"code": "000000"})
    assert step_of(caught) == "signup.prove"
    assert (await thief.get("/account", follow=False)).status in (302, 303)


async def test_the_victims_code_does_not_work_in_the_thiefs_journey(town: Town) -> None:
    """A code belongs to the journey that asked for it: typed into another journey for the same address it is wrong."""
    thief, victim = town.browser(), town.browser()
    caught = await code_page(thief)
    await town.mails()
    page = await code_page(victim)
    code = await town.code()
    caught = await thief.submit(caught, {"code": code})
    assert step_of(caught) == "signup.prove"
    assert step_of(await victim.submit(page, {"code": code})) == "signup.password"


async def test_a_code_works_once(town: Town) -> None:
    """Replayed at the page it was typed into, it changes nothing: the step is gone by."""
    browser = town.browser()
    page = await code_page(browser)
    code = await town.code()
    first = await browser.submit(page, {"code": code})
    again = await browser.submit(page, {"code": code})
    assert step_of(first) == step_of(again) == "signup.password"
    assert len(await town.facts("factors.factor_passed")) == 1


async def test_pressing_twice_uses_the_code_once(town: Town) -> None:
    """Four posts of the code at the same moment: one proof, and all tabs end at the same page."""
    browser = town.browser()
    page = await code_page(browser)
    code = await town.code()
    pages = await asyncio.gather(*(browser.submit(page, {"code": code}) for _ in range(4)))
    assert {step_of(one) for one in pages} == {"signup.password"}
    assert len(await town.facts("factors.factor_passed")) == 1


async def test_two_browsers_of_one_person_make_one_account(town: Town) -> None:
    """Where nothing is asked for besides, she proves the address in two journeys at once: the second is told that the account exists."""
    await town.set(signup={"password": "none"})
    one, two = town.browser(), town.browser()
    first = await code_page(one)
    code_one = await town.code()
    second = await code_page(two)
    code_two = next(mail["code"] for mail in await town.mails() if mail["code"] != code_one)
    pages = await asyncio.gather(one.submit(first, {"code": code_one}), two.submit(second, {"code": code_two}))
    assert sorted(step_of(page) for page in pages) == ["", "signup.existing"]
    assert len(await town.facts("accounts.account_created")) == 1


async def test_a_password_that_will_not_do_is_explained(town: Town) -> None:
    """Too short, too common, made of her own address: said beside the field; she stays where she is."""
    browser = town.browser()
    page = await browser.submit(await code_page(browser), {"code": await town.code()})
    for password, said in (
        ("short", "at least 15 characters"),
        ("passwordpassword1", "easy to guess"),
        ("ada-example-ada-example", "easy to guess"),
        ("x" * 300, "too long"),
    ):
        page = await browser.submit(page, {"new_password": password})
        assert said in page.words, (password, page.words)
        assert password not in page.text
        assert step_of(page) == "signup.password"
        assert ("Repeating letters or words adds little" in page.words) == (password == "passwordpassword1")
    page = await browser.submit(page, {"new_password": PASSWORD})
    assert page.url.endswith("/account")


async def test_tenants_choose_what_is_asked(town: Town) -> None:
    """A password may be left out or never asked; a name may be asked, is checked, and lands in the profile."""
    await town.set(signup={"password": "optional", "name": "required"})
    browser = town.browser()
    page = await browser.submit(await code_page(browser), {"code": await town.code()})
    page = await browser.submit(page, action="skip")
    assert step_of(page) == "signup.name"
    page = await browser.submit(page, {"given_name": " "})
    assert "Enter your first name" in page.words
    page = await browser.submit(page, {"given_name": "Ada", "family_name": "x" * 250})
    assert step_of(page) == "signup.name"
    assert page.forms()[0].fields["given_name"] == "Ada"
    page = await browser.submit(page, {"given_name": "Ada", "family_name": "Lovelace"})
    assert page.url.endswith("/account")
    async with town.world.read() as read:
        found = await accounts.by_identifier(read, "email", ADA)
        assert found is not None
        profile = await profiles.read(read, found.id)
    assert (profile.given_name, profile.family_name) == ("Ada", "Lovelace")
    assert [fact.data["acr"] for fact in await town.facts("sessions.session_opened")] == ["lmn:email"]
    await town.set(signup={"password": "none"})
    other = town.browser()
    page = await other.submit(await code_page(other, "bob@example.com"), {"code": await town.code("bob@example.com")})
    assert page.url.endswith("/account")


async def test_a_required_password_cannot_be_skipped(town: Town) -> None:
    """The button is not there, and pressing it all the same does nothing."""
    browser = town.browser()
    page = await browser.submit(await code_page(browser), {"code": await town.code()})
    form = page.forms()[0]
    assert "skip" not in {value for _, value in form.buttons}
    page = await browser.post(page.url, form={**form.fields, "action": "skip"}, headers=OURS)
    assert step_of(page) == "signup.password"
    assert await town.facts("sessions.session_opened") == []


async def test_one_may_change_ones_mind(town: Town) -> None:
    """From sign-up to sign-in and back, and to another address, without beginning anew."""
    browser = town.browser()
    page = await browser.get("/signup")
    page = await browser.submit(page, {"identifier": ADA}, action="signin")
    assert step_of(page) == "signin.identify"
    assert page.forms()[0].fields["identifier"] == ADA
    page = await browser.submit(page, action="create")
    page = await browser.submit(page, {"identifier": "adda@example.com"})
    page = await browser.submit(page, action="another")
    assert page.forms()[0].fields["identifier"] == "adda@example.com"
    page = await browser.submit(page, {"identifier": ADA})
    assert step_of(await browser.submit(page, {"code": await town.code()})) == "signup.password"
