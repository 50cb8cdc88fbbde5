"""RP-Initiated Logout 1.0: at once for an ID token of this session, after asking otherwise, and never on to an unregistered address."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from limen.modules import sessions
from tests.modules.oauth.conftest import BASE, BYE, RIVAL, Door, Person

pytestmark = pytest.mark.anyio


async def signed_in(door: Door, person: Person) -> bool:
    """Whether the person's browser still gets a code without being asked."""
    return "code=" in (await door.ask(person.browser, prompt="none")).location


def way(**parameters: str) -> str:
    """Return the address of a logout request."""
    return f"/oauth/logout?{urlencode(parameters)}"


async def test_an_id_token_of_this_session_signs_out_at_once(door: Door) -> None:
    """The browser goes on to the registered address with the state; the cookie is gone, and so is what hung on the session."""
    person = await door.person()
    body = await door.tokens(person, scope="openid read")
    answer = await person.browser.get(way(id_token_hint=body["id_token"], post_logout_redirect_uri=BYE, state="a b"), follow=False)
    assert (answer.status, answer.location) == (303, f"{BYE}?state=a+b")
    assert person.browser.cookie("lmn_s_acme") is None
    assert not await signed_in(door, person)
    assert not await door.active(body["access_token"])
    assert [fact.data["reason"] for fact in await door.facts("sessions.session_ended")] == ["signed_out"]
    (fact,) = await door.facts("oauth.logged_out")
    assert fact.data == {"client": "shop", "session": person.session}


async def test_an_expired_hint_is_a_hint_all_the_same(door: Door) -> None:
    """Nobody's ID token is younger than ten minutes when she signs out."""
    person = await door.person()
    hint = (await door.tokens(person))["id_token"]
    door.world.advance(3600 * 3)
    answer = await person.browser.get(way(id_token_hint=hint, post_logout_redirect_uri=BYE, client_id="shop"), follow=False)
    assert answer.location == BYE


async def test_without_an_address_there_is_a_page(door: Door) -> None:
    """It says that one is signed out."""
    person = await door.person()
    page = await person.browser.get(way(id_token_hint=(await door.tokens(person))["id_token"]))
    assert urlsplit(page.url).path == "/oauth/logout/done"
    assert "You are signed out" in page.words
    assert not await signed_in(door, person)


async def test_whatever_is_less_sure_asks_first(door: Door) -> None:
    """No hint, a foreign or altered one, one of another session or client, an unregistered address: the person decides."""
    ada, bob = await door.person(), await door.person()
    hint, foreign = (await door.tokens(ada))["id_token"], (await door.tokens(bob))["id_token"]
    access = (await door.tokens(ada))["access_token"]
    wanted: list[dict[str, Any]] = [
        {},
        {"client_id": "shop", "post_logout_redirect_uri": BYE},
        {"post_logout_redirect_uri": BYE},
        {"id_token_hint": foreign, "post_logout_redirect_uri": BYE},
        {"id_token_hint": hint[:-4] + "AAAA", "post_logout_redirect_uri": BYE},
        {"id_token_hint": access},
        {"id_token_hint": "nonsense"},
        {"id_token_hint": hint, "client_id": "spa", "post_logout_redirect_uri": BYE},
        {"id_token_hint": hint, "post_logout_redirect_uri": BYE + "/"},
        {"id_token_hint": hint, "post_logout_redirect_uri": "https://evil.example/"},
        {"id_token_hint": hint, "post_logout_redirect_uri": "javascript:alert(1)"},
    ]
    for parameters in wanted:
        page = await ada.browser.get(way(**parameters))
        assert page.status == 200, parameters
        assert urlsplit(page.url).path == "/oauth/logout/confirm", parameters
        assert "ada1@example.com" in page.words
        assert "evil" not in page.headers["content-security-policy"]
        assert await signed_in(door, ada), parameters


