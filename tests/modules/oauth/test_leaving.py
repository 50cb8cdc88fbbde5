"""Logout requests in the odd spellings that are allowed and those that are not (RP-Initiated Logout 1.0, sections 2 to 6)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from limen.kernel.ids import ClientId
from limen.modules import clients, keys
from limen.platform.wire import jose
from tests.modules.oauth.conftest import BASE, BYE, Door, Person
from tests.modules.oauth.test_id_tokens import false_hints
from tests.modules.oauth.test_logout import signed_in, way
from tests.modules.oauth.test_requests import STATES
from tests.rig.asgi import Answer

pytestmark = pytest.mark.anyio


def path_of(answer: Answer) -> str:
    """Return where one ended up."""
    return urlsplit(answer.url).path


async def posted(person: Person, **form: str) -> Answer:
    """Send a request by another site's form, and follow it."""
    return await person.browser.post("/oauth/logout", form=form, cross_site=True)


async def test_state_comes_back_after_leaving(door: Door) -> None:
    """Section 2: in the query of the registered address, at once or after the question, by GET and by POST; an empty one counts as left out."""
    person = await door.person()
    hint = (await door.tokens(person))["id_token"]
    for state in STATES:
        stranger = door.browser()
        for answer in (
            await stranger.get(way(id_token_hint=hint, post_logout_redirect_uri=BYE, state=state), follow=False),
            await stranger.post("/oauth/logout", form={"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": state}, cross_site=True),
        ):
            assert answer.location.startswith(f"{BYE}?")
            assert parse_qs(urlsplit(answer.location).query, strict_parsing=True) == {"state": [state]}
    page = await person.browser.get(way(client_id="shop", post_logout_redirect_uri=BYE, state=STATES[5]))
    after = await person.browser.submit(page, action="signout", follow=False)
    assert parse_qs(urlsplit(after.location).query) == {"state": [STATES[5]]}
    assert (await door.browser().get(way(id_token_hint=hint, post_logout_redirect_uri=BYE, state=""), follow=False)).location == BYE


async def test_a_false_hint_signs_nobody_out(door: Door) -> None:
    """Section 2: whoever was not issued a token of this session asks first, whatever it looks like, by GET and by POST; nobody is sent on by it."""
    person = await door.person()
    for what, hint in (await false_hints(door, await door.tokens(person))).items():
        for page in (await person.browser.get(way(id_token_hint=hint, post_logout_redirect_uri=BYE)), await posted(person, id_token_hint=hint)):
            assert (page.status, path_of(page)) == (200, "/oauth/logout/confirm"), what
            assert "shop.example" not in page.headers["content-security-policy"]
        assert (await door.browser().get(way(id_token_hint=hint, post_logout_redirect_uri=BYE), follow=False)).location == f"{BASE}/oauth/logout/done", what
    assert await signed_in(door, person)


async def test_an_app_is_gone_back_to_at_its_own_address_only(door: Door) -> None:
    """Section 3: letter by letter an address of the client the hint was issued to, or of the one that is named; of native apps the port too."""
    person = await door.person()
    spa, shop = (await door.tokens(person, "spa"))["id_token"], (await door.tokens(person))["id_token"]
    wrong: list[dict[str, Any]] = [
        {"id_token_hint": spa, "post_logout_redirect_uri": BYE},
        {"id_token_hint": shop, "post_logout_redirect_uri": BYE + "?x=1"},
        {"id_token_hint": shop, "post_logout_redirect_uri": BYE.replace("https", "http")},
        {"id_token_hint": shop, "post_logout_redirect_uri": BYE.replace("shop", "SHOP")},
        {"id_token_hint": shop, "post_logout_redirect_uri": "https://shop.example/callback?from=limen"},
        {"id_token_hint": shop, "post_logout_redirect_uri": BYE, "client_id": "spa"},
        {"id_token_hint": shop, "post_logout_redirect_uri": BYE, "client_id": "nobody"},
        {"client_id": "spa", "post_logout_redirect_uri": BYE},
    ]
    await door.change("app", post_logout_redirect_uris=("http://127.0.0.1:9009/bye",))
    wrong.append({"client_id": "app", "post_logout_redirect_uri": "http://127.0.0.1:9010/bye"})
    for parameters in wrong:
        assert path_of(await person.browser.get(way(**parameters))) == "/oauth/logout/confirm", parameters
        assert (await door.browser().get(way(**parameters), follow=False)).location == f"{BASE}/oauth/logout/done", parameters
    native = await door.browser().get(way(client_id="app", post_logout_redirect_uri="http://127.0.0.1:9009/bye"), follow=False)
    assert native.location == "http://127.0.0.1:9009/bye"
    assert await signed_in(door, person)


