"""Signing out with several apps open, in real Chromium: the apps stand on http://127.0.0.1, Limen on http://localhost, another site."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from playwright.async_api import BrowserContext, Page, Route, async_playwright, expect

from limen.modules.oauth.check_session import session_state
from tests.rig.browser import EXECUTABLE, FLAGS, OpenTab, accessible
from tests.rig.server import LimenServer, free_port, serving

pytestmark = [pytest.mark.slow, pytest.mark.anyio, pytest.mark.xdist_group("leaving")]

PASSWORD = "violet harbour tin whistle"
SECRET = "a secret that only this test knows"
_TENANT = """
[[tenant]]
name = "acme"
default = true
[[tenant.client]]
id = "{id}"
kind = "web"
consent = "none"
secret = "{secret}"
redirect_uris = ["{origin}/callback"]
post_logout_redirect_uris = ["{origin}/bye"]
frontchannel_logout_uri = "{origin}/leave"
frontchannel_logout_session_required = true
backchannel_logout_uri = "{origin}/told"
grants = ["authorization_code"]
scopes = ["openid"]
"""
_ASKING = """<!doctype html><title>app</title><p id=said>nothing</p><iframe id=op src="%s"></iframe>
<script>addEventListener("message", e => { document.getElementById("said").textContent = e.data + " " + e.origin })
function ask(question) { document.getElementById("op").contentWindow.postMessage(question, "%s") }</script>"""


@dataclass
class App:
    """An app: what it got for its code, and what it was told."""

    id: str
    port: int = field(default_factory=free_port)
    issuer: str = ""
    tokens: dict[str, Any] = field(default_factory=dict)
    told: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def begin(self) -> str:
        """Return where it sends the browser to sign in."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).rstrip(b"=").decode()
        asked = {"client_id": self.id, "redirect_uri": f"{self.origin}/callback", "response_type": "code", "scope": "openid"}
        return f"{self.issuer}/oauth/authorize?{urlencode({**asked, 'code_challenge': challenge, 'code_challenge_method': 'S256'})}"

    def redeem(self, code: str) -> None:
        """Exchange a code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": f"{self.origin}/callback", "code_verifier": "v" * 43}
        body = urlencode({**form, "client_id": self.id, "client_secret": SECRET}).encode()
        with urllib.request.urlopen(f"{self.issuer}/oauth/token", body, timeout=20) as answer:
            self.tokens = json.load(answer)


def _handler(app: App) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _say(self, text: str) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(text.encode())

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            if parts.path == "/callback":
                app.redeem(query["code"][0])
            if parts.path == "/leave":
                app.told.append(("front", query))
            self._say(_ASKING % (f"{app.issuer}/oauth/check_session", app.issuer) if parts.path == "/asking" else f"<!doctype html><h1>{parts.path}</h1>")

        def do_POST(self) -> None:
            app.told.append(("back", parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())))
            self._say("")

        def log_message(self, *_: object) -> None: ...

    return Handler


@contextmanager
def opened(app: App) -> Iterator[App]:
    """Serve an app for the length of the block."""
    web = ThreadingHTTPServer(("127.0.0.1", app.port), _handler(app))
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    try:
        yield app
    finally:
        web.shutdown()
        web.server_close()
        thread.join()


@pytest.fixture(scope="module")
def apps() -> Iterator[tuple[App, App]]:
    """Two apps, serving."""
    with opened(App("one")) as one, opened(App("two")) as two:
        yield one, two


@pytest.fixture(scope="module")
def limen(tmp_path_factory: pytest.TempPathFactory, apps: tuple[App, App]) -> Iterator[LimenServer]:
    """Limen, with both registered."""
    folder: Path = tmp_path_factory.mktemp("leaving")
    clients = [_TENANT.format(id=app.id, secret=SECRET, origin=app.origin) for app in apps]
    with serving(folder, clients[0] + clients[1].partition("default = true")[2]) as server:
        for app in apps:
            app.issuer = server.issuer
        yield server


async def sign_up(limen: LimenServer, page: Page, address: str) -> None:
    """Make an account."""
    await page.goto(f"{limen.issuer}/signup")
    for name, value in (("identifier", address), ("code", ""), ("new_password", PASSWORD)):
        await page.locator(f'[name="{name}"]:not([type="hidden"])').fill(value or limen.code_for(address))
        async with page.expect_navigation():
            await page.locator('button[name="action"][value="continue"]').first.click()
    await expect(page).to_have_url(f"{limen.issuer}/account")


async def enter(apps: tuple[App, App], page: Page) -> None:
    """Go through single sign-on at both apps."""
    for app in apps:
        app.told.clear()
        await page.goto(app.begin())
        await expect(page.locator("h1")).to_have_text("/callback")


@pytest.mark.parametrize("scripts", [True, False])
async def test_both_apps_are_told_and_the_browser_goes_back(limen: LimenServer, apps: tuple[App, App], tab: OpenTab, scripts: bool) -> None:  # noqa: FBT001
    """Front and back channel, with script and without; the first app sent her here, and there she is again by herself."""
    page = await tab(scripts=scripts)
    await sign_up(limen, page, f"ada{int(scripts)}@example.com")
    await enter(apps, page)
    hint, back = apps[0].tokens["id_token"], f"{apps[0].origin}/bye"
    await page.goto(f"{limen.issuer}/oauth/logout?id_token_hint={hint}&post_logout_redirect_uri={quote(back)}&state=s")
    await expect(page).to_have_url(f"{back}?state=s", timeout=15_000)
    sid = json.loads(base64.urlsafe_b64decode(hint.split(".")[1] + "=="))["sid"]
    for app in apps:
        fronts = [said for way, said in app.told if way == "front"]
        assert fronts == [{"iss": [limen.issuer], "sid": [sid]}]
        for _ in range(100):
            if any(way == "back" for way, _ in app.told):
                break
            await page.wait_for_timeout(100)
        assert [way for way, _ in app.told].count("back") == 1


async def test_an_app_that_hangs_holds_nobody_up(limen: LimenServer, apps: tuple[App, App], tab: OpenTab) -> None:
    """The page is for everybody, waits a few seconds and goes on."""
    page = await tab()
    await sign_up(limen, page, "grace@example.com")
    await enter(apps, page)
    held: list[Route] = []

    async def hang(route: Route) -> None:
        held.append(route)

    await page.route("**/leave?*", hang)
    await page.clock.install(time=0)
    await page.clock.pause_at(60)
    back = f"{apps[0].origin}/bye"
    way = f"{limen.issuer}/oauth/logout?id_token_hint={apps[0].tokens['id_token']}&post_logout_redirect_uri={quote(back)}"
    await page.goto(way, wait_until="domcontentloaded")
    await expect(page.get_by_role("heading")).to_have_text("You are signed out")
    await accessible(page)
    assert len(held) == 2
    await page.clock.run_for(4_000)
    await expect(page.get_by_role("link", name="Continue")).to_be_visible()
    await page.clock.run_for(2_000)
    await expect(page).to_have_url(back)


@asynccontextmanager
async def lenient(folder: Path) -> AsyncIterator[BrowserContext]:
    """Open a browser that lets frames of other sites have their cookies, as people may set it."""
    (folder / "Default").mkdir()
    (folder / "Default" / "Preferences").write_text('{"profile": {"cookie_controls_mode": 0}}')
    async with async_playwright() as driver:
        context = await driver.chromium.launch_persistent_context(folder, executable_path=str(EXECUTABLE), args=list(FLAGS))
        try:
            yield context
        finally:
            await context.close()


async def asks(limen: LimenServer, app: App, here: Page) -> tuple[Page, str]:
    """Open a page of an app with the frame, beside that of somebody who is signed in; return it and the app's question."""
    cookies = {cookie.get("name"): cookie.get("value", "") for cookie in await here.context.cookies()}
    page = await here.context.new_page()
    await page.goto(f"{app.origin}/asking")
    assert page.frames[1].url == f"{limen.issuer}/oauth/check_session"
    return page, f"{app.id} {session_state(app.id, app.origin, cookies['lmn_b_acme'].removeprefix('acme.'))}"


