"""The page on which a person answers what apps ask her while she is not at them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from limen.kernel.ids import ClientId
from limen.kernel.secrets import Secret
from limen.modules import clients, consents
from limen.modules.clients import Delivery, GrantType
from tests.journeys.conftest import ADA, OURS, PASSWORD, Town, step_of
from tests.modules.portal.conftest import Customer, sign_in
from tests.rig.asgi import Answer, Client

pytestmark = pytest.mark.anyio

PATH = "/account/approvals"
SECRET = "what only the call centre and the test know"
CIBA = "urn:openid:params:grant-type:ciba"


@pytest.fixture
async def centre(town: Town) -> Town:
    """The call centre, an app that may ask people who are on the phone."""
    app = clients.Client(
        id=ClientId("centre"),
        name="The Call Centre",
        kind=clients.ClientKind.WEB,
        grants=(GrantType.CIBA,),
        scopes=("openid", "email"),
        backchannel_token_delivery_mode=Delivery.POLL,
    )
    async with town.world.work() as work:
        await clients.save(work, clients.with_secret(app, Secret(SECRET), work.now), dev=True)
    return town


async def ask(town: Town, to: str = ADA, **changes: str) -> str:
    """Ask somebody; return the name the app waits under."""
    form = {"client_id": "centre", "client_secret": SECRET, "scope": "openid email", "login_hint": to, "binding_message": "TULIP-77", **changes}
    answer = await town.browser().post("/oauth/backchannel_authentication", form=form)
    assert answer.status == 200, answer.text
    return str(answer.json()["auth_req_id"])


async def poll(town: Town, name: str) -> dict[str, Any]:
    """Return what the app gets."""
    form = {"grant_type": CIBA, "auth_req_id": name, "client_id": "centre", "client_secret": SECRET}
    found: dict[str, Any] = (await town.browser().post("/oauth/token", form=form)).json()
    return found


def _asked(page: Answer) -> list[int]:
    """Return the numbers of the forms that ask something."""
    return [number for number, form in enumerate(page.forms()) if "approval" in form.fields]


async def answer(browser: Client, action: str, page: Answer | None = None) -> Answer:
    """Press a button of the latest question."""
    page = page or await browser.get(PATH)
    return await browser.submit(page, action=action, form=_asked(page)[0])


async def test_a_question_is_told_in_words(centre: Town, ada: Customer) -> None:
    """Who asks, what it may do then, the message that both sides show, since when and until when; the start page counts it."""
    assert "Nothing waits for you" in (await ada.browser.get("/account")).words
    await ask(centre)
    centre.world.advance(60)
    page = await ada.browser.get(PATH)
    for words in ("The Call Centre", "TULIP-77", "Know who you are", "See your e-mail address", "asked 1 minute ago", "Approve", "Deny"):
        assert words in page.words, words
    assert "1 request waits for you" in (await ada.browser.get("/account")).words


async def test_a_yes(centre: Town, ada: Customer) -> None:
    """The app gets tokens that say how she was signed in; the page says what happened, and lists it as answered."""
    name = await ask(centre)
    page = await answer(ada.browser, "approve")
    assert page.url.endswith(PATH)
    assert "You said yes to The Call Centre." in page.words
    assert "You said yes" in page.words.split("Earlier")[1]
    assert _asked(page) == []
    tokens = await poll(centre, name)
    said = (await centre.browser().get("/oauth/userinfo", headers={"authorization": f"Bearer {tokens['access_token']}"})).json()
    assert (said["sub"], said["email"]) == (ada.account, ADA)
    async with centre.world.read() as reader:
        assert await consents.given(reader, ada.account, ClientId("centre")) == {"openid", "email"}
    (fact,) = await centre.facts("approvals.approval_given")
    assert fact.data["acr"] == "aal1"
    assert str(fact.data["session"]).startswith("ses_")


async def test_a_no(centre: Town, ada: Customer) -> None:
    """Nothing happens at the app, and it has no consent."""
    name = await ask(centre)
    page = await answer(ada.browser, "deny")
    assert "You said no to The Call Centre." in page.words
    assert (await poll(centre, name))["error"] == "access_denied"
    async with centre.world.read() as reader:
        assert await consents.given(reader, ada.account, ClientId("centre")) == frozenset()


async def test_looking_decides_nothing(centre: Town, ada: Customer) -> None:
    """The page, its link in the message, and any query: a GET changes nothing. Who is not signed in signs in first."""
    name = await ask(centre)
    page = await ada.browser.get(PATH)
    approval = page.forms()[_asked(page)[0]].fields["approval"]
    for query in ("", "?action=approve", f"?approval={approval}&action=approve"):
        assert (await ada.browser.get(f"{PATH}{query}")).status == 200
    assert (await poll(centre, name))["error"] == "authorization_pending"
    assert step_of(await centre.browser().get(PATH)) == "signin.identify"


async def test_only_a_form_of_ours_answers(centre: Town, ada: Customer) -> None:
    """Without the token of this browser, or from another site, nothing is decided (CSRF)."""
    name = await ask(centre)
    page = await ada.browser.get(PATH)
    fields = page.forms()[_asked(page)[0]].fields
    bare = {"approval": fields["approval"], "action": "approve"}
    assert (await ada.browser.post(PATH, form=bare, headers=OURS)).status == 403
    assert (await ada.browser.post(PATH, form={**bare, "csrf": "x"}, headers=OURS)).status == 403
    foreign = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert (await ada.browser.post(PATH, form={**bare, "csrf": fields["csrf"]}, headers=foreign)).status == 403
    assert (await poll(centre, name))["error"] == "authorization_pending"


async def test_another_persons_question_is_not_there(centre: Town, ada: Customer) -> None:
    """She does not see it, and whoever knows its id cannot answer it."""
    await centre.account("bob@example.com")
    name = await ask(centre, "bob@example.com")
    bob = await sign_in(centre.browser(), "bob@example.com")
    page = await bob.get(PATH)
    approval = page.forms()[_asked(page)[0]].fields["approval"]
    mine = await ada.browser.get(PATH)
    assert "TULIP-77" not in mine.words
    csrf = next(form.fields["csrf"] for form in mine.forms())
    refused = await ada.browser.post(PATH, form={"csrf": csrf, "approval": approval, "action": "approve"}, headers=OURS)
    assert "This request was answered already, or its time is over." in refused.words
    assert (await poll(centre, name))["error"] == "authorization_pending"


async def test_what_is_answered_or_over_is_said_to_be(centre: Town, ada: Customer) -> None:
    """A second press, or one that comes too late, changes nothing and says so; another button than the two does nothing."""
    name = await ask(centre)
    before = await ada.browser.get(PATH)
    await answer(ada.browser, "deny", before)
    assert "This request was answered already" in (await answer(ada.browser, "approve", before)).words
    assert (await poll(centre, name))["error"] == "access_denied"
    centre.world.advance(400)
    late = await ask(centre)
    page = await ada.browser.get(PATH)
    fields = page.forms()[_asked(page)[0]].fields
    assert _asked(await ada.browser.post(PATH, form={**fields, "action": "else"}, headers=OURS)) != []
    centre.world.advance(121)
    assert "or its time is over" in (await answer(ada.browser, "approve", page)).words
    assert "Not answered in time" in (await ada.browser.get(PATH)).words
    assert (await poll(centre, late))["error"] == "expired_token"


async def test_she_is_told_by_message(centre: Town, ada: Customer) -> None:
    """To the stored address, with the app's message and a link to the page; the link decides nothing. Too late, it is not sent any more."""
    await ask(centre, ADA.upper())
    mail = next(mail for mail in await centre.mails() if mail["to"] == ADA)
    assert mail["subject"] == "The Call Centre asks for your approval"
    assert "TULIP-77" in mail["text"]
    assert "TULIP-77" not in mail["subject"]
    assert mail["link"].endswith(PATH)
    assert "The Call Centre" in (await ada.browser.get(mail["link"])).words
    assert mail["code"] == ""
    sent = len(await centre.mails())
    await ask(centre, binding_message="")
    centre.world.advance(180)
    assert len(await centre.mails()) == sent