async def test_a_wrong_return_address_is_told(door: Door) -> None:
    """Section 4: the person reads that she stays, the developer which parameter is wrong; a right one and none are not spoken of."""
    person = await door.person()
    hint = (await door.tokens(person))["id_token"]
    for parameters in ({"id_token_hint": hint, "post_logout_redirect_uri": "https://evil.example/"}, {"post_logout_redirect_uri": BYE}):
        for page in (await person.browser.get(way(**parameters)), await posted(person, **parameters)):
            assert "so you stay here" in page.words
            assert "post_logout_redirect_uri" in page.words
            assert "evil" not in page.words
    for parameters in ({}, {"client_id": "shop", "post_logout_redirect_uri": BYE}):
        assert "post_logout_redirect_uri" not in (await person.browser.get(way(**parameters))).words


async def test_any_app_of_the_session_may_end_it(door: Door) -> None:
    """Section 2: `sid` is the session's, so an ID token of any of its apps signs out at once, where no address is asked for that is not that app's."""
    person = await door.person()
    hint = (await door.tokens(person, "spa"))["id_token"]
    assert path_of(await person.browser.get(way(id_token_hint=hint, client_id="spa", logout_hint="ada", ui_locales="de"))) == "/oauth/logout/done"
    assert not await signed_in(door, person)
    (fact,) = await door.facts("oauth.logged_out")
    assert fact.data["client"] == "spa"


async def test_the_hint_of_a_client_that_is_gone_ends_the_session_and_leads_nowhere(door: Door) -> None:
    """There is no address registered any more, so there is none to go back to."""
    person = await door.person()
    hint = (await door.tokens(person))["id_token"]
    async with door.world.work() as work:
        await clients.drop(work, ClientId("shop"))
    page = await person.browser.get(way(id_token_hint=hint, post_logout_redirect_uri=BYE))
    assert path_of(page) == "/oauth/logout/confirm"
    assert path_of(await person.browser.get(way(id_token_hint=hint))) == "/oauth/logout/done"


async def test_a_hint_outlives_the_key_that_signed_it(door: Door) -> None:
    """Section 2: expired, its key retired and out of the JWKS, it is a hint still; by a withdrawn key it is none."""
    person = await door.person()
    hint = (await door.tokens(person, scope="openid offline_access"))["id_token"]
    kid = jose.peek(hint).header.kid
    await keys.rotate(door.world.db, door.world.tenant, jose.Alg.ES256)
    door.world.advance(3_601)
    async with door.world.work() as work:
        await keys.advance(work)
    for _ in range(2):
        door.world.advance(80_000)
        assert await signed_in(door, person)
    assert kid not in {key["kid"] for key in (await door.calls.get("/oauth/jwks")).json()["keys"]}
    assert (await person.browser.get(way(id_token_hint=hint, post_logout_redirect_uri=BYE), follow=False)).location == BYE
    other = await door.person()
    hint = (await door.tokens(other))["id_token"]
    await keys.rotate(door.world.db, door.world.tenant, jose.Alg.ES256, withdraw=True)
    assert path_of(await other.browser.get(way(id_token_hint=hint, post_logout_redirect_uri=BYE))) == "/oauth/logout/confirm"


async def test_a_request_that_can_be_read_in_two_ways_leads_nowhere(door: Door) -> None:
    """A parameter twice, a broken escape: a page, and the session stays."""
    person = await door.person()
    hint = (await door.tokens(person))["id_token"]
    pairs = [("id_token_hint", hint), ("post_logout_redirect_uri", BYE), ("post_logout_redirect_uri", "https://evil.example/")]
    for answer in (
        await person.browser.get(f"/oauth/logout?{urlencode(pairs)}", follow=False),
        await person.browser.post("/oauth/logout", form=pairs, cross_site=True, follow=False),
        await person.browser.get(f"/oauth/logout?id_token_hint={hint}&state=%zz", follow=False),
    ):
        assert (answer.status, answer.location) == (400, "")
    assert await signed_in(door, person)


async def test_the_question_is_asked_in_the_language_asked_for(door: Door) -> None:
    """`ui_locales`: the first that is spoken; none that is known is no error."""
    person = await door.person()
    for locales, spoken in (("fr de", "de"), ("ar", "ar"), ("xx", "en")):
        for page in (await person.browser.get(way(ui_locales=locales)), await posted(person, ui_locales=locales)):
            assert page.headers["content-language"] == spoken, locales
        person.browser.jar["localhost"].pop("lmn_l_acme", None)
