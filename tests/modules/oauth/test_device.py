"""The device grant (RFC 8628): from the code on a screen to tokens, and everything that must not lead there."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from limen.kernel.ids import ClientId
from limen.modules import accounts, clients, consents, keys, sessions
from limen.modules.clients import AuthMethod, GrantType
from limen.modules.oauth import tally
from limen.modules.oauth.device import endpoint, model
from limen.modules.oauth.store import devices
from limen.platform.sql import statement
from limen.platform.wire import jose
from tests.modules.oauth.conftest import ACME, BASE, RIVAL, Door, Person
from tests.modules.oauth.test_refresh import beside
from tests.modules.oauth.test_ways import code_sent
from tests.rig.asgi import Answer, Client

pytestmark = pytest.mark.anyio

GRANT = GrantType.DEVICE_CODE.value
ALL = "openid profile read"
_SIZES = tuple(
    statement(sa.select(sa.func.count()).select_from(one), into=int, across_tenants="a test counts all") for one in (devices.DEVICES, devices.GUESSES)
)


async def began(door: Door, client: str = "tv", *, base: str = BASE, scope: str = ALL, **form: str) -> dict[str, Any]:
    """Ask for codes as a device does."""
    answer = await door.call("/oauth/device_authorization", auth=client, base=base, scope=scope, **form)
    assert answer.status == 200, answer.text
    return dict(answer.json())


async def poll(door: Door, code: str, client: str = "tv", *, base: str = BASE, **form: str) -> Answer:
    """Ask whether the person has answered."""
    return await door.token(auth=client, base=base, grant_type=GRANT, device_code=code, **form)


async def error(door: Door, code: str, client: str = "tv") -> str:
    """Return why a device gets nothing."""
    answer = await poll(door, code, client)
    assert answer.status == 400, answer.text
    return str(answer.json()["error"])


async def entered(browser: Client, code: str, *, base: str = BASE) -> Answer:
    """Type a code, and return the page that comes of it."""
    return await browser.submit(await browser.get(f"{base}/device"), {"user_code": code})


async def allow(browser: Client, code: str) -> Answer:
    """Type a code and say yes."""
    return await browser.submit(await entered(browser, code), action="allow")


async def connected(door: Door, person: Person, **form: str) -> dict[str, Any]:
    """Return the tokens of a whole flow."""
    codes = await began(door, **form)
    assert "is connected" in (await allow(person.browser, codes["user_code"])).words
    answer = await poll(door, codes["device_code"])
    assert answer.status == 200, answer.text
    return dict(answer.json())


async def test_a_device_asks_for_codes(door: Door) -> None:
    """Both codes, where to go, how long they live and how often to ask; nothing of it is kept by anybody on the way (sections 3.2, 6.1)."""
    answer = await door.call("/oauth/device_authorization", auth="tv", scope=ALL)
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert re.fullmatch(r"lmn_dc_[A-Za-z0-9_-]{43}", body["device_code"])
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", body["user_code"])
    assert (body["verification_uri"], body["expires_in"], body["interval"]) == (f"{BASE}/device", 600, 5)
    assert body["verification_uri_complete"] == f"{BASE}/device?user_code={body['user_code']}"
    await door.call("/oauth/device_authorization", auth="tv", scope=" ".join(reversed(ALL.split())))
    assert await door.facts("oauth.device_authorization_requested") == []  # anybody can say its name: it buys no line of the log each time
    await tally.flush(door.world.db)
    (fact,) = await door.facts("oauth.device_authorization_requested")
    assert fact.data == {"client": "tv", "scope": " ".join(sorted(ALL.split())), "count": 2}


async def test_from_the_code_to_the_tokens(door: Door) -> None:
    """Somebody signed in types the code, sees what asks from where and when, says yes, and the device gets what she allowed."""
    person = await door.person(consent=())
    codes = await began(door)
    assert await error(door, codes["device_code"]) == "authorization_pending"
    page = await entered(person.browser, codes["user_code"])
    for word in (
        "The Telly asks for access",
        codes["user_code"],
        "127.0.0.1",
        "the same network as this browser",
        "UTC",
        "Read your orders",
        "do not allow it",
    ):
        assert word in page.words, word
    assert await error(door, codes["device_code"]) == "slow_down"
    assert "is connected" in (await person.browser.submit(page, action="allow")).words
    answer = await poll(door, codes["device_code"])
    assert answer.status == 200, answer.text
    body = answer.json()
    told = jose.peek(body["id_token"]).claims
    assert (told["sub"], told["acr"], body["scope"]) == (person.account, "aal1", ALL)
    assert "sid" not in told
    assert "nonce" not in told
    assert (await door.userinfo(body["access_token"])).status == 200
    assert (await door.refresh(body["refresh_token"], "tv")).status == 200
    (fact,) = await door.facts("oauth.device_approved")
    assert (fact.subject, fact.data) == (person.account, {"client": "tv", "session": person.session, "scope": ALL})
    assert [one.data["grant_type"] for one in await door.facts("oauth.token_issued")] == [GRANT, "refresh_token"]


async def test_who_is_not_signed_in_signs_in_on_the_way(door: Door) -> None:
    """She is led to sign in for the app, and on to the question."""
    person, codes, browser = await door.person(), await began(door), door.browser()
    page = await entered(browser, codes["user_code"])
    assert "The Telly" in page.words
    page = await browser.submit(page, {"identifier": "ada1@example.com"})
    if any(value == "email_code" for form in page.forms() for _, value in form.buttons):
        page = await browser.submit(page, action="email_code")
    page = await browser.submit(page, {"code": await code_sent(door, "ada1@example.com")})
    assert "is connected" in (await browser.submit(page, action="allow")).words
    body = (await poll(door, codes["device_code"])).json()
    assert jose.peek(body["id_token"]).claims["sub"] == person.account


async def test_who_says_no_is_obeyed(door: Door) -> None:
    """The device is told access_denied as often as it asks, and the log knows who said it (section 3.5)."""
    person, codes = await door.person(), await began(door)
    page = await entered(person.browser, codes["user_code"])
    assert "Nothing was allowed" in (await person.browser.submit(page, action="deny")).words
    assert [await error(door, codes["device_code"]) for _ in range(2)] == ["access_denied"] * 2
    (fact,) = await door.facts("oauth.device_denied")
    assert (fact.subject, fact.data) == (person.account, {"client": "tv"})
    assert "No device waits" in (await entered(person.browser, codes["user_code"])).words


async def test_what_was_allowed_before_is_asked_again(door: Door) -> None:
    """It may be another device this time: a consent that stands, or an app of the operator's own, does not answer for her."""
    person = await door.person()
    await door.change("tv", consent=clients.ConsentRule.NONE)
    page = await entered(person.browser, (await began(door))["user_code"])
    assert any(value == "allow" for form in page.forms() for _, value in form.buttons)


