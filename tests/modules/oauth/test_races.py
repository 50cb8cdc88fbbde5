"""Ending something in the moment in which something is made of it: whoever is second, nothing lives afterwards that was ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from limen.kernel.ids import ClientId
from limen.modules import accounts, consents, sessions
from limen.platform.sql import Work
from tests.modules.oauth.conftest import Door, Person, answered
from tests.modules.oauth.test_refresh import beside
from tests.modules.oauth.test_ways import code_sent

pytestmark = pytest.mark.anyio

TRIES = 12


async def revoke(work: Work, person: Person) -> None:
    assert person.session
    await sessions.end(work, person.session, sessions.EndReason.REVOKED)


async def revoke_all(work: Work, person: Person) -> None:
    await sessions.end_all(work, person.account, sessions.EndReason.CREDENTIAL_CHANGED)


async def suspend(work: Work, person: Person) -> None:
    await accounts.suspend(work, person.account, "abuse")


async def withdraw(work: Work, person: Person) -> None:
    await consents.withdraw(work, person.account, ClientId("shop"))


ENDS = [revoke, revoke_all, suspend, withdraw]
End = Callable[[Work, Person], Awaitable[None]]


async def ended(door: Door, person: Person, how: End, turns: int) -> None:
    """End something of a person's, some turns of the loop later."""
    for _ in range(turns):
        await asyncio.sleep(0)
    async with door.world.work() as work:
        await how(work, person)


@pytest.mark.parametrize("how", ENDS)
async def test_a_code_redeemed_while_its_ground_goes(door: Door, how: End) -> None:
    """A session revoked, all of them, an account suspended, a consent withdrawn: the tokens, offline ones too, are dead when both have answered."""
    async with beside(door) as other:
        for number in range(TRIES):
            person = await door.person()
            code = await door.code(person)
            answer, _ = await asyncio.gather(other.redeem(code), ended(door, person, how, number % 6))
            if answer.status == 200:
                body = answer.json()
                assert not await door.active(body["access_token"])
                assert (await door.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("how", ENDS)
async def test_a_token_refreshed_while_its_ground_goes(door: Door, how: End) -> None:
    """Likewise."""
    async with beside(door) as other:
        for number in range(TRIES):
            person = await door.person()
            token = (await door.tokens(person))["refresh_token"]
            answer, _ = await asyncio.gather(other.refresh(token), ended(door, person, how, number % 6))
            if answer.status == 200:
                body = answer.json()
                assert not await door.active(body["access_token"])
                assert (await door.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_sign_in_while_the_account_is_suspended(door: Door) -> None:
    """Whether she was let in a moment before or turned away a moment after: nobody is signed in to a suspended account."""
    for number in range(TRIES):
        person = await door.person()
        address, browser = f"ada{door.people}@example.com", door.browser()
        page = await browser.submit(await browser.get("/signin"), {"identifier": address})
        if any(value == "email_code" for form in page.forms() for _, value in form.buttons):
            page = await browser.submit(page, action="email_code")
        code = await code_sent(door, address)
        await asyncio.gather(browser.submit(page, {"code": code}, follow=False), ended(door, person, suspend, number * 3))
        assert answered(await door.ask(browser, prompt="none"))["error"] == "login_required"


@pytest.mark.parametrize("how", [revoke_all, suspend])
async def test_what_a_clock_ahead_made_is_ended_too(door: Door, how: End) -> None:
    """The instant of the end lies before that of what is ended: a process whose clock is behind, or a Work that waited for its turn."""
    person = await door.person()
    body = await door.tokens(person)
    door.world.advance(-3)
    async with door.world.work() as work:
        await how(work, person)
    door.world.advance(3)
    assert answered(await door.ask(person.browser, prompt="none"))["error"] == "login_required"
    assert not await door.active(body["access_token"])
    assert (await door.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"
    if how is revoke_all:
        await door.sign_in(person)
        assert await door.active((await door.tokens(person))["access_token"])
