"""Modules of the logout plans: what each of the suite's modules asks of the end-session endpoint, and what apps are told."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from tests.conformance.host import Host
from tests.conformance.registering import Registrar
from tests.conformance.suite import BYE, HOST, App, Back, Suite, Tokens, unsigned
from tests.rig.walker import Seen

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
FRONT: Final = f"{HOST}/test/a/limen/frontchannel_logout"
_STATE: Final = re.compile(r"[0-9a-f]{64}\.[^ .]+")


@dataclass
class Leaver:
    """An app of a logout plan, registered with its addresses, and somebody who is signed in to it."""

    suite: Suite
    host: Host
    registered: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        registrar = Registrar(self.suite, self.host, method="client_secret_basic")
        self.app: App = registrar.app(post_logout_redirect_uris=[BYE], **self.registered)
        asked = self.app.asked(state=secrets.token_urlsafe(96))
        self.back: Back = self.app.go(asked)
        self.app.check_answer(asked, self.back)
        self.tokens: Tokens = self.app.redeemed(self.back, asked["nonce"])
        self.state = secrets.token_urlsafe(12)
        self.frames: list[str] = []

    def asked(self, **changes: str | None) -> dict[str, str]:
        """Return the parameters of a good logout request, with changes; None leaves one out."""
        usual: dict[str, str | None] = {"id_token_hint": self.tokens.said["id_token"], "post_logout_redirect_uri": BYE, "state": self.state}
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def leave(self, **changes: str | None) -> str | Seen:
        """Send the browser to sign out and press what is to be pressed; return the app's address it went to, or our last page."""
        browser = self.app.browser
        seen = browser.once(f"{self.suite.metadata['end_session_endpoint']}?{urlencode(self.asked(**changes))}")
        for _ in range(20):
            if (to := seen.headers.get("location")) is not None:
                target = urljoin(seen.url, to)
                if target.startswith(HOST):
                    return target
                seen = browser.once(target)
            elif found := re.findall(r'<iframe src="([^"]+)"', seen.text):
                self.frames += [unescape(one) for one in found]
                on = re.search(r'http-equiv="refresh" content="\d+; url=([^"]+)"', seen.text)
                assert on is not None
                target = urljoin(seen.url, unescape(on.group(1)))
                if target.startswith(HOST):
                    return target
                seen = browser.once(target)
            elif any("signout" in one.buttons for one in seen.forms):
                seen = browser.press(seen, {}, "signout")
            else:
                return seen
        raise AssertionError(f"walked in circles: {browser.trail}")

    def left(self, *, gone: bool = True) -> None:
        """Ask whether somebody is signed in, as the suite does at the end: without a page."""
        asked = self.app.asked(prompt="none")
        back = self.app.go(asked)
        assert back.page is None
        assert (back.error in {"login_required", "interaction_required"}) == gone, back.said
        assert back.said["state"] == asked["state"]

    def returned(self, where: str | Seen, state: str | None) -> None:
        """The browser came back to the app's own address with its state and nothing else."""
        assert isinstance(where, str), where.words[:300]
        assert where.partition("?")[0] == BYE
        assert dict(parse_qsl(urlsplit(where).query)) == ({} if state is None else {"state": state})

    def stayed(self, where: str | Seen) -> None:
        """The browser stayed on a page of ours."""
        assert not isinstance(where, str), where
        assert re.search(r"\w", where.words)


Module = Callable[[Suite, Host], None]


def logout(suite: Suite, host: Host) -> None:
    """Out, back to the app with its state, and nobody is signed in any more."""
    one = Leaver(suite, host)
    one.returned(one.leave(), one.state)
    one.left()


def no_state(suite: Suite, host: Host) -> None:
    """Without a state none is invented."""
    one = Leaver(suite, host)
    one.returned(one.leave(state=None), None)
    one.left()


def _stays(*, gone: bool = True, **changes: Any) -> Module:
    def module(suite: Suite, host: Host) -> None:
        """The browser is not sent on, and the person can sign out all the same."""
        one = Leaver(suite, host)
        bent = {name: value(one) if callable(value) else value for name, value in changes.items()}
        one.stayed(one.leave(**bent))
        one.left(gone=gone)

    return module


