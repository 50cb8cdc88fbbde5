"""The tenant's terms: agreed to before one is let in, kept with their version, and asked for again when that changes."""

from __future__ import annotations

from datetime import datetime

import pytest

from limen.modules import accounts
from limen.modules.consents.holder import HOLDER
from limen.modules.consents.settings import Tenant
from limen.platform.duties import Done
from tests.journeys.conftest import ADA, PASSWORD, Town, clock, step_of, town
from tests.rig.asgi import Answer, Client

__all__ = ["clock", "town"]

pytestmark = pytest.mark.anyio

TERMS = "https://acme.example/terms"


async def put(town: Town, version: str) -> None:
    """Put a version of the terms in force."""
    await town.set(consents={"terms_version": version, "terms_url": TERMS})


async def signing_in(browser: Client) -> Answer:
    """Prove to be Ada; return what comes then."""
    return await browser.submit(await browser.get("/signin"), {"identifier": ADA, "password": PASSWORD})


async def versions(town: Town) -> list[object]:
    """Return the versions agreed to, as the log has them."""
    return [fact.data["version"] for fact in await town.facts("consents.terms_accepted")]


async def test_a_sign_up_ends_with_the_terms(town: Town) -> None:
    """After all else she reads where they are and agrees, and is in; the log has the version."""
    await put(town, "2026-01")
    browser = town.browser()
    page = await browser.submit(await browser.get("/signup"), {"identifier": ADA})
    page = await browser.submit(page, {"code": await town.code()})
    page = await browser.submit(page, {"new_password": "four grey geese dance"})
    assert step_of(page) == "consents.terms"
    assert TERMS in page.links()
    assert "2026-01" in page.words
    assert await versions(town) == []
    page = await browser.submit(page, action="allow")
    assert page.url.endswith("/account"), page.words
    assert await versions(town) == ["2026-01"]


async def test_nobody_is_asked_twice_and_everybody_again_when_they_change(town: Town) -> None:
    """The version counts: the page says that it is another one."""
    await town.account()
    browser = town.browser()
    assert (await signing_in(browser)).url.endswith("/account"), "without terms nobody is asked"
    for version, title in (("1", "Our terms"), ("2", "Our terms have changed")):
        await put(town, version)
        page = await signing_in(town.browser())
        assert step_of(page) == "consents.terms"
        assert f"{title} Please" in page.words
        other = town.browser()
        page = await other.submit(await signing_in(other), action="allow")
        assert page.url.endswith("/account"), page.words
        assert (await signing_in(town.browser())).url.endswith("/account")
    assert await versions(town) == ["1", "2"]


async def test_who_does_not_agree_is_not_let_in(town: Town) -> None:
    """No session is opened, nothing is noted, and the next time she is asked again."""
    await town.account()
    await put(town, "1")
    browser = town.browser()
    await browser.submit(await signing_in(browser), action="deny")
    assert await town.facts("sessions.session_opened") == []
    assert step_of(await browser.get("/account")) == "signin.identify"
    assert await versions(town) == []
    assert step_of(await signing_in(browser)) == "consents.terms"


async def test_terms_are_for_those_who_proved_who_they_are(town: Town) -> None:
    """A wrong password leads to no terms; who agreed and may not come in has agreed to nothing."""
    account = await town.account()
    await put(town, "1")
    browser = town.browser()
    page = await browser.submit(await browser.get("/signin"), {"identifier": ADA, "password": "not the password"})
    assert step_of(page) == "signin.prove"
    page = await signing_in(browser)
    async with town.world.work() as work:
        await accounts.suspend(work, account, "abuse")
    page = await browser.submit(page, action="allow")
    assert "cannot be used at the moment" in page.words
    assert await versions(town) == []


async def test_what_she_agreed_to_is_hers_and_goes_with_her(town: Town) -> None:
    """Her export names version and instant; when she is forgotten nothing is left."""
    account = await town.account()
    await put(town, "1")
    browser = town.browser()
    await browser.submit(await signing_in(browser), action="allow")
    async with town.world.read() as reader:
        (record,) = (await HOLDER.export(reader, account, None)).records
        assert record["terms"] == "1"
        assert datetime.fromisoformat(str(record["agreed"])) <= reader.now
    async with town.world.work() as work:
        assert await HOLDER.forget(work, account) == Done()
    async with town.world.read() as reader:
        assert (await HOLDER.export(reader, account, None)).records == []


@pytest.mark.parametrize(
    "said",
    [
        {"terms_version": "1"},
        {"terms_url": TERMS},
        {"terms_version": "a b", "terms_url": TERMS},
        {"terms_version": "1", "terms_url": "http://acme.example/terms"},
    ],
)
def test_terms_have_a_version_and_an_address(said: dict[str, str]) -> None:
    """Both or neither, and the address is https."""
    with pytest.raises(ValueError, match="terms_"):
        Tenant(**said)
