"""Native apps (RFC 8252): loopback addresses with any port, private-use schemes, and a yes of the person each time."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from limen.platform.wire import jose
from tests.modules.oauth.conftest import NATIVE_CALLBACK, PRIVATE_CALLBACK, Door, Person, answered, asked, to_app
from tests.rig.asgi import Answer

pytestmark = pytest.mark.anyio

SIX = "http://[::1]/callback"
NAMED = "http://localhost/callback"
HOSTS = ("localhost", "127.0.0.2", "127.1", "0.0.0.0", "[::1]", "127.0.0.1@evil.example", "127.0.0.1.evil.example")
CLAIMED = "https://app.example/callback"


async def allowed(person: Person, uri: str, **changes: Any) -> Answer:
    """Ask as the app, say yes on the page there must be, and return the way back."""
    page = await person.browser.get(f"/oauth/authorize?{urlencode(asked('app', redirect_uri=uri, **changes))}")
    assert (page.status, urlsplit(page.url).path) == (200, "/consent"), page.words[:300]
    return await to_app(person.browser, await person.browser.submit(page, action="allow", follow=False))


@pytest.mark.parametrize(
    "uri",
    [
        *("http://127.0.0.1:49152/callback", "http://127.0.0.1:1/callback", "http://127.0.0.1/callback", "http://[::1]:65535/callback", SIX),
        *("http://localhost:3334/callback", NAMED),
    ],
)
async def test_a_loopback_address_is_come_back_to_at_any_port(door: Door, uri: str) -> None:
    """RFC 8252, 7.3: both literals and the name, each as registered and by a yes each time; the token request names the very port that was used."""
    await door.change("app", redirect_uris=(NATIVE_CALLBACK, SIX, NAMED))
    person = await door.person()
    back = await allowed(person, uri)
    assert back.location.startswith(f"{uri}?code=")
    assert (await door.redeem(answered(back)["code"], "app", redirect_uri=uri)).status == 200
    other = answered(await allowed(person, uri))["code"]
    assert (await door.redeem(other, "app", redirect_uri=f"{urlsplit(uri).scheme}://127.0.0.1:7777/callback")).json()["error"] == "invalid_grant"


async def test_other_parts_of_a_loopback_address_do_not_vary(door: Door) -> None:
    """Neither host nor path nor query, no name in place of the literal, no impossible port; and for native apps alone."""
    person = await door.person()
    ported = NATIVE_CALLBACK.replace("127.0.0.1", "127.0.0.1:49152")
    wrong = [
        *(ported.replace("127.0.0.1", host) for host in HOSTS),
        *(ported.replace("49152", port) for port in ("99999", "0", "", "-1", "49152:1", "49152@evil.example")),
        ported + "/x",
        ported + "?x=1",
        ported + "#x",
        ported.replace("http:", "https:"),
        ported.replace("/callback", "/Callback"),
    ]
    for uri in wrong:
        answer = await door.ask(person.browser, "app", redirect_uri=uri)
        assert (answer.status, answer.location) == (400, ""), uri
    await door.change("shop", redirect_uris=("http://127.0.0.1:9009/callback",))
    assert (await door.ask(person.browser, "shop", redirect_uri="http://127.0.0.1:9010/callback")).status == 400


async def test_a_private_scheme_is_gone_back_to_as_registered(door: Door) -> None:
    """RFC 8252, 7.1: letter by letter, with code, state and iss in its query; an error goes there too."""
    person = await door.person()
    back = await allowed(person, PRIVATE_CALLBACK)
    assert back.location.startswith(f"{PRIVATE_CALLBACK}?code=")
    assert answered(back)["state"] == "st&te=1 %\u00e9"
    body = (await door.redeem(answered(back)["code"], "app", redirect_uri=PRIVATE_CALLBACK)).json()
    assert jose.peek(body["id_token"]).claims["aud"] == "app"
    refused = await door.ask(person.browser, "app", redirect_uri=PRIVATE_CALLBACK, scope="admin")
    assert refused.location.startswith(f"{PRIVATE_CALLBACK}?error=invalid_scope")
    for uri in ("com.example.app:/other", "com.example.app://callback", "com.example.app:callback", "COM.example.app:/callback", "com.example.app2:/callback"):
        assert (await door.ask(person.browser, "app", redirect_uri=uri)).status == 400, uri


@pytest.mark.parametrize(("uri", "target"), [("http://127.0.0.1:49152/callback", "http://127.0.0.1:49152"), ("http://[::1]:49152/callback", "http:")])
async def test_the_pages_forms_may_lead_there(door: Door, uri: str, target: str) -> None:
    """A policy can name no IPv6 address: browsers pass such a source over, and the way back to the app would be barred."""
    await door.change("app", redirect_uris=(NATIVE_CALLBACK, SIX))
    person = await door.person()
    page = await person.browser.get(f"/oauth/authorize?{urlencode(asked('app', redirect_uri=uri))}")
    assert f"form-action 'self' {target};" in page.headers["content-security-policy"]


async def test_whoever_could_be_another_app_is_let_in_by_hand_each_time(door: Door) -> None:
    """RFC 8252, 8.6: any app of the device may listen at a port or claim a scheme, so an earlier yes says nothing about this one."""
    person = await door.person()
    for uri in ("http://127.0.0.1:49152/callback", PRIVATE_CALLBACK):
        silent = answered(await door.ask(person.browser, "app", redirect_uri=uri, prompt="none"))
        assert silent["error"] == "consent_required"
        assert "code" in answered(await allowed(person, uri))
        assert "code" in answered(await allowed(person, uri))
        page = await person.browser.get(f"/oauth/authorize?{urlencode(asked('app', redirect_uri=uri))}")
        no = await to_app(person.browser, await person.browser.submit(page, action="deny", follow=False))
        assert answered(no)["error"] == "access_denied"


async def test_an_app_that_proves_its_address_is_not(door: Door) -> None:
    """A claimed https address (7.2) reaches that app alone; a website's page and a web server do so too."""
    await door.change("app", redirect_uris=(CLAIMED,))
    person = await door.person()
    assert "code" in answered(await door.ask(person.browser, "app", redirect_uri=CLAIMED, prompt="none"))
    assert "code" in answered(await door.ask(person.browser, "spa", prompt="none"))


async def test_a_native_app_has_no_secret_and_needs_pkce(door: Door) -> None:
    """RFC 8252, 8.1 and 8.5: without a challenge nothing begins, without the verifier nothing is given."""
    person = await door.person()
    uri = "http://127.0.0.1:49152/callback"
    bare = answered(await door.ask(person.browser, "app", redirect_uri=uri, code_challenge=None, code_challenge_method=None))
    assert bare["error"] == "invalid_request"
    code = answered(await allowed(person, uri))["code"]
    assert (await door.redeem(code, "app", redirect_uri=uri, code_verifier=None)).json()["error"] == "invalid_grant"
    code = answered(await allowed(person, uri))["code"]
    shown = await door.redeem(code, "app", redirect_uri=uri, client_secret="a secret that was built into the app")
    assert shown.json()["error"] == "invalid_client"
