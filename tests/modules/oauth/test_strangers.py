"""No open redirector for whoever registers an app (RFC 9700, section 4.11.2): what nobody here answers for leads nobody away by a link alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import ClientId
from limen.modules import clients, consents
from tests.modules.oauth.conftest import ACME, VERIFIER, Door, answered, asked, basic, to_app
from tests.modules.oauth.registering import desk, initial
from tests.modules.oauth.test_statements import statement, trust
from tests.rig.asgi import Answer, Client
from tests.rig.documents import telling

pytestmark = pytest.mark.anyio

EVIL = "https://phishing.example/login"
BAIT: dict[str, dict[str, str]] = {
    "a scope there is not": {"scope": "nothing"},
    "nobody may be asked": {"prompt": "none"},
    "no PKCE": {"code_challenge": "", "code_challenge_method": ""},
    "an answer by a form": {"scope": "nothing", "response_mode": "form_post"},
    "a signed answer": {"scope": "nothing", "response_mode": "jwt"},
    "a request that cannot be read": {"request": "nonsense"},
    "a hint at nobody": {"id_token_hint": "nonsense"},
}


async def lured(door: Door, browser: Client, told: dict[str, Any], **bait: str) -> Answer:
    """Open a link of an app that registered itself."""
    return await door.ask(browser, client_id=told["client_id"], redirect_uri=told["redirect_uris"][0], **{"scope": "openid", **bait})


def stayed(page: Answer, *, status: int = 400) -> None:
    """It is a page of ours that says where it would go."""
    assert page.status == status
    assert not page.headers.get("location")
    assert "phishing.example" in page.words
    assert "Nobody here has checked it" in page.words


@pytest.mark.parametrize("bait", BAIT.values(), ids=BAIT)
async def test_a_link_of_a_strangers_app_leads_nowhere_by_itself(door: Door, bait: dict[str, str]) -> None:
    """Whatever is wrong with its request, the browser stays, by GET and by POST, signed in or not; it is told and counted as ever."""
    told = await desk(door).made(redirect_uris=[EVIL])
    for browser in (door.browser(), (await door.person()).browser):
        stayed(await lured(door, browser, told, **bait))
    form = asked(client_id=told["client_id"], redirect_uri=EVIL, **{"scope": "openid", **bait})
    browser = door.browser()
    posted = await browser.post("/oauth/authorize", form=form, cross_site=True, follow=False)
    stayed(await browser.get(posted.location, follow=False) if posted.status == 303 else posted)


async def test_she_can_go_on_with_the_whole_answer(door: Door) -> None:
    """The link and the form carry what the app expects: its error, its state and our issuer."""
    told = await desk(door).made(redirect_uris=[EVIL])
    page = await lured(door, door.browser(), told, scope="nothing", state="s1")
    (link,) = [one for one in page.links() if one.startswith(EVIL)]
    said = parse_qs(urlsplit(link).query)
    assert (said["error"], said["state"], said["iss"]) == (["invalid_scope"], ["s1"], ["http://localhost:8400"])
    page = await lured(door, door.browser(), told, scope="nothing", state="s1", response_mode="form_post")
    (form,) = [one for one in page.forms() if one.action == EVIL]
    assert (form.fields["error"], form.fields["state"]) == ("invalid_scope", "s1")
    assert "form-action 'self' https://phishing.example" in page.headers["content-security-policy"]
    assert "submit()" not in page.text


async def test_a_no_leads_to_no_strangers_app(door: Door) -> None:
    """Whoever sees through it and says no stays here, and the consent page promises nothing else."""
    told = await desk(door).made(redirect_uris=[EVIL])
    person = await door.person()
    page = await person.browser.get((await lured(door, person.browser, told)).location)
    assert "Either way you go back" not in page.words
    answer = await to_app(person.browser, await person.browser.submit(page, action="deny", follow=False))
    stayed(answer)
    assert "access_denied" in answer.words


async def test_an_app_she_let_in_gets_its_errors(door: Door) -> None:
    """She has decided, so that silent questions work for her; others are led nowhere."""
    told = await desk(door).made(redirect_uris=[EVIL])
    ada, bob = await door.person(), await door.person()
    async with door.world.db.work(ACME, SYSTEM) as work:
        await consents.give(work, ada.account, ClientId(told["client_id"]), ("openid",))
    assert answered(await lured(door, ada.browser, told, prompt="none", scope="openid email"))["error"] == "consent_required"
    stayed(await lured(door, bob.browser, told, prompt="none", scope="openid email"))


async def test_somebody_answers_for_the_others(door: Door) -> None:
    """An initial access token, a software statement, an operator's saving, the hosts of the policy, a device's own address, and the policy itself."""
    browser = door.browser()

    async def error(told: dict[str, Any]) -> str:
        answer = await lured(door, browser, told, scope="nothing")
        return answered(answer)["error"] if answer.status == 303 else "stays"

    plain = await desk(door).made(redirect_uris=[EVIL])
    assert await error(plain) == "stays"
    assert await error(await desk(door).made(await initial(door), redirect_uris=[EVIL])) == "invalid_scope"
    assert await error(await desk(door).made(redirect_uris=["http://127.0.0.1/cb"], token_endpoint_auth_method="none")) == "invalid_scope"
    await trust(door)
    assert await error(await desk(door).made(software_statement=statement(redirect_uris=[EVIL]))) == "invalid_scope"
    policies: list[tuple[dict[str, Any], str]] = [
        ({"hosts": [".example.org"]}, "stays"),
        ({"hosts": ["phishing.example"]}, "invalid_scope"),
        ({"trust_addresses": True}, "invalid_scope"),
    ]
    for policy, expected in policies:
        await door.set("registration", **policy)
        assert await error(plain) == expected, policy
    await door.set("registration")
    await door.change(plain["client_id"], registered=clients.Registered.OPERATOR)
    assert await error(plain) == "invalid_scope"


async def test_a_documents_app_is_a_strangers(door: Door, tmp_path: Path) -> None:
    """Whoever publishes a document is known no better."""
    await door.set("registration", client_id_documents=True)
    async with telling(tmp_path) as site:
        client = site.client(redirect_uris=[EVIL])
        stayed(await door.ask(door.browser(), client_id=client, redirect_uri=EVIL, scope="nothing"))


async def test_no_sign_in_begins_at_a_strangers_app_by_itself(door: Door) -> None:
    """`initiate_login_uri` is an address of its choosing too; for whoever let the app in it opens at once."""
    told = await desk(door).made(redirect_uris=[EVIL], initiate_login_uri="https://phishing.example/start")
    way = f"/oauth/initiate_login?client_id={told['client_id']}"
    stayed(await door.browser().get(way, follow=False), status=200)
    person = await door.person()
    async with door.world.db.work(ACME, SYSTEM) as work:
        await consents.give(work, person.account, ClientId(told["client_id"]), ("openid",))
    assert (await person.browser.get(way, follow=False)).location.startswith("https://phishing.example/start?iss=")


async def test_no_sign_out_ends_at_a_strangers_app(door: Door) -> None:
    """Not without a session, whatever ID token of its own it shows, nor after a yes to signing out; whoever let the app in comes back to it."""
    bye = "https://phishing.example/bye"
    told = await desk(door).made(redirect_uris=[EVIL], post_logout_redirect_uris=[bye])
    query = {"client_id": told["client_id"], "post_logout_redirect_uri": bye}
    ada, bob = await door.person(), await door.person()
    page = await ada.browser.get((await lured(door, ada.browser, told)).location)
    code = answered(await to_app(ada.browser, await ada.browser.submit(page, action="allow", follow=False)))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": EVIL, "code_verifier": VERIFIER}
    made = await door.calls.post("/oauth/token", form=form, headers={"authorization": basic(told["client_id"], told["client_secret"])})
    hint = {"id_token_hint": made.json()["id_token"]}
    for more in ({}, hint):
        left = await door.browser().get(f"/oauth/logout?{urlencode({**query, **more})}")
        assert urlsplit(left.url).path == "/oauth/logout/done"
        assert "phishing" not in left.text
    asking = await bob.browser.get(f"/oauth/logout?{urlencode(query)}")
    assert "phishing" not in asking.headers["content-security-policy"]
    assert urlsplit((await bob.browser.submit(asking, action="signout")).url).path == "/oauth/logout/done"
    assert (await ada.browser.get(f"/oauth/logout?{urlencode({**query, **hint})}", follow=False)).location == bye


async def test_what_was_asked_for_still_arrives(door: Door) -> None:
    """A stranger's app whose person says yes gets its code at once."""
    told = await desk(door).made(redirect_uris=[EVIL])
    person = await door.person()
    page = await person.browser.get((await lured(door, person.browser, told)).location)
    assert "code" in answered(await to_app(person.browser, await person.browser.submit(page, action="allow", follow=False)))