@pytest.mark.parametrize(("language", "subject", "word"), [("de", "bittet um Ihre Zustimmung", "Zustimmen"), ("ar", "يطلب", "موافقة")])
async def test_it_is_told_in_her_language(centre: Town, language: str, subject: str, word: str) -> None:
    """The message speaks the language of her profile, the page that of her browser."""
    account = await centre.account("layla@example.com")
    async with centre.world.work() as work:
        await profiles_change(work, account, language)
    await ask(centre, "layla@example.com")
    mail = next(mail for mail in await centre.mails() if mail["to"] == "layla@example.com")
    assert subject in mail["subject"]
    browser = await sign_in(centre.browser(language=language), "layla@example.com")
    page = await browser.get(PATH)
    assert word in page.words
    assert "TULIP-77" in page.words


async def profiles_change(work: Any, account: Any, language: str) -> None:
    """Say in which language somebody reads."""
    from limen.modules import profiles  # noqa: PLC0415 - for this test alone

    await profiles.change(work, account, profiles.Changes(locale=language))


async def test_a_yes_takes_as_strong_a_sign_in_as_is_asked(centre: Town) -> None:
    """Signed in by a code to her mailbox, she is led through a password first and back to the question; a no is taken from any sign-in."""
    await centre.account()
    browser = centre.browser()
    page = await browser.submit(await browser.get("/signin"), {"identifier": ADA})
    page = await browser.submit(page, action="email_code")
    page = await browser.submit(page, {"code": await centre.code()})
    name = await ask(centre, acr_values="aal1")
    page = await answer(browser, "approve")
    assert step_of(page) == "signin.prove", page.words
    assert (await poll(centre, name))["error"] == "authorization_pending"
    page = await browser.submit(page, {"password": PASSWORD})
    assert page.url.endswith(PATH), page.url
    assert (await poll(centre, name))["error"] == "slow_down"
    page = await answer(browser, "approve", page)
    assert "You said yes to The Call Centre." in page.words
    assert "access_token" in await poll(centre, name)


async def test_what_she_cannot_reach_she_can_only_refuse(centre: Town, ada: Customer) -> None:
    """The app asks for more than she has: her yes is not taken, she is told, and her no is."""
    name = await ask(centre, acr_values="aal3")
    page = await answer(ada.browser, "approve")
    assert "You can only say no." in page.words
    assert (await poll(centre, name))["error"] == "authorization_pending"
    assert "You said no" in (await answer(ada.browser, "deny")).words


async def test_names_nobody_gave_here_are_text(centre: Town, ada: Customer) -> None:
    """What the app writes is text on the page and in the message, whatever it looks like."""
    await ask(centre, binding_message='<b onclick="x">1</b>&amp;')
    page = await ada.browser.get(PATH)
    assert '<b onclick="x">' not in page.text
    assert re.search(r"&lt;b onclick=", page.text)
