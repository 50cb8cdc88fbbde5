"""Signing in, as a browser without script does it, and as a thief would."""

from __future__ import annotations

import asyncio

import pytest

from limen.kernel import secrets
from limen.modules import accounts, factors, journey, sessions
from limen.modules.factors import store
from limen.modules.journey import Ask, Return
from tests.journeys.conftest import ADA, OURS, PASSWORD, Town, plain, step_of
from tests.rig.asgi import Answer, Client

pytestmark = pytest.mark.anyio

BOB = "bob@example.com"


async def prove_page(browser: Client, address: str = ADA) -> Answer:
    """Go as far as the page that asks for a factor."""
    page = await browser.get("/signin")
    page = await browser.submit(page, {"identifier": address})
    assert step_of(page) == "signin.prove"
    return page


async def sign_in(browser: Client, address: str = ADA, password: str = PASSWORD) -> Answer:
    """Sign in by password."""
    return await browser.submit(await prove_page(browser, address), {"password": password})


async def asked(town: Town, browser: Client, ask: Ask) -> str:
    """Begin a journey as a door would, for this very browser; return where it is sent."""
    await browser.get("/signin")
    session = await current(town, browser)
    cookie = browser.cookie("lmn_j_acme")
    assert cookie is not None
    digest = secrets.digest(f"acme {cookie.removeprefix('acme.')}")
    async with town.world.work() as work:
        begun = await journey.begin(work, "sign_in", ask, Return("portal", ""), digest, session.id if session else None)
    return journey.entrance("sign_in", begun, ask.locales)


async def current(town: Town, browser: Client) -> sessions.Session | None:
    """Return the session of a browser."""
    cookie = browser.cookie("lmn_s_acme")
    async with town.world.read() as read:
        return await sessions.by_secret(read, cookie.removeprefix("acme.")) if cookie else None


async def test_by_password(town: Town) -> None:
    """Address, password, portal; the session says aal1 by pwd."""
    account = await town.account()
    browser = town.browser()
    page = await sign_in(browser)
    assert page.url.endswith("/account")
    session = await current(town, browser)
    assert session is not None
    assert (session.account, session.acr, session.amr) == (account, "aal1", ("pwd",))


async def test_by_code(town: Town) -> None:
    """The button for a code by e-mail, the code, portal; a mailbox alone reaches no level."""
    account = await town.account(password=None)
    browser = town.browser()
    page = await prove_page(browser)
    assert {"password", "email_code"} & {value for _, value in page.forms()[0].buttons} == {"email_code"}
    page = await browser.submit(page, action="email_code")
    assert {"password", "email_code"} & {value for _, value in page.forms()[0].buttons} == {"password"}
    page = await browser.submit(page, {"code": await town.code()})
    assert page.url.endswith("/account")
    session = await current(town, browser)
    assert session is not None
    assert (session.account, session.acr, session.amr) == (account, "lmn:email", ("otp",))


async def test_the_tenants_first_method_comes_first(town: Town) -> None:
    """With the code first, it is sent at once; with the password alone, nothing else is offered."""
    await town.account()
    await town.set(signin={"methods": ["email_code", "password"]})
    browser = town.browser()
    page = await prove_page(browser)
    assert "code" in page.forms()[0].inputs
    page = await browser.submit(page, {"code": await town.code()})
    assert page.url.endswith("/account")
    await town.set(signin={"methods": ["password"]})
    page = await prove_page(town.browser())
    assert "email_code" not in page.text


async def test_a_wrong_password_is_said_and_the_right_one_still_works(town: Town) -> None:
    """The words blame nobody and name neither half; what was typed is not shown again."""
    await town.account()
    browser = town.browser()
    page = await browser.submit(await prove_page(browser), {"password": "not her password at all"})
    assert "The address and the password do not fit together" in page.words
    assert "not her password" not in page.text
    page = await browser.submit(page, {"password": PASSWORD})
    assert page.url.endswith("/account")
    assert [fact.data["failures"] for fact in await town.facts("factors.factor_failed")] == [1]


