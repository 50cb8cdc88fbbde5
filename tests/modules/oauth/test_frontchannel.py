"""Front-Channel Logout 1.0: after a sign-out the browser opens a page of each app of the session, and goes on."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.modules.oauth.conftest import BASE, BYE, SPA_CALLBACK, Door, Person
from tests.modules.oauth.test_logout import way
from tests.rig.asgi import Answer

pytestmark = pytest.mark.anyio

SHOP = "https://shop.example/leave?from=limen"
SPA = "https://spa.example:8443/leave"
SPA_THERE = "https://spa.example:8443/"
"""Where the page stands, the app does too (section 2)."""


def frames(page: Answer) -> list[str]:
    """Return what a page's frames open."""
    return [unescape(source) for source in re.findall(r'<iframe src="([^"]*)"', page.text)]


def onward(page: Answer) -> tuple[str, str]:
    """Return where a page goes by itself, and where its link leads."""
    refresh = re.search(r'<meta http-equiv="refresh" content="(\d+); url=([^"]*)">', page.text)
    assert refresh is not None
    assert 3 <= int(refresh[1]) <= 10
    link = re.search(r'id="on" href="([^"]*)"', page.text)
    assert link is not None
    return unescape(refresh[2]), unescape(link[1])


async def listen(door: Door, *, required: bool = False) -> None:
    """Let two apps register."""
    await door.change("shop", frontchannel_logout_uri=SHOP, frontchannel_logout_session_required=required)
    await door.change("spa", redirect_uris=(SPA_CALLBACK, SPA_THERE), frontchannel_logout_uri=SPA, frontchannel_logout_session_required=required)


async def leave(door: Door, person: Person, **parameters: Any) -> Answer:
    """Sign out by the shop with an ID token."""
    hint = (await door.tokens(person))["id_token"]
    return await person.browser.get(way(id_token_hint=hint, **parameters))


async def test_the_browser_opens_each_app_of_the_session_and_goes_on(door: Door) -> None:
    """Section 3: hidden frames, allowed by the policy for exactly these origins; then the app's address, by itself or by the link."""
    await listen(door)
    person = await door.person()
    await door.tokens(person, "spa")
    page = await leave(door, person, post_logout_redirect_uri=BYE, state="a b")
    assert page.status == 200
    assert frames(page) == [SHOP, SPA]
    assert onward(page) == (f"{BYE}?state=a+b",) * 2
    policy = page.headers["content-security-policy"]
    assert "frame-src https://shop.example https://spa.example:8443" in policy.split("; ")
    assert "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store"
    assert person.browser.cookie("lmn_s_acme") is None
    assert person.browser.cookie("lmn_b_acme") is None


async def test_iss_and_sid_go_where_they_were_asked_for(door: Door) -> None:
    """Section 2: `frontchannel_logout_session_required` adds both to what the address has of its own."""
    await listen(door, required=True)
    person = await door.person()
    await door.tokens(person, "spa")
    page = await leave(door, person)
    shop, spa = (parse_qs(urlsplit(frame).query) for frame in frames(page))
    assert shop == {"from": ["limen"], "iss": [BASE], "sid": [person.session]}
    assert spa == {"iss": [BASE], "sid": [person.session]}


async def test_apps_of_other_sessions_are_not_opened(door: Door) -> None:
    """Nor such as registered nothing: then there is no such page at all."""
    await listen(door)
    here, there = await door.person(), await door.person()
    await door.tokens(there, "spa")
    assert frames(await leave(door, here)) == [SHOP]
    await door.change("shop", frontchannel_logout_uri=None)
    answer = await leave(door, await door.person())
    assert urlsplit(answer.url).path == "/oauth/logout/done"


async def test_who_says_yes_gets_there_too(door: Door) -> None:
    """After the question as without it; where no app asked for an address the page of ours comes next."""
    await listen(door)
    person = await door.person()
    await door.tokens(person)
    page = await person.browser.submit(await person.browser.get(way()), action="signout")
    assert frames(page) == [SHOP]
    assert onward(page)[0] == "/oauth/logout/done"
    assert "The apps you used are being told." in page.words


async def test_signing_out_of_the_portal_tells_them_as_well(door: Door) -> None:
    """The customer's own pages know no door, and the browser goes there all the same, then back."""
    await listen(door)
    person = await door.person()
    await door.tokens(person)
    page = await person.browser.submit(await person.browser.get("/account"), action="signout")
    assert frames(page) == [SHOP]
    assert onward(page)[0] == "/account/signed-out"
    assert "You are signed out" in (await person.browser.get(onward(page)[1])).words


async def test_the_page_belongs_to_one_browser(door: Door) -> None:
    """It tells which apps somebody used; who opens it again sees it again."""
    await listen(door)
    person = await door.person()
    page = await leave(door, person)
    assert frames(await person.browser.get(page.url)) == [SHOP]
    assert (await door.browser().get(page.url)).status == 404
    assert (await person.browser.get(f"/oauth/logout/apps?{urlencode({'request': 'req_unknown'})}")).status == 404


async def test_it_is_spoken_in_the_persons_language(door: Door) -> None:
    """Also right to left, and the other tenants' prefix is kept."""
    await listen(door)
    person = await door.person()
    page = await leave(door, person, post_logout_redirect_uri=BYE)
    for tag, words in (("de", "Danach geht es zurück zu"), ("ar", "ثم تعود إلى")):
        other = await person.browser.get(f"{page.url}&ui_locales={tag}")
        assert words in other.words


async def test_metadata_says_so(door: Door) -> None:
    """Section 3."""
    document = (await door.calls.get("/.well-known/openid-configuration")).json()
    assert document["frontchannel_logout_supported"] is True
    assert document["frontchannel_logout_session_supported"] is True