async def test_a_link_with_the_code_fills_in_the_field_and_no_more(door: Door) -> None:
    """The code stands there to be compared; nothing begins until a button is pressed, and nothing is allowed by it (sections 3.3.1 and 5.4)."""
    person, codes = await door.person(), await began(door)
    page = await person.browser.get(codes["verification_uri_complete"])
    assert page.url == codes["verification_uri_complete"]
    assert page.forms()[0].fields["user_code"] == codes["user_code"]
    assert "Compare this code" in page.words
    assert await error(door, codes["device_code"]) == "authorization_pending"
    page = await person.browser.submit(page)
    assert codes["user_code"] in page.words
    door.world.advance(6)
    assert await error(door, codes["device_code"]) == "authorization_pending"


@pytest.mark.parametrize("brought", ["<script>alert(1)</script>", "AAAA-EEEE", "WDJB-MJH", "%22%3E%3Cb%3E", ""])
async def test_a_link_brings_codes_and_nothing_else(door: Door, brought: str) -> None:
    """What cannot be a code is not shown."""
    page = await door.browser().get(f"/device?user_code={brought}")
    assert page.status == 200
    assert page.forms()[0].fields["user_code"] == ""
    assert "<script>alert" not in page.text


async def test_the_way_from_another_sites_page_is_closed(door: Door) -> None:
    """No page of others enters a code for her."""
    person, codes = await door.person(), await began(door)
    answer = await person.browser.post(f"{BASE}/device", form={"user_code": codes["user_code"], "action": "continue"}, cross_site=True, follow=False)
    assert answer.status == 403


@pytest.mark.parametrize("spelling", ["{}", "{} ", "wdjb mjht", "w.d.j.b m-j-h-t", "\uff37DJB\u2013MJHT"])
async def test_a_code_is_typed_as_people_type(door: Door, monkeypatch: pytest.MonkeyPatch, spelling: str) -> None:
    """Any case, with or without what stands between, even from an East Asian keyboard (section 6.1)."""
    monkeypatch.setattr(model, "draw", lambda letters: "WDJBMJHT"[:letters])
    person, codes = await door.person(), await began(door)
    assert codes["user_code"] == "WDJB-MJHT"
    assert "is connected" in (await allow(person.browser, spelling.format("WDJB-MJHT"))).words