async def test_known_and_unknown_addresses_look_alike(town: Town) -> None:
    """Every page and status is the same, byte for byte, for an account, one without a password, a suspended, a closed one, and nobody."""
    await town.account()
    await town.account("eve@example.com", None)
    suspended, closed = await town.account("sue@example.com"), await town.account("clo@example.com")
    async with town.world.work() as work:
        await accounts.suspend(work, suspended, "abuse")
        await accounts.close(work, closed, "asked")
    seen = []
    for address in (ADA, "eve@example.com", "sue@example.com", "clo@example.com", "nobody@example.com"):
        browser = town.browser()
        walk = [await prove_page(browser, address)]
        for _ in range(7):  # beyond the free tries: the waiting looks alike too
            walk.append(await browser.submit(walk[-1], {"password": "not the password either"}))
        walk.append(await browser.submit(walk[-1], action="email_code"))
        walk.append(await browser.submit(walk[-1], {"code": "12345"}))
        walk.append(await browser.submit(walk[-1], action="resend"))
        walk.append(await browser.submit(walk[-1], action="password"))
        walk.append(await browser.submit(walk[-1], action="recover"))
        walk.append(await browser.submit(walk[-1], {"code": "12345"}))
        seen.append([(page.status, page.url.partition("?")[0], plain(page).replace(address, "-")) for page in walk])
    for other in seen[1:]:
        assert other == seen[0]


async def test_an_unknown_address_gets_one_mail_that_says_so(town: Town) -> None:
    """Whoever owns the address learns that somebody tried and that there is no account; no code is sent to it."""
    browser = town.browser()
    page = await browser.submit(await prove_page(browser, "nobody@example.com"), action="email_code")
    mails = await town.mails()
    assert [(mail["to"], mail["code"]) for mail in mails] == [("nobody@example.com", "")]
    assert mails[0]["link"] == "http://localhost:8400/signup"
    page = await browser.submit(page, {"code": "000000"})
    assert step_of(page) == "signin.prove"


@pytest.mark.parametrize("change", ["suspend", "close"])
async def test_a_barred_account_is_refused_only_after_the_proof(town: Town, change: str) -> None:
    """With the right password the page says that the account cannot be used; nobody is signed in, and another account may be used at once."""
    account = await town.account()
    await town.account(BOB)
    async with town.world.work() as work:
        await (accounts.suspend if change == "suspend" else accounts.close)(work, account, "abuse")
    browser = town.browser()
    page = await sign_in(browser)
    assert step_of(page) == "signin.identify"
    assert "cannot be used at the moment" in page.words
    assert await current(town, browser) is None
    assert [fact.data["reason"] for fact in await town.facts("signin.sign_in_refused")] == ["account_suspended" if change == "suspend" else "account_closed"]
    page = await browser.submit(page, {"identifier": BOB})
    page = await browser.submit(page, {"password": PASSWORD})
    assert page.url.endswith("/account")


async def test_guesses_in_parallel_are_held_to_the_limit(town: Town) -> None:
    """Twenty guesses from twenty browsers in the same moment: five are checked, fifteen are told to wait."""
    await town.account()
    browsers = [town.browser() for _ in range(20)]
    pages = [await prove_page(browser) for browser in browsers]
    answers = await asyncio.gather(*(browser.submit(page, {"password": "a guess of the thief"}) for browser, page in zip(browsers, pages, strict=True)))
    assert sum("do not fit together" in page.words for page in answers) == 5
    assert sum("Too many wrong tries" in page.words for page in answers) == 15
    assert len(await town.facts("factors.factor_failed")) == 5


async def test_parallel_guesses_at_one_code_are_held_to_its_tries(town: Town) -> None:
    """However many answers come at once, a code is compared five times."""
    await town.account()
    browser = town.browser()
    page = await browser.submit(await prove_page(browser), action="email_code")
    await town.mails()
    await asyncio.gather(*(browser.submit(page, {"code": f"{n:06d}"}) for n in range(12)))
    assert len(await town.facts("factors.factor_failed")) == 5