def _modified(one: Leaver) -> str:
    """Return the hint with its claims as they were, and no signature."""
    return unsigned(one.suite.verified(one.tokens.said["id_token"]))


bad_address = _stays(post_logout_redirect_uri=f"{BYE}/elsewhere")
query_added = _stays(post_logout_redirect_uri=f"{BYE}?foo=bar")
modified_hint = _stays(id_token_hint=_modified)
bad_hint = _stays(id_token_hint="bad.hint.altogether")
no_hint = _stays(id_token_hint=None)
no_params = _stays(id_token_hint=None, post_logout_redirect_uri=None, state=None)
no_address = _stays(post_logout_redirect_uri=None)
only_state = _stays(id_token_hint=None, post_logout_redirect_uri=None)


def frontchannel(suite: Suite, host: Host) -> None:
    """The browser opens the app's page with `iss` and `sid`, and goes on to the app."""
    one = Leaver(suite, host, {"frontchannel_logout_uri": FRONT, "frontchannel_logout_session_required": True})
    one.returned(one.leave(), one.state)
    (frame,) = one.frames
    assert frame.partition("?")[0] == FRONT
    assert dict(parse_qsl(urlsplit(frame).query)) == {"iss": suite.issuer, "sid": one.tokens.claims["sid"]}
    one.left()


def backchannel(suite: Suite, host: Host) -> None:
    """The app is told by a signed token of this very session."""
    path = f"/backchannel_logout/{secrets.token_urlsafe(6)}"
    one = Leaver(suite, host, {"backchannel_logout_uri": host.url(path), "backchannel_logout_session_required": True})
    one.returned(one.leave(), one.state)
    (call,) = host.wait(path)
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert set(call.form) == {"logout_token"}
    said = suite.verified(call.form["logout_token"])
    now = suite.now().timestamp()
    assert (said["iss"], said["aud"]) == (suite.issuer, one.app.who.id)
    assert abs(said["iat"] - now) < 300
    assert said["jti"]
    assert said["events"] == {EVENT: {}}
    assert "nonce" not in said
    assert said["sid"] == one.tokens.claims["sid"]
    assert said.get("sub", one.tokens.claims["sub"]) == one.tokens.claims["sub"]
    one.left()


def session_management(suite: Suite, host: Host) -> None:
    """`session_state` is that of the frame's cookie while the session lives, and of none afterwards. Its script is tried in Chromium elsewhere."""
    one = Leaver(suite, host)
    state = one.back.said["session_state"]
    assert _STATE.fullmatch(state)
    frame = one.app.browser.once(suite.metadata["check_session_iframe"])
    assert frame.status == 200
    assert "x-frame-options" not in frame.headers
    assert "frame-ancestors 'none'" not in frame.headers["content-security-policy"]
    assert _is_unchanged(one, frame, state)
    one.returned(one.leave(), one.state)
    assert not _is_unchanged(one, frame, state)
    one.left()


def _is_unchanged(one: Leaver, frame: Seen, state: str) -> bool:
    """Compute what the frame's script computes (Session Management 1.0, section 3.2)."""
    name = re.search(r'data-cookie="([^"]*)" data-mark="([^"]*)"', frame.text)
    assert name is not None
    kept = one.app.browser.jar["localhost"].get(unescape(name.group(1)), "").removeprefix(unescape(name.group(2)))
    told, salt = state.split(".")
    return hashlib.sha256(f"{one.app.who.id} {HOST} {kept} {salt}".encode()).hexdigest() == told


def discovery(suite: Suite, host: Host) -> None:
    """The metadata say what is there, on https."""
    del host
    said = json.loads(json.dumps(suite.metadata))
    for name in ("end_session_endpoint", "check_session_iframe"):
        assert said[name].startswith("https://")
    for name in (
        "frontchannel_logout_supported",
        "frontchannel_logout_session_supported",
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
    ):
        assert said[name] is True