async def test_an_impatient_device_waits_longer(door: Door) -> None:
    """Each question before its time makes the interval five seconds longer, in whatever process it is asked, and stays so (section 3.5)."""
    code = (await began(door))["device_code"]
    async with beside(door) as other:
        assert await error(door, code) == "authorization_pending"
        door.world.advance(4.9)
        assert await error(other, code) == "slow_down"
        door.world.advance(5.1)
        assert await error(door, code) == "slow_down"
        door.world.advance(14.9)
        assert await error(other, code) == "slow_down"
        door.world.advance(20)
        assert await error(door, code) == "authorization_pending"


async def test_waiting_is_no_refusal(door: Door) -> None:
    """A device that polls as it should is neither in the log each time nor slowed down for it, be it public or not."""
    await door.change("shop", grants=(GrantType.AUTHORIZATION_CODE, GrantType.DEVICE_CODE))
    for client in ("tv", "shop"):
        code = (await began(door, client, scope="read"))["device_code"]
        for _ in range(3):
            assert await error(door, code, client) == "authorization_pending"
            door.world.advance(5)
    await door.app.house.refusals.flush()
    assert await door.facts("oauth.token_refused") == []
    assert await door.facts("http.refusals_counted") == []


async def test_a_code_ends_when_it_said(door: Door) -> None:
    """In its last second the person may answer; after that the device is told expired_token, and the person what she is told of any code (section 3.5)."""
    await door.set("oauth", device_code="PT2M")
    person, codes, other = await door.person(), await began(door), await began(door)
    assert codes["expires_in"] == 120
    page = await entered(person.browser, codes["user_code"])
    door.world.advance(119.5)
    assert await error(door, codes["device_code"]) == "authorization_pending"
    door.world.advance(0.5)
    assert await error(door, codes["device_code"]) == "expired_token"
    assert "does not count any more" in (await person.browser.submit(page, action="allow")).words
    assert "No device waits" in (await entered(person.browser, other["user_code"])).words
    assert await error(door, codes["device_code"]) == "expired_token"


async def test_a_code_is_used_once(door: Door) -> None:
    """What was fetched is fetched; the code a person typed is worth nothing afterwards either."""
    person, codes = await door.person(), await began(door)
    await allow(person.browser, codes["user_code"])
    assert "No device waits" in (await entered(person.browser, codes["user_code"])).words
    assert (await poll(door, codes["device_code"])).status == 200
    assert await error(door, codes["device_code"]) == "invalid_grant"
    assert "No device waits" in (await entered(person.browser, codes["user_code"])).words


async def test_two_processes_race_for_one_device_code(door: Door) -> None:
    """However many ask at once, one gets tokens."""
    person = await door.person()
    async with beside(door) as other:
        for _ in range(4):
            codes = await began(door)
            await allow(person.browser, codes["user_code"])
            answers = await asyncio.gather(*(poll(each, codes["device_code"]) for each in (door, other) * 3))
            assert sorted(answer.status for answer in answers) == [200, 400, 400, 400, 400, 400]


async def test_two_people_race_for_one_device(door: Door) -> None:
    """Whoever answers first has answered; the other is told that it is too late, and gives nothing."""
    first, second, codes = await door.person(), await door.person(), await began(door)
    one, two = await entered(first.browser, codes["user_code"]), await entered(second.browser, codes["user_code"])
    assert "is connected" in (await first.browser.submit(one, action="allow")).words
    assert "does not count any more" in (await second.browser.submit(two, action="allow")).words
    assert jose.peek((await poll(door, codes["device_code"])).json()["id_token"]).claims["sub"] == first.account


async def test_a_code_is_of_one_client_and_one_tenant(door: Door) -> None:
    """Another client gets invalid_grant and changes nothing; under another tenant the codes do not exist."""
    await door.change("app", grants=(GrantType.AUTHORIZATION_CODE, GrantType.DEVICE_CODE))
    person, codes = await door.person(), await began(door)
    assert "No device waits" in (await entered(person.browser, codes["user_code"], base=RIVAL)).words
    await allow(person.browser, codes["user_code"])
    assert await error(door, codes["device_code"], "app") == "invalid_grant"
    assert (await poll(door, codes["device_code"], base=RIVAL)).json()["error"] == "invalid_grant"
    assert await error(door, "lmn_dc_made-up") == "invalid_grant"
    assert (await poll(door, codes["device_code"])).status == 200