async def test_waiting_grows_and_ends(town: Town) -> None:
    """After five failures a second, then two, four: too early is not checked, in time it is."""
    await town.account()
    browser = town.browser()
    page = await prove_page(browser)
    for _ in range(5):
        page = await browser.submit(page, {"password": "a guess of the thief"})
    page = await browser.submit(page, {"password": PASSWORD})
    assert "Try again in 1 second" in page.words
    town.world.advance(1)
    page = await browser.submit(page, {"password": "a guess of the thief"})
    assert "do not fit together" in page.words
    page = await browser.submit(page, {"password": PASSWORD})
    assert "Try again in 2 seconds" in page.words
    town.world.advance(2)
    page = await browser.submit(page, {"password": PASSWORD})
    assert page.url.endswith("/account")


async def test_a_hundred_failures_close_the_factor_and_another_way_opens_it(town: Town) -> None:
    """The hundredth failure closes it, even the right password is refused then; a code lets her in, and the password works again."""
    account = await town.account()
    async with town.world.work() as work:
        for _ in range(factors.MOST_FAILURES - 2):
            await store.count_try(work, "password", account, "")
            await work.run(store._DELAY, kind="password", subject=account, browser="", next_at=work.now)
    browser = town.browser()
    page = await prove_page(browser)
    for _ in range(2):
        town.world.advance(901)
        page = await browser.submit(page, {"password": "a guess of the thief"})
        assert "do not fit together" in page.words
    assert [fact.data["kind"] for fact in await town.facts("factors.factor_closed")] == ["password"]
    town.world.advance(86_400)
    page = await sign_in(browser)
    assert "Sign in another way" in page.words
    page = await browser.submit(page, action="email_code")
    page = await browser.submit(page, {"code": await town.code()})
    assert page.url.endswith("/account")
    assert len(await town.facts("factors.factor_reopened")) == 1
    assert (await sign_in(town.browser())).url.endswith("/account")


async def test_strangers_cannot_slow_a_browser_that_is_known(town: Town) -> None:
    """A browser that signed this account in before counts apart, for this account only."""
    await town.account()
    await town.account(BOB)
    own, stranger = town.browser(), town.browser()
    await sign_in(own)
    own.jar["localhost"].pop("lmn_s_acme")
    for address in (ADA, BOB):
        page = await prove_page(stranger, address)
        for _ in range(6):
            page = await stranger.submit(page, {"password": "a guess of the thief"})
        assert "Too many wrong tries" in page.words
    assert "Too many wrong tries" in (await sign_in(own, BOB)).words
    assert (await sign_in(own)).url.endswith("/account")
    assert "Too many wrong tries" in (await sign_in(town.browser())).words


async def test_a_forged_device_cookie_is_a_strangers(town: Town) -> None:
    """What we did not seal, what another tenant sealed, and rubbish count for nothing and break nothing."""
    await town.account()
    known = town.browser()
    await sign_in(known)
    theirs = known.cookie("lmn_d_acme")
    assert theirs is not None
    stranger = town.browser()
    page = await prove_page(stranger)
    for _ in range(5):
        page = await stranger.submit(page, {"password": "a guess of the thief"})
    for forged in ("rubbish", "AAAA", theirs.removeprefix("acme.")[:-4] + "AAAA"):
        thief = town.browser()
        await thief.get("/signin")
        thief.jar["localhost"]["lmn_d_acme"] = type(next(iter(thief.jar["localhost"].values())))(f"acme.{forged}", "/", "Lax")
        assert "Too many wrong tries" in (await sign_in(thief)).words


async def test_a_session_from_before_is_not_taken_over(town: Town) -> None:
    """Fixation: whoever planted a session cookie in the browser has nothing after the sign-in; its secret is another."""
    await town.account()
    await town.account(BOB)
    thief, victim = town.browser(), town.browser()
    await sign_in(thief, BOB)
    planted = thief.jar["localhost"]["lmn_s_acme"]
    await victim.get("/signin")
    victim.jar["localhost"]["lmn_s_acme"] = planted
    to = await asked(town, victim, Ask(login_hint=ADA))
    page = await victim.get(to)
    page = await victim.submit(page, {"identifier": ADA})
    page = await victim.submit(page, {"password": PASSWORD})
    assert ADA in page.words
    assert victim.cookie("lmn_s_acme") != planted.value
    assert await current(town, thief) is None


