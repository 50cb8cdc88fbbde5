"""Session Management 1.0: what the frame answers, and what the browser keeps for it."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Sequence
from html import unescape
from typing import Any

import pytest

from limen.modules.oauth.check_session import SCRIPT, origin_of, session_state, state_for
from limen.modules.tenants.api import Directory
from limen.platform.http import Cookies
from limen.platform.http.site import Place
from tests.modules.oauth.conftest import BASE, RIVAL, Door

ORIGIN = "https://spa.example"
COOKIE, MARK = "__Host-lmn_b_acme", "acme."

_BROWSER = """
const given = JSON.parse(process.argv[1]);
const attributes = {"data-cookie": given.cookie, "data-mark": given.mark};
let listener;
const said = [];
global.window = {addEventListener: (name, heard) => { listener = heard }};
global.document = {documentElement: {getAttribute: (name) => attributes[name]}, cookie: given.jar};
if (given.access !== null) document.hasStorageAccess = () => Promise.resolve(given.access);
eval(given.script);
for (const [data, origin] of given.messages) listener({data, origin, source: {postMessage: (answer, to) => said.push([answer, to])}});
setTimeout(() => console.log(JSON.stringify(said)), 0);
"""


def frame(messages: Sequence[tuple[Any, str]], state: str = "", *, access: bool | None = None, jar: str | None = None) -> list[list[str]]:
    """Run the served script with a browser's cookies; return (answer, origin it went to) of each message."""
    cookies = jar if jar is not None else f"other=1; {COOKIE}={MARK}{state}" if state else "other=1"
    given = {"script": SCRIPT, "cookie": COOKIE, "mark": MARK, "jar": cookies, "access": access, "messages": messages}
    done = subprocess.run(["node", "-e", _BROWSER, json.dumps(given)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    found: list[list[str]] = json.loads(done.stdout)
    return found


def test_the_frame_computes_what_the_server_did() -> None:
    """Section 3.2: unchanged for the very state, at that origin, for that client; changed for any other."""
    shown = session_state("spa", ORIGIN, "state-1")
    asked = f"spa {shown}"
    messages = [(asked, ORIGIN), (asked, "https://evil.example"), (f"shop {shown}", ORIGIN)]
    assert frame(messages, "state-1") == [["unchanged", ORIGIN], ["changed", "https://evil.example"], ["changed", ORIGIN]]
    assert frame([(asked, ORIGIN)], "state-2") == [["changed", ORIGIN]]
    assert frame([(asked, ORIGIN)]) == [["changed", ORIGIN]]
    assert frame([(asked, ORIGIN)], jar=f"{COOKIE}=rival.state-1") == [["changed", ORIGIN]]


def test_texts_of_every_length_have_their_hash() -> None:
    """The script's SHA-256 is the standard's, over the borders of its blocks and beyond ASCII."""
    messages = []
    for length in (*range(1, 140), 500, 5_000):
        name = ("é漢" + "x" * length)[:length]
        digest = hashlib.sha256(f"{name} {ORIGIN} st salt".encode()).hexdigest()
        messages.append((f"{name} {digest}.salt", ORIGIN))
    assert {answer for answer, _ in frame(messages, "st")} == {"unchanged"}


@pytest.mark.parametrize("data", ["", "spa", "spa x.y", "a b c", 7, None, {"a": 1}, f"spa {'0' * 64}", f"spa {'g' * 64}.s", f"spa  {'0' * 64}.s"])
def test_what_is_no_question_is_an_error(data: object) -> None:
    """Section 3.2: a message that is not of this form."""
    assert frame([(data, ORIGIN)], "state") == [["error", ORIGIN]]


def test_a_browser_that_hides_the_cookie_is_no_sign_out() -> None:
    """Where frames of other sites get no cookies the page cannot tell, and says `error`, not `changed`; with access it knows that there is none."""
    asked = f"spa {session_state('spa', ORIGIN, 'state')}"
    assert frame([(asked, ORIGIN)], access=False) == [["error", ORIGIN]]
    assert frame([(asked, ORIGIN)], access=True) == [["changed", ORIGIN]]
    assert frame([(asked, ORIGIN)], "state", access=False) == [["unchanged", ORIGIN]]


def test_a_session_state_tells_nothing() -> None:
    """It is salted: two of the same state are not alike; there is no space in it (section 2)."""
    first, second = session_state("spa", ORIGIN, "state"), session_state("spa", ORIGIN, "state")
    assert first != second
    assert re.fullmatch(r"[0-9a-f]{64}\.[A-Za-z0-9_-]{22}", first)


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://APP.example/cb?x=1", "https://app.example"),
        ("https://app.example:443/cb", "https://app.example"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:80/", "http://[::1]"),
        ("com.example.app:/callback", ""),
    ],
)
def test_an_origin_is_written_as_browsers_do(uri: str, origin: str) -> None:
    """What `event.origin` says of the app's pages; apps with a scheme of their own have none."""
    assert origin_of(uri) == origin


@pytest.mark.anyio
async def test_the_page_alone_may_be_framed(door: Door) -> None:
    """SURFACE 2: its policy lets others frame it, and nothing run in it but its very script; it names the tenant's own cookie."""
    for base, name in ((BASE, "acme"), (RIVAL, "rival")):
        page = await door.browser().get(f"{base}/oauth/check_session")
        assert page.headers["content-type"].startswith("text/html")
        policy = page.headers["content-security-policy"].split("; ")
        assert "frame-ancestors *" in policy
        assert "default-src 'none'" in policy
        script = re.search(r"<script>(.*)</script>", page.text, re.DOTALL)
        assert script is not None
        assert script[1] == SCRIPT
        assert f'data-cookie="lmn_b_{name}" data-mark="{name}."' in unescape(page.text)
        assert page.cookies == []
    assert "frame-ancestors 'none'" in (await door.browser().get("/signin")).headers["content-security-policy"]
    document = (await door.calls.get("/.well-known/openid-configuration")).json()
    assert document["check_session_iframe"] == f"{BASE}/oauth/check_session"


@pytest.mark.anyio
async def test_the_state_of_an_answer_is_the_cookies(door: Door) -> None:
    """Who brings the cookie gets a `session_state` the frame says unchanged to; without it, or for an app without an origin, there is none."""
    site = await Directory(BASE, door.world.db, dev=True).find("localhost:8400", "/")
    assert site is not None
    cookies = Cookies("lmn_b_acme=acme.state", Place(site, 0))
    shown = state_for(cookies, "spa", f"{ORIGIN}/cb")
    assert frame([(f"spa {shown}", ORIGIN)], "state") == [["unchanged", ORIGIN]]
    assert state_for(cookies, "app", "com.example.app:/callback") == ""
    assert state_for(Cookies("", Place(site, 0)), "spa", f"{ORIGIN}/cb") == ""