async def test_who_says_yes_is_signed_out_and_sent_on(door: Door) -> None:
    """Only to a registered address of a known client; the page's forms may lead there and nowhere else."""
    person = await door.person()
    page = await person.browser.get(way(client_id="shop", post_logout_redirect_uri=BYE, state="x"))
    assert "The Shop asks to sign you out here." in page.words
    assert "form-action 'self' https://shop.example;" in page.headers["content-security-policy"]
    answer = await person.browser.submit(page, action="signout", follow=False)
    assert (answer.status, answer.location) == (303, f"{BYE}?state=x")
    assert not await signed_in(door, person)
    other = await door.person()
    page = await other.browser.get(way(client_id="shop", post_logout_redirect_uri="https://evil.example/"))
    gone = await other.browser.submit(page, action="signout")
    assert urlsplit(gone.url).path == "/oauth/logout/done"
    assert not await signed_in(door, other)


async def test_who_says_no_stays(door: Door) -> None:
    """And lands on her own page; the question cannot be answered twice or by another browser."""
    person = await door.person()
    page = await person.browser.get(way(client_id="shop", post_logout_redirect_uri=BYE))
    stays = await person.browser.submit(page, action="stay", follow=False)
    assert stays.location == f"{BASE}/account"
    assert await signed_in(door, person)
    assert (await person.browser.submit(page, action="signout", follow=False)).status == 404
    assert (await door.browser().get(page.url)).status == 404
    assert await signed_in(door, person)


async def test_the_question_cannot_be_answered_from_elsewhere(door: Door) -> None:
    """A form of another site carries no token of this browser."""
    person = await door.person()
    page = await person.browser.get(way())
    request = page.forms()[-1].fields["request"]
    forged = await person.browser.post("/oauth/logout/confirm", form={"request": request, "action": "signout"}, cross_site=True, follow=False)
    assert forged.status == 403
    assert await signed_in(door, person)


async def test_a_request_by_post_goes_on_as_a_get(door: Door) -> None:
    """A cross-site form brings no cookies; the hint does not stand in the address bar."""
    person = await door.person()
    hint = (await door.tokens(person))["id_token"]
    form = {"id_token_hint": hint, "post_logout_redirect_uri": BYE}
    first = await person.browser.post("/oauth/logout", form=form, cross_site=True, follow=False)
    assert first.status == 303
    assert hint not in first.location
    second = await person.browser.get(first.location, follow=False)
    assert second.location == BYE
    assert not await signed_in(door, person)
    assert (await person.browser.get(first.location, follow=False)).status == 404


async def test_who_is_not_signed_in_goes_on_at_once(door: Door) -> None:
    """Nothing has to be ended; an unregistered address is no address all the same."""
    person = await door.person()
    hint = (await door.tokens(person))["id_token"]
    stranger = door.browser()
    assert (await stranger.get(way(id_token_hint=hint, post_logout_redirect_uri=BYE), follow=False)).location == BYE
    assert (await stranger.get(way(client_id="shop", post_logout_redirect_uri=BYE), follow=False)).location == BYE
    for parameters in ({"post_logout_redirect_uri": BYE}, {"client_id": "shop", "post_logout_redirect_uri": "https://evil.example/"}, {}):
        assert (await stranger.get(way(**parameters), follow=False)).location == f"{BASE}/oauth/logout/done"
    assert await signed_in(door, person)


async def test_a_hint_after_a_new_sign_in_asks(door: Door) -> None:
    """`sid` must be the session's: somebody may have signed in anew for another purpose."""
    person = await door.person()
    hint = (await door.tokens(person))["id_token"]
    assert person.session
    async with door.world.work() as work:
        await sessions.end(work, person.session, sessions.EndReason.REPLACED)
    await door.sign_in(person)
    page = await person.browser.get(way(id_token_hint=hint, post_logout_redirect_uri=BYE))
    assert urlsplit(page.url).path == "/oauth/logout/confirm"


async def test_a_hint_of_another_tenant_is_none(door: Door) -> None:
    """The rival's key is not ours."""
    person = await door.person()
    hint = (await door.tokens(person))["id_token"]
    answer = await door.browser().get(f"{RIVAL}{way(id_token_hint=hint, post_logout_redirect_uri=BYE)}", follow=False)
    assert answer.location == f"{RIVAL}/oauth/logout/done"
