"""oidc-client-ts as a single-page app in real Chromium, on another site than Limen."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.rig.server import LimenServer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("interop")]

NODE = Path(__file__).parents[1] / "node"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


class Quiet(SimpleHTTPRequestHandler):
    """Serves the app's two files."""

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def site(ports: dict[str, int], tmp_path: Path) -> Iterator[str]:
    """The app's own site, http://127.0.0.1: to a browser another site than http://localhost."""
    (tmp_path / "spa.html").write_bytes((NODE / "spa.html").read_bytes())
    (tmp_path / "oidc-client-ts.min.js").write_bytes((NODE / "node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js").read_bytes())
    web = ThreadingHTTPServer(("127.0.0.1", ports["site"]), functools.partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{ports['site']}/spa.html"
    web.shutdown()
    web.server_close()
    thread.join()


def said(page: Page) -> Any:
    page.wait_for_function("document.getElementById('said').textContent !== 'working'")
    return json.loads(page.locator("#said").inner_text())


def press(page: Page, button: str) -> Any:
    page.evaluate("document.getElementById('said').textContent = 'working'")
    page.click(f"#{button}")
    return said(page)


def test_oidc_client_ts_signs_in_refreshes_and_signs_out(site: str, server: LimenServer, customer: dict[str, str]) -> None:
    """The app redirects, exchanges its code by CORS, renews by refresh token, and is back after sign-out."""
    settings = {"authority": server.issuer, "client_id": "spa", "scope": "openid profile email offline_access"}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page()
        page.goto(f"{site}?settings={quote(json.dumps(settings))}")
        assert said(page)["state"] == "out"
        page.click("#in")
        page.wait_for_url("**/signin*")
        for _ in range(6):
            if page.url.startswith(site):
                break
            for name, value in (("identifier", customer["identifier"]), ("password", customer["password"])):
                field = page.locator(f"input[name={name}]:not([type=hidden])")
                if field.count():
                    field.fill(value)
            page.locator("button[name=action][value=allow], button[name=action][value=continue]").first.click()
            page.wait_for_load_state()
        result = said(page)
        assert result["state"] == "signed in", result
        assert result["profile"]["email"] == customer["identifier"]
        renewed = press(page, "refresh")
        assert renewed == {"state": "refreshed", "changed": True, "sub": result["profile"]["sub"]}
        page.click("#out")
        page.wait_for_url(f"{site}*")
        assert said(page)["state"] == "out"
        browser.close()
