"""Signing up and leaving half-way, or meeting oneself: an account is made whole or not at all."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from limen.kernel.ids import JourneyId
from limen.modules import accounts, factors, profiles
from limen.modules.journey.store import JOURNEYS, opened
from limen.modules.journey.store import find as stored
from limen.platform.sql import bind, statement
from tests.journeys.conftest import ADA, PASSWORD, Town, step_of
from tests.journeys.test_signing_in import prove_page
from tests.journeys.test_signing_up import code_page
from tests.rig.asgi import Answer, Client

pytestmark = pytest.mark.anyio

OTHER = "five loud swans sing"
_STATES = statement(sa.select(JOURNEYS.c.state).where(JOURNEYS.c.tenant == bind("tenant")), into=lambda state: state)


async def proved(town: Town, browser: Client, address: str = ADA) -> Answer:
    """Go as far as the page of the password."""
    page = await browser.submit(await code_page(browser, address), {"code": await town.code(address)})
    assert step_of(page) == "signup.password", page.words
    return page


async def made(town: Town) -> list[str]:
    """Return what was recorded of accounts and what belongs to them, by the kind of fact."""
    kinds = ("accounts.account_created", "factors.factor_enrolled", "profiles.profile_changed", "sessions.session_opened")
    return [kind.partition(".")[2] for kind in kinds for _ in await town.facts(kind)]


async def test_leaving_before_the_password_leaves_nothing(town: Town) -> None:
    """The code was right, no password was chosen: there is no account, the address is free, and a sign-in with it is nobody's."""
    await proved(town, town.browser())
    assert await made(town) == []
    async with town.world.read() as reader:
        assert await accounts.by_identifier(reader, "email", ADA) is None
    stranger = town.browser()
    await stranger.submit(await prove_page(stranger), action="email_code")
    assert next(mail["code"] for mail in await town.mails()) == ""
    page = await proved(town, town.browser())
    assert "Your address is confirmed" in page.words


async def test_leaving_before_the_name_leaves_nothing(town: Town) -> None:
    """A password chosen is no account yet while the tenant asks for more."""
    await town.set(signup={"name": "required"})
    browser = town.browser()
    page = await browser.submit(await proved(town, browser), {"new_password": PASSWORD})
    assert step_of(page) == "signup.name"
    assert await made(town) == []


async def test_the_account_is_made_whole(town: Town) -> None:
    """Address, password and name in one: made with the last answer, and she is in; both proofs count."""
    await town.set(signup={"name": "required"})
    browser = town.browser()
    page = await browser.submit(await proved(town, browser), {"new_password": PASSWORD})
    page = await browser.submit(page, {"given_name": "Ada", "family_name": "Lovelace"})
    assert page.url.endswith("/account"), page.words
    assert await made(town) == ["account_created", "factor_enrolled", "profile_changed", "session_opened"]
    assert [fact.data["amr"] for fact in await town.facts("sessions.session_opened")] == [["otp", "pwd"]]
    async with town.world.read() as reader:
        found = await accounts.by_identifier(reader, "email", ADA)
        assert found is not None
        assert [one.kind for one in await factors.list_of(reader, found.id)] == ["password"]
        assert (await profiles.read(reader, found.id)).family_name == "Lovelace"
    again = town.browser()
    assert (await again.submit(await prove_page(again), {"password": PASSWORD})).url.endswith("/account")


async def test_whoever_comes_second_is_told_and_her_choice_is_dropped(town: Town) -> None:
    """Two sign-ups of one address, both at the password: the first to choose has the account, the second is told; her password opens nothing."""
    one, two = town.browser(), town.browser()
    first, second = await proved(town, one), await proved(town, two)
    assert (await one.submit(first, {"new_password": PASSWORD})).url.endswith("/account")
    page = await two.submit(second, {"new_password": OTHER})
    assert step_of(page) == "signup.existing"
    page = await two.submit(page)
    assert page.url.endswith("/account")
    assert len(await town.facts("accounts.account_created")) == len(await town.facts("factors.factor_enrolled")) == 1
    again = town.browser()
    assert "do not fit together" in (await again.submit(await prove_page(again), {"password": OTHER})).words


async def test_both_choosing_in_one_moment_make_one_account(town: Town) -> None:
    """Of two answers at once one makes the account with its password, the other is told that there is one; which of them, chance decides."""
    browsers = {PASSWORD: town.browser(), OTHER: town.browser()}
    pages = {word: await proved(town, browser) for word, browser in browsers.items()}
    ends = await asyncio.gather(*(browser.submit(pages[word], {"new_password": word}) for word, browser in browsers.items()))
    assert sorted(step_of(page) for page in ends) == ["", "signup.existing"]
    assert len(await town.facts("accounts.account_created")) == len(await town.facts("factors.factor_enrolled")) == 1
    winner = next(word for word, page in zip(browsers, ends, strict=True) if page.url.endswith("/account"))
    again = town.browser()
    assert (await again.submit(await prove_page(again), {"password": winner})).url.endswith("/account")


async def test_pressing_twice_makes_one_account(town: Town) -> None:
    """The last answer posted four times in one moment: one account, one password, and every post ends where she is in."""
    browser = town.browser()
    page = await proved(town, browser)
    ends = await asyncio.gather(*(browser.submit(page, {"new_password": PASSWORD}) for _ in range(4)))
    assert {one.url for one in ends} == {"http://localhost:8400/account"}
    assert await made(town) == ["account_created", "factor_enrolled", "session_opened"]


async def test_an_address_taken_while_she_chooses_is_said_before_her_answer_counts(town: Town) -> None:
    """Somebody else's account with the proved address: its page comes in place of the next; what was chosen does not go with her to another address."""
    await town.set(signup={"name": "required"})
    browser = town.browser()
    page = await browser.submit(await proved(town, browser), {"new_password": PASSWORD})
    await town.account(password=OTHER)
    page = await browser.submit(page, {"given_name": "Ada"})
    assert step_of(page) == "signup.existing"
    page = await browser.submit(page, action="another")
    page = await browser.submit(page, {"identifier": "bob@example.com"})
    page = await browser.submit(page, {"code": await town.code("bob@example.com")})
    assert step_of(page) == "signup.password"


async def test_what_was_chosen_is_sealed_and_hidden(town: Town) -> None:
    """The hash waits in the journey's record, which is sealed; it stands in no text made of the state, and goes with the journey."""
    await town.set(signup={"name": "required"})
    browser = town.browser()
    page = await browser.submit(await proved(town, browser), {"new_password": PASSWORD})
    async with town.world.read() as reader:
        row = await stored(reader, JourneyId(page.forms()[0].fields["journey"]))
        assert row is not None
        state = opened(reader, row)
        (sealed,) = await reader.all(_STATES)
    (secret,) = state.kept.values()
    assert secret.startswith(b"$argon2id$")
    assert secret not in sealed
    assert "argon2" not in repr(state)
    await browser.submit(page, {"given_name": "Ada"})
    async with town.world.read() as reader:
        assert await reader.all(_STATES) == [None]