async def answer(page: Page, question: str) -> str:
    """Ask the frame."""
    await page.evaluate("question => { document.getElementById('said').textContent = 'nothing'; ask(question) }", question)
    await expect(page.locator("#said")).not_to_have_text("nothing")
    return (await page.locator("#said").inner_text()).split(" ")[0]


async def test_the_frame_says_when_the_session_changed(limen: LimenServer, apps: tuple[App, App], tmp_path: Path) -> None:
    """Unchanged while she is signed in, as often as the app asks; changed for another app, and for everybody once she is out or in anew."""
    async with lenient(tmp_path) as context:
        here = await context.new_page()
        await sign_up(limen, here, "eve@example.com")
        await enter(apps, here)
        page, question = await asks(limen, apps[0], here)
        assert [await answer(page, question) for _ in range(2)] == ["unchanged", "unchanged"]
        assert await answer(page, question.replace("one ", "two ")) == "changed"
        assert await answer(page, "what?") == "error"
        await here.goto(f"{limen.issuer}/account")
        await here.get_by_role("button", name="Sign out").click()
        await expect(here).to_have_url(f"{limen.issuer}/account/signed-out", timeout=15_000)
        assert await answer(page, question) == "changed"


async def test_a_browser_that_hides_cookies_from_frames_signs_nobody_out(limen: LimenServer, apps: tuple[App, App], tab: OpenTab) -> None:
    """The frame cannot see whether there is a session, and says so: never `changed`."""
    here = await tab()
    await sign_up(limen, here, "joan@example.com")
    page, question = await asks(limen, apps[0], here)
    assert await answer(page, question) == "error"