async def test_a_journey_opened_elsewhere_leads_nowhere(town: Town) -> None:
    """The address of a victim's journey is worth nothing in another browser, nor hers after an hour; the pages say what to do."""
    await town.account()
    victim, thief = town.browser(), town.browser()
    page = await prove_page(victim)
    stolen = await thief.get(page.url)
    assert stolen.status == 404
    assert "cannot go on here" in stolen.words
    assert "/signin" in " ".join(stolen.links())
    await thief.get("/signin")
    assert (await thief.get(page.url)).status == 404
    town.world.advance(3601)
    late = await victim.submit(page, {"password": PASSWORD})
    assert late.status == 410
    assert "took too long" in late.words
    assert await current(town, victim) is None


async def test_a_journey_of_one_tenant_is_none_of_another(town: Town) -> None:
    """Journey swap: the same browser, the same id, another tenant's address."""
    await town.account()
    browser = town.browser()
    page = await prove_page(browser)
    journey_id = page.url.partition("journey=")[2]
    swapped = await browser.get(f"/t/rival/signin?journey={journey_id}")
    assert swapped.status == 404
    rival = await browser.get("/t/rival/signin")
    form = rival.forms()[0]
    answer = await browser.post(
        rival.url,
        form={**form.fields, "journey": journey_id, "step": "signin.prove", "password": PASSWORD, "action": "continue"},
        headers=OURS,
    )
    assert answer.status == 404
    assert await town.facts("sessions.session_opened") == []


async def test_going_back_and_posting_again_changes_nothing(town: Town) -> None:
    """The identify page posted again later leads to where the journey stands."""
    await town.account()
    browser = town.browser()
    first = await browser.get("/signin")
    second = await browser.submit(first, {"identifier": ADA})
    again = await browser.submit(first, {"identifier": BOB})
    assert step_of(again) == "signin.prove"
    assert ADA in again.words
    done = await browser.submit(second, {"password": PASSWORD})
    assert done.url.endswith("/account")
    assert (await browser.submit(second, {"password": PASSWORD})).url.endswith("/account")
    assert (await browser.get(second.url)).url.endswith("/account")
    assert len(await town.facts("sessions.session_opened")) == 1


async def test_whoever_is_signed_in_is_not_asked_again(town: Town) -> None:
    """Opening /signin leads her to her account at once."""
    await town.account()
    browser = town.browser()
    await sign_in(browser)
    assert (await browser.get("/signin")).url.endswith("/account")
    assert len(await town.facts("sessions.session_opened")) == 1


async def test_prompt_login_asks_the_same_person_again_and_keeps_the_session(town: Town) -> None:
    """She is asked for her password, not for her address; the session's id stays, its secret and time are new."""
    await town.account()
    browser = town.browser()
    await sign_in(browser)
    before, cookie = await current(town, browser), browser.cookie("lmn_s_acme")
    town.world.advance(60)
    page = await browser.get(await asked(town, browser, Ask(prompt=frozenset({"login"}))))
    assert step_of(page) == "signin.prove"
    assert "Please sign in again" in page.words
    page = await browser.submit(page, {"password": PASSWORD})
    after = await current(town, browser)
    assert before is not None
    assert after is not None
    assert after.id == before.id
    assert after.auth_time > before.auth_time
    assert browser.cookie("lmn_s_acme") != cookie


async def test_max_age_asks_only_when_it_is_too_long_ago(town: Town) -> None:
    """Within the time nobody is asked, after it she is; 0 always asks."""
    await town.account()
    browser = town.browser()
    await sign_in(browser)
    town.world.advance(100)
    assert (await browser.get(await asked(town, browser, Ask(max_age=200)))).url.endswith("/account")
    assert step_of(await browser.get(await asked(town, browser, Ask(max_age=50)))) == "signin.prove"
    assert step_of(await browser.get(await asked(town, browser, Ask(max_age=0)))) == "signin.prove"


