"""`/dev/mailbox` and `/dev/mailbox.json`."""

from __future__ import annotations

from pathlib import Path

import pytest

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import TenantId
from limen.modules import notices
from limen.modules.notices import api, pages
from limen.platform import mail
from limen.platform.duties import Settings
from limen.platform.http import Options, build
from limen.platform.pages import register, registered
from limen.platform.telemetry import Log
from tests.conftest import World
from tests.platform.http.conftest import BASE, Addresses, Door, label
from tests.rig.asgi import Client

FIELDS = ["at", "channel", "code", "link", "subject", "text", "to"]


def browser(world: World, base: str = BASE) -> Client:
    folder = Path(notices.__path__[0])
    if folder.name not in registered():
        register(folder.name, folder)
    options = Options(base_url=base, dev=base.startswith("http:"), source_label=label)
    return Client(build([*api.ENDPOINTS, *pages.ENDPOINTS], Addresses(base=base), Door(), world.db, Settings([Log(requests="none")]), options), base)


async def put(world: World, tenant: str, subject: str, *, seconds: int = 0, link: str = "") -> None:
    world.advance(seconds)
    async with world.db.work(TenantId(tenant), SYSTEM) as work:
        message = mail.Dropped("ada@example.com", "email", subject, "Hello <b>\n\n493817\n\nWhen: now\nFrom: there\n", "493817", link, work.now)
        await mail.drop_in(work, subject, message)


async def test_json_is_a_list_newest_first(world: World) -> None:
    """A list of plain objects with the promised fields, of all tenants; under a tenant's own path of that one."""
    await put(world, "main", "first")
    await put(world, "acme", "second", seconds=1)
    client = browser(world)
    answer = await client.get("/dev/mailbox.json")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert [one["subject"] for one in answer.json()] == ["second", "first"]
    assert sorted(answer.json()[0]) == FIELDS
    assert answer.json()[0]["at"].endswith("Z")
    assert [one["subject"] for one in (await client.get("/t/acme/dev/mailbox.json")).json()] == ["second"]


@pytest.mark.parametrize("language", ["en", "de", "ar"])
async def test_page_shows_the_messages(world: World, language: str) -> None:
    """People find code, text and link; what a message holds is text, not markup."""
    client = browser(world)
    client.language = language
    empty = await client.get("/dev/mailbox")
    assert empty.status == 200
    await put(world, "main", "Your code", link="http://localhost:8400/signup")
    page = await client.get("/dev/mailbox")
    assert "493817" in page.words
    assert "Hello &lt;b&gt;" in page.text
    assert "http://localhost:8400/signup" in page.links()
    assert page.words != empty.words


@pytest.mark.parametrize(("language", "says"), [("en", "Text message"), ("de", "SMS"), ("ar", "\u0631\u0633\u0627\u0644\u0629 \u0646\u0635\u064a\u0629")])
async def test_page_names_the_channel(world: World, language: str, says: str) -> None:
    """A text has no subject: it is headed by its channel, and the JSON has its name."""
    async with world.work() as work:
        await mail.drop_in(work, "m1", mail.Dropped("+4915112345678", "sms", "", "493817 is your code.\n\n@localhost #493817", "493817", "", work.now))
    client = browser(world)
    client.language = language
    page = await client.get("/dev/mailbox")
    assert says in page.words
    assert "@localhost #493817" in page.words
    assert (await client.get("/dev/mailbox.json")).json()[0]["channel"] == "sms"


@pytest.mark.parametrize("path", ["/dev/mailbox", "/dev/mailbox.json"])
async def test_production_has_no_mailbox(world: World, path: str) -> None:
    """In production the routes do not exist, and other names of this machine do not reach them in dev mode."""
    await put(world, "main", "secret")
    for base, url in (("https://id.example.com", path), ("https://localhost", path), (BASE, f"http://own.example:8400{path}")):
        answer = await browser(world, base).get(url)
        assert answer.status in (404, 421)
        assert "493817" not in answer.text
