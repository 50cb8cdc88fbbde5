"""A tenant's own keys rotate while its customers come and go, and nobody notices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from limen.kernel.ids import SERVER
from limen.modules import keys
from limen.modules.keys import store
from limen.platform.sql import FACTS, METADATA, Id, statement
from tests.journeys.conftest import ADA, Town
from tests.journeys.test_signing_in import prove_page, sign_in
from tests.rig import rotating
from tests.rig.asgi import Answer, Client

pytestmark = pytest.mark.anyio

BOB = "bob@example.com"
NOBODY = "nobody@example.com"


def of_octets_or_text() -> Iterator[tuple[str, list[sa.Column[object]]]]:
    """Go through all tables of the house with their columns of octets and text."""
    for table in METADATA.sorted_tables:
        columns = [one for one in table.c if isinstance(one.type, (sa.LargeBinary, sa.Text, Id)) and not one.info]
        if columns and "changes" not in table.name:
            yield table.name, columns


async def everything(town: Town) -> dict[str, bytes]:
    """Return what stands in each table, of all tenants."""
    found = {}
    async with town.world.db.read(SERVER) as read:
        for name, columns in of_octets_or_text():
            rows = await read.all(statement(sa.select(*columns), across_tenants="a test looks at everything"))
            cells = (cell for row in rows for cell in row if cell is not None)
            found[name] = b"\0".join(bytes(cell) if isinstance(cell, (bytes, memoryview)) else str(cell).encode() for cell in cells)
    return found


async def live(town: Town) -> Client:
    """Let people do what leaves traces: sign up, sign in, mistype, be sent codes. Return the browser of the one with an account."""
    await town.account()
    browser = town.browser()
    await browser.get("/oauth/jwks")
    await sign_in(browser, ADA)
    stranger = town.browser()
    await stranger.submit(await stranger.get("/signup"), {"identifier": BOB})
    for address in (ADA, NOBODY):
        page = await prove_page(stranger, address)
        page = await stranger.submit(page, {"password": "not the word at all"})
        await stranger.submit(page, action="email_code")
    await town.mails()
    return browser


async def again(browser: Client) -> Answer:
    """Sign in anew with a browser whose session is over."""
    browser.jar.setdefault("localhost", {}).pop("lmn_s_acme", None)
    return await sign_in(browser)


async def known(town: Town) -> list[object]:
    """Tell of each sign-in by password whether its browser was known, the first one first."""
    return [fact.data["known_browser"] for fact in await town.facts("factors.factor_passed")]


async def test_customers_notice_nothing(town: Town) -> None:
    """At every stage of both rotations she signs in, her address is taken, and her browser is known as long as its cookie would have lived."""
    browser, forgetful = await live(town), town.browser()
    assert (await again(forgetful)).url.endswith("/account")
    assert await known(town) == [False, False]
    for use in keys.Use:
        await rotating.begin(town.world, use)
    assert (await again(browser)).url.endswith("/account")
    await rotating.bring_along(town.world)
    assert (await again(browser)).url.endswith("/account")
    await rotating.end(town.world, keys.Use.INDEX)
    assert (await again(browser)).url.endswith("/account")
    await rotating.end(town.world, keys.Use.DATA)
    assert [await rotating.count(town.world, use) for use in keys.Use] == [1, 1]
    assert (await again(browser)).url.endswith("/account")
    assert await known(town) == [False, False, True, True, True, True]
    await again(forgetful)
    assert (await known(town))[-1] is False, "its cookie would have died, had the browser kept to what it was told"
    stranger = town.browser()
    page = await stranger.submit(await stranger.get("/signup"), {"identifier": ADA})
    page = await stranger.submit(page, {"code": await town.code()})
    assert "account" in page.words, "the address is still taken: it goes on as a sign-in"
    assert len(await town.facts("accounts.account_created")) == 1


async def test_nothing_is_left_under_the_previous_keys(town: Town) -> None:
    """Every value of every table is looked at: none is sealed under the old data key, and save in the log no old index of an address is left."""
    await live(town)
    async with town.world.read() as read:
        old = bytes.fromhex((await keys.tenant_box(read, keys.Sealed(name="test", fades=rotating.AT_ONCE, why="test"))).id)
        values = [("email", ADA), *((kind, f"email:{address}") for kind in ("factor", "notices") for address in (ADA, BOB, NOBODY)), ("address", "127.0.0.1")]
        blinds = {(purpose, value): await keys.blind(read, keys.LOGGED, purpose, value) for purpose, value in values}
    before = await everything(town)
    whole = b"".join(octets for name, octets in before.items() if name != FACTS.name)
    assert b"\x01" + old in before["signing_keys"]
    for found in (("email", ADA), ("factor", f"email:{NOBODY}"), ("notices", f"email:{NOBODY}"), ("address", "127.0.0.1")):
        assert blinds[found] in whole or blinds[found].hex().encode() in whole, f"the search would find {found}"
    for use in keys.Use:
        await rotating.begin(town.world, use)
    await rotating.bring_along(town.world)
    for use in (keys.Use.INDEX, keys.Use.DATA):
        await rotating.end(town.world, use)
    for _ in range(3):  # what sweeps find, and what goes with the next message to anybody
        await town.runner.run_due()
        town.world.advance(3601)
    stranger = town.browser()
    await stranger.submit(await prove_page(stranger, "somebody@example.com"), action="email_code")
    for name, octets in (await everything(town)).items():
        assert b"\x01" + old not in octets, f"{name} has something sealed under the previous data key"
        if name != FACTS.name:
            assert [value for value, blind in blinds.items() if blind in octets or blind.hex().encode() in octets] == [], name
    async with town.world.read() as read:
        assert old.hex() not in {key.id for use in keys.Use for key in await store.tenant_keys(read, use)}
