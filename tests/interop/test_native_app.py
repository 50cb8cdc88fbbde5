"""A native application: it listens at a loopback port of its own choice, and the person's real browser comes back to it there."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import socket
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import sync_playwright

from tests.interop.test_single_page_app import FLAGS
from tests.rig.server import LimenServer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("interop")]


class Back(BaseHTTPRequestHandler):
    """What the app serves to the browser that comes back."""

    def do_GET(self) -> None:
        """Say that one may close the window."""
        self.send_response(200)
        self.send_header("content-type", "text/plain")
        self.end_headers()
        self.wfile.write(b"You may close this window.")

    def log_message(self, *_: object) -> None: ...


class Six(HTTPServer):
    """Listens at ::1."""

    address_family = socket.AF_INET6


@pytest.fixture(params=["127.0.0.1", "::1"])
def back(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of the app, listening."""
    host: str = request.param
    web = (Six if ":" in host else HTTPServer)((host, 0), Back)
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    yield f"http://{f'[{host}]' if ':' in host else host}:{web.server_port}/callback"
    web.shutdown()
    web.server_close()
    thread.join()


def test_a_native_app_is_come_back_to_at_its_port(back: str, server: LimenServer, customer: dict[str, str]) -> None:
    """In Chromium, whose policy for forms holds the whole way back: sign-in, consent, and the code arrives and gives tokens."""
    verifier = secrets.token_urlsafe(40)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {"client_id": "phone", "response_type": "code", "redirect_uri": back, "scope": "openid email", "state": "s", "code_challenge": challenge}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page()
        page.goto(f"{server.issuer}/oauth/authorize?{urlencode({**asked, 'code_challenge_method': 'S256'})}")
        while page.locator("button[name=action][value=allow]").count() == 0:
            for name, value in customer.items():
                field = page.locator(f"input[name={name}]:not([type=hidden])")
                if field.count():
                    field.fill(value)
            page.click("button[name=action][value=continue]")
            page.wait_for_load_state()
        page.click("button[name=action][value=allow]")
        page.wait_for_url(f"{back}?*")
        query = parse_qs(urlsplit(page.url).query)
        browser.close()
    assert query["state"] == ["s"]
    assert query["iss"] == [server.issuer]
    form = {"grant_type": "authorization_code", "client_id": "phone", "code": query["code"][0], "redirect_uri": back, "code_verifier": verifier}
    with urllib.request.urlopen(f"{server.issuer}/oauth/token", urlencode(form).encode(), timeout=20) as answer:
        assert json.load(answer)["scope"] == "openid email"
