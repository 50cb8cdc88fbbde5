"""The demo as its users start it, and what they do in Chromium: the shop stands on http://127.0.0.1, Limen on http://localhost, another site."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlencode

import pytest
from playwright.async_api import Page, expect

from limen.app.demo.people import PASSWORD
from tests.rig.browser import OpenTab, chromium, tab
from tests.rig.server import LIMEN, LimenServer, free_port

__all__ = ["PASSWORD", "Demo", "Visitor", "anyio_backend", "chromium", "demo", "new_customer", "tab"]

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The browser lives as long as the session, and so does the loop."""
    return "asyncio", {"use_uvloop": True}


@dataclass
class Demo(LimenServer):
    """`limen demo` in a process and a folder of its own."""

    shop_port: int = field(default_factory=free_port)

    @property
    def shop(self) -> str:
        return f"http://127.0.0.1:{self.shop_port}"

    @property
    def command(self) -> tuple[str, ...]:
        return (*LIMEN, "demo", "--folder", str(self.folder), "--port", str(self.port), "--shop-port", str(self.shop_port))

    def device(self, client: str, scope: str) -> dict[str, str]:
        """Ask for the codes of a device."""
        form = urlencode({"client_id": client, "scope": scope}).encode()
        with urllib.request.urlopen(f"{self.issuer}/oauth/device_authorization", form, timeout=5) as answer:
            found: dict[str, str] = json.load(answer)
            return found

    def ask(self, address: str, message: str) -> str:
        """Have the call centre ask somebody who is on the telephone; return the name it waits under."""
        secret = {"client_id": "centre", "client_secret": "demo-centre-secret-that-is-none"}
        form = urlencode({"scope": "openid orders", "login_hint": address, "binding_message": message, **secret}).encode()
        with urllib.request.urlopen(f"{self.issuer}/oauth/backchannel_authentication", form, timeout=5) as answer:
            return str(json.load(answer)["auth_req_id"])

    def codes(self, address: str) -> int:
        """Return how many messages with a code somebody has."""
        return sum(1 for message in self.mailbox() if message["to"] == address and message["code"])


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo, running."""
    running = Demo(tmp_path_factory.mktemp("demo"))
    running.start()
    try:
        yield running
    finally:
        running.stop()


@dataclass
class Visitor:
    """Somebody at a browser: she fills what a page asks for and presses its buttons."""

    demo: Demo
    page: Page
    address: str
    password: str = PASSWORD

    async def press(self, action: str) -> None:
        """Press the button of that value and wait for the next page."""
        async with self.page.expect_navigation():
            await self.page.locator(f'button[name="action"][value="{action}"]').first.click()

    async def fill(self, action: str = "continue", /, **values: str) -> None:
        """Fill fields by name and press a button."""
        for name, value in values.items():
            await self.page.locator(f'[name="{name}"]:not([type="hidden"])').fill(value)
        await self.press(action)

    async def code(self) -> None:
        """Read the newest code in the mailbox and type it."""
        await self.fill(code=self.demo.code_for(self.address))

    async def begins_at_the_shop(self, *, new: bool = False) -> None:
        """Go to the shop and press its button to sign up or to sign in."""
        await self.page.goto(self.demo.shop)
        await self.page.get_by_role("link", name="Create an account" if new else "I have one").click()
        await self.page.wait_for_url(f"{self.demo.issuer}/{'signup' if new else 'signin'}?*")

    async def signs_up(self) -> None:
        """Sign up on her own, without an app."""
        await self.page.goto(f"{self.demo.issuer}/signup")
        await self.fill(identifier=self.address)
        await self.code()
        await self.fill(new_password=self.password)
        await self.fill(given_name="Nora", family_name="Lindqvist")
        await expect(self.page).to_have_url(f"{self.demo.issuer}/account")

    async def signs_in(self) -> None:
        """Sign in by password, without an app."""
        await self.page.goto(f"{self.demo.issuer}/signin")
        await self.fill(identifier=self.address)
        await self.fill(password=self.password)
        await expect(self.page).to_have_url(f"{self.demo.issuer}/account")

    async def lets_the_shop_in(self) -> None:
        """Sign in at the shop, where the session of Limen does, and allow what it asks for."""
        await self.page.goto(f"{self.demo.shop}/signin")
        await self.press("allow")
        await expect(self.page).to_have_url(f"{self.demo.shop}/account")


def somebody() -> str:
    """Return an address nobody has used."""
    return f"nora{next(_NUMBERS)}@example.com"


@pytest.fixture
async def new_customer(demo: Demo, tab: OpenTab) -> Visitor:
    """Somebody who signed up a moment ago and stands on her start page."""
    visitor = Visitor(demo, await tab(), somebody())
    await visitor.signs_up()
    return visitor