@pytest.mark.parametrize(
    ("client", "changes", "expected"),
    [
        ("tv", {"scope": ""}, "invalid_scope"),
        ("tv", {"scope": "openid unheard-of"}, "invalid_scope"),
        ("tv", {"resource": "https://elsewhere.example"}, "invalid_target"),
        ("tv", {"authorization_details": "[{}]"}, "invalid_authorization_details"),
        ("spa", {}, "unauthorized_client"),
        ("shop", {}, "unauthorized_client"),
        ("nobody", {}, "invalid_client"),
    ],
)
async def test_what_a_device_may_not_ask_is_refused_at_once(door: Door, client: str, changes: dict[str, str], expected: str) -> None:
    """The rules of authorization requests hold where they apply, and the client is one that may (section 3.1)."""
    answer = await door.call("/oauth/device_authorization", auth=client, **{"scope": "openid", **changes})
    assert (answer.status, answer.json()["error"]) == (401 if expected == "invalid_client" else 400, expected)


async def test_a_device_asks_in_a_good_form(door: Door) -> None:
    """What is empty was not sent, what is unknown is ignored, nothing stands twice (section 3.1)."""
    path, usual = f"{BASE}/oauth/device_authorization", {"client_id": "tv", "scope": "openid"}
    assert (await door.calls.post(path, form={**usual, "unheard": "of", "client_secret": ""})).status == 200
    for name, value in usual.items():
        twice = await door.calls.post(path, form=[*usual.items(), (name, value)])
        assert (twice.status, twice.json()["error"]) == (400, "invalid_request"), name


async def test_a_confidential_client_proves_itself_both_times(door: Door) -> None:
    """A device with a server behind it authenticates as it registered, here and at the token endpoint (sections 3.1 and 3.4)."""
    await door.change("shop", grants=(GrantType.AUTHORIZATION_CODE, GrantType.DEVICE_CODE), auth_method=AuthMethod.BASIC)
    assert (await door.call("/oauth/device_authorization", auth="shop", secret="wrong", scope="openid")).status == 401
    assert (await door.calls.post(f"{BASE}/oauth/device_authorization", form={"client_id": "shop", "scope": "openid"})).status == 401
    person, codes = await door.person(), await began(door, "shop", scope="openid")
    await allow(person.browser, codes["user_code"])
    assert (await door.token(auth="shop", secret="wrong", grant_type=GRANT, device_code=codes["device_code"])).status == 401
    body = (await poll(door, codes["device_code"], "shop")).json()
    assert "refresh_token" not in body
    assert await door.active(body["access_token"])


async def test_names_of_apps_are_text(door: Door) -> None:
    """What an app is called cannot change the page."""
    await door.change("tv", name="<script>alert(1)</script>")
    person = await door.person()
    page = await entered(person.browser, (await began(door))["user_code"])
    assert "<script>alert(1)</script>" not in page.text
    assert "<script>alert(1)</script> asks for access" in page.words


async def test_a_device_is_not_signed_out_with_a_telephone(door: Door) -> None:
    """Signing out, or the session's age, takes nothing from the device, with offline_access or without."""
    person = await door.person()
    body = await connected(door, person, scope="openid read")
    assert person.session
    async with door.world.work() as work:
        await sessions.end(work, person.session, sessions.EndReason.SIGNED_OUT)
    assert await door.active(body["access_token"], "orders-api")
    assert (await door.refresh(body["refresh_token"], "tv")).status == 200


@pytest.mark.parametrize("how", ["suspended", "withdrawn", "password", "everywhere"])
async def test_what_ends_everything_ends_devices_too(door: Door, how: str) -> None:
    """Suspension, a consent taken back, a changed password and "everywhere" reach what no session carries; so they do between yes and fetching."""
    for fetched in (True, False):
        person = await door.person()
        body, codes = (await connected(door, person), {}) if fetched else ({}, await began(door))
        if not fetched:
            await allow(person.browser, codes["user_code"])
        async with door.world.work() as work:
            if how == "suspended":
                await accounts.suspend(work, person.account, "abuse")
            elif how == "withdrawn":
                await consents.withdraw(work, person.account, ClientId("tv"))
            else:
                why = sessions.EndReason.CREDENTIAL_CHANGED if how == "password" else sessions.EndReason.REVOKED
                await sessions.end_all(work, person.account, why)
        if fetched:
            assert not await door.active(body["access_token"], "orders-api")
            assert (await door.refresh(body["refresh_token"], "tv")).json()["error"] == "invalid_grant"
        else:
            assert await error(door, codes["device_code"]) == "access_denied"