async def test_an_app_that_asks_for_more_gets_it_where_she_has_it(town: Town) -> None:
    """Acr aal1 after a code: the password is asked for besides; without one the code has to do."""
    await town.account()
    await town.account(BOB, None)
    for address, asks in ((ADA, True), (BOB, False)):
        browser = town.browser()
        page = await browser.get(await asked(town, browser, Ask(acr_values=("aal1",))))
        page = await browser.submit(page, {"identifier": address})
        page = await browser.submit(page, action="email_code")
        page = await browser.submit(page, {"code": await town.code(address)})
        assert page.url.endswith("/account") is not asks
        if asks:
            page = await browser.submit(page, {"password": PASSWORD})
            assert page.url.endswith("/account")
            session = await current(town, browser)
            assert session is not None
            assert (session.acr, session.amr) == ("aal1", ("otp", "pwd"))


async def test_select_account_shows_who_is_signed_in(town: Town) -> None:
    """She goes on so, or as somebody else; then the first session is over."""
    await town.account()
    await town.account(BOB)
    browser = town.browser()
    await sign_in(browser)
    choose = Ask(prompt=frozenset({"select_account"}))
    page = await browser.get(await asked(town, browser, choose))
    assert step_of(page) == "signin.select_account"
    assert ADA in page.words
    assert (await browser.submit(page)).url.endswith("/account")
    page = await browser.get(await asked(town, browser, choose))
    page = await browser.submit(page, action="another")
    assert step_of(page) == "signin.identify"
    page = await browser.submit(page, {"identifier": BOB})
    page = await browser.submit(page, {"password": PASSWORD})
    assert BOB in page.words
    assert [fact.data["reason"] for fact in await town.facts("sessions.session_ended")] == ["replaced"]


async def test_prompt_create_leads_to_sign_up_and_back_if_wanted(town: Town) -> None:
    """Who has an account goes from there to sign-in without being sent back."""
    await town.account()
    browser = town.browser()
    page = await browser.get(await asked(town, browser, Ask(prompt=frozenset({"create"}), login_hint=ADA)))
    assert step_of(page) == "signup.identify"
    assert page.forms()[0].fields["identifier"] == ADA
    page = await browser.submit(page, action="signin")
    assert step_of(page) == "signin.identify"
    page = await browser.submit(page, {"identifier": ADA})
    assert (await browser.submit(page, {"password": PASSWORD})).url.endswith("/account")


async def test_a_hint_at_somebody_else_asks_who_she_is(town: Town) -> None:
    """The app means another account than the one signed in: the address it named stands in the field."""
    await town.account()
    browser = town.browser()
    await sign_in(browser)
    page = await browser.get(await asked(town, browser, Ask(login_hint=BOB)))
    assert step_of(page) == "signin.identify"
    assert page.forms()[0].fields["identifier"] == BOB
    assert (await browser.get(await asked(town, browser, Ask(login_hint=ADA)))).url.endswith("/account")


async def test_another_person_cannot_answer_for_her(town: Town) -> None:
    """Re-authentication of one account with the factor of another is refused."""
    await town.account()
    browser = town.browser()
    await sign_in(browser)
    page = await browser.get(await asked(town, browser, Ask(prompt=frozenset({"login"}))))
    page = await browser.submit(page, {"password": "somebody else's password"})
    assert step_of(page) == "signin.prove"
    page = await browser.submit(page, action="another")
    assert step_of(page) == "signin.identify"


async def test_pages_speak_the_language_asked_for(town: Town) -> None:
    """`ui_locales` of the app, from the first page on and through every redirect."""
    browser = town.browser()
    page = await browser.get(await asked(town, browser, Ask(locales=("ar", "en"))))
    assert 'dir="rtl"' in page.text
    page = await browser.submit(page, {"identifier": ADA})
    assert 'lang="ar"' in page.text
    await browser.submit(page, action="email_code")
    assert await town.mails()
