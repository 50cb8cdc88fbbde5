"""Whoever changes her password ends what was open with the old one, from wherever she changes it."""

from __future__ import annotations

import pytest

from limen.kernel.secrets import Secret
from limen.modules import factors
from limen.modules.factors import Prepared
from limen.platform.crypto import hash_password
from tests.modules.oauth.conftest import Door, Person

pytestmark = pytest.mark.anyio

KNOWN, NEW = "Sunshine2019!", "seven slow snails sing"
ADDRESS = "ada1@example.com"


async def by_portal(door: Door, person: Person) -> None:
    """Change it from the start page, by a code to the mailbox."""
    page = await person.browser.get("/account")
    page = await person.browser.submit(await person.browser.submit(page, action="change"), {"identifier": ADDRESS})
    await door.runner.run_due()
    mails = (await door.browser().get("/dev/mailbox.json")).json()
    page = await person.browser.submit(page, {"code": mails[0]["code"]})
    page = await person.browser.submit(page, {"new_password": NEW})
    assert page.url.endswith("/account")


async def by_recovery(door: Door, person: Person) -> None:
    """Change it from a browser that nobody is signed in with."""
    person.browser.jar.clear()
    page = await person.browser.submit(await person.browser.get("/recover"), {"identifier": ADDRESS})
    await door.runner.run_due()
    mails = (await door.browser().get("/dev/mailbox.json")).json()
    page = await person.browser.submit(page, {"code": mails[0]["code"]})
    page = await person.browser.submit(page, {"new_password": NEW})
    assert page.url.endswith("/account")


async def by_sign_in(door: Door, person: Person) -> None:
    """Change it because it turned out to be known."""
    del door
    person.browser.jar.clear()
    page = await person.browser.submit(await person.browser.get("/signin"), {"identifier": ADDRESS, "password": KNOWN})
    page = await person.browser.submit(page, {"new_password": NEW})
    assert page.url.endswith("/account")


@pytest.mark.parametrize("change", [by_portal, by_recovery, by_sign_in])
async def test_a_changed_password_ends_sessions_and_grants(door: Door, change: object) -> None:
    """Another browser is signed out, tokens of apps are dead, those for offline access too; the browser in hand is in."""
    assert callable(change)
    person = await door.person()
    hashed = hash_password(KNOWN).encode()
    async with door.world.work() as work:
        await factors.enrol(work, person.account, Prepared("password", Secret(hashed)))
    bound = await door.tokens(person, scope="openid read")
    free = await door.tokens(person, scope="openid offline_access")
    other = Person(person.account, door.browser())
    await door.sign_in(other)
    assert "code" in (await door.ask(other.browser)).location
    await change(door, person)
    assert "code" not in (await door.ask(other.browser)).location
    assert "code" in (await door.ask(person.browser)).location
    for body in (bound, free):
        assert not await door.active(body["access_token"])
        assert (await door.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"
    assert {fact.data["reason"] for fact in await door.facts("sessions.all_ended")} == {"credential_changed"}