async def test_the_device_stands_among_her_apps(door: Door) -> None:
    """She sees it in her account, and takes it back there."""
    person = await door.person(consent=())
    body = await connected(door, person)
    page = await person.browser.get("/account/apps")
    assert "The Telly" in page.words
    await person.browser.submit(page, action="remove")
    assert not await door.active(body["access_token"], "orders-api")


async def test_a_sign_in_as_strong_and_fresh_as_the_client_wants(door: Door) -> None:
    """What the client registered holds for its devices: a session that is too old is asked for a proof, one too weak gives nothing."""
    person = await door.person(ago=100)
    await door.change("tv", default_max_age=50)
    page = await entered(person.browser, (await began(door))["user_code"])
    assert not any(value == "allow" for form in page.forms() for _, value in form.buttons)
    await door.change("tv", default_max_age=None, default_acr_values=("aal3",))
    codes = await began(door)
    assert "Nothing was allowed" in (await allow(person.browser, codes["user_code"])).words
    assert await error(door, codes["device_code"]) == "access_denied"


async def test_the_way_back_of_a_device_belongs_to_one_browser_and_works_once(door: Door) -> None:
    """The address at which the journey ends is worth nothing in another browser, and nothing a second time."""
    person, codes = await door.person(), await began(door)
    page = await entered(person.browser, codes["user_code"])
    answer = await person.browser.submit(page, action="allow", follow=False)
    assert urlsplit(answer.location).path == "/device/resume"
    assert (await door.browser().get(answer.location)).status == 404
    assert await error(door, codes["device_code"]) == "authorization_pending"
    assert "is connected" in (await person.browser.get(answer.location)).words
    assert (await person.browser.get(answer.location)).status == 404


async def test_the_address_of_a_device_is_sealed(door: Door) -> None:
    """Neither codes nor addresses stand in the tables, nor a plain digest of what is short enough to be searched for."""
    door.calls.address = "203.0.113.77"
    codes = await began(door)
    plain = codes["user_code"].replace("-", "")
    every = statement(sa.select(devices.DEVICES.c.user_code, devices.DEVICES.c.sealed, devices.DEVICES.c.digest), across_tenants="a test looks at everything")
    async with door.world.db.read(ACME) as reader:
        (row,) = await reader.all(every)
        index = await keys.blind(reader, devices.USER_CODES, endpoint.PURPOSE, plain)
    stored = b"".join(bytes(part) for part in row)
    assert bytes(row[0]) == index
    assert b"203.0.113.77" not in stored
    assert plain.encode() not in stored
    assert codes["device_code"].encode() not in stored


async def test_devices_nobody_came_back_for_leave_the_table(door: Door) -> None:
    """An hour after their end they go, and so do counts of wrong codes that count no more."""
    await began(door)
    await entered(door.browser(), "BBBB-BBBB")
    door.world.advance(2 * 3600)
    for _ in range(3):
        await door.runner.run_due()
        door.world.advance(3600)
    async with door.world.db.read(ACME) as reader:
        assert [await reader.all(size) for size in _SIZES] == [[0], [0]]


async def test_a_code_survives_the_rotation_of_the_index_key(door: Door) -> None:
    """A code that was shown before the tenant's key rotated is found after it."""
    person, codes = await door.person(), await began(door)
    async with door.world.work() as work:
        await keys.rotate_tenant_key(work, keys.Use.INDEX)
    assert "is connected" in (await allow(person.browser, codes["user_code"])).words


async def test_a_link_as_a_picture(door: Door) -> None:
    """For devices that cannot draw one: an SVG without script, for a code that looks like one, be there such a device or not."""
    picture = await door.calls.get(f"{BASE}/device/qr?user_code=wdjbmjht")
    assert (picture.status, picture.headers["content-type"]) == (200, "image/svg+xml")
    assert picture.text.startswith("<svg")
    assert "<script" not in picture.text
    assert picture.headers["content-security-policy"].startswith("default-src 'none'")
    assert (await door.calls.get(f"{BASE}/device/qr?user_code=%3Csvg%3E")).status == 404


async def test_metadata_name_the_endpoint(door: Door) -> None:
    """Devices find it by the issuer (section 4)."""
    body = (await door.calls.get(f"{RIVAL}/.well-known/openid-configuration")).json()
    assert body["device_authorization_endpoint"] == f"{RIVAL}/oauth/device_authorization"
    assert GRANT in body["grant_types_supported"]
