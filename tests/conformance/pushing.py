"""What the FAPI 2.0 plans do in every module: two clients that push their requests, sign them where the plan says so, and bind their tokens."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from tests.conformance.suite import App, Back, Suite, Tokens

TYPE: Final = "oauth-authz-req+jwt"
MINUTE: Final = 60
_URN: Final = re.compile(r"urn:ietf:params:oauth:request_uri:\S+")


@dataclass
class Plan:
    """A plan with its clients. `app` has a browser where somebody is signed in."""

    suite: Suite
    app: App
    other: App
    signs: bool = False
    """Whether requests are signed and answers are JWTs (message signing)."""

    def asked(self, app: App | None = None, **changes: str | None) -> dict[str, str]:
        """Return the parameters of a request."""
        mode = {"response_mode": "jwt"} if self.signs else {}
        return (app or self.app).asked(**{**mode, **changes})

    def object_(self, asked: Mapping[str, str], app: App | None = None, **bent: Any) -> str:
        """Sign parameters (FAPI 2.0 Message Signing, section 5.3.1); `bent` changes claims, or `alg`, `typ` and `key`."""
        signer, now = app or self.app, int(self.suite.now().timestamp())
        how = {name: bent.pop(name) for name in ("alg", "typ", "key") if name in bent}
        about = {"iss": signer.who.id, "aud": self.suite.issuer, "iat": now, "nbf": now, "exp": now + 5 * MINUTE, "jti": secrets.token_urlsafe(8)}
        said = {name: value for name, value in {**asked, **about, **bent}.items() if value is not None}
        return signer.signed(said, **{"typ": TYPE, **how})

    def form(self, asked: Mapping[str, str], app: App | None = None) -> dict[str, str]:
        """Return what is pushed."""
        return {"client_id": asked["client_id"], "request": self.object_(asked, app)} if self.signs else dict(asked)

    def push(self, form: Mapping[str, str], app: App | None = None, **how: Any) -> httpx2.Response:
        """Push a request (RFC 9126, section 2.1)."""
        return (app or self.app).call("/oauth/par", form, **how)

    def pushed(self, asked: Mapping[str, str], app: App | None = None, **how: Any) -> str:
        """Push a good one; return its name."""
        answer = self.push(self.form(asked, app), app, **how)
        assert answer.status_code == 201, answer.text
        said = answer.json()
        assert _URN.fullmatch(said["request_uri"])
        assert 0 < said["expires_in"] <= 10 * MINUTE
        return str(said["request_uri"])

    def go(self, name: str, app: App | None = None, **how: Any) -> Back:
        """Send the browser with nothing but the name of a pushed request."""
        walker = app or self.app
        return self.opened(walker, walker.go({"client_id": walker.who.id, "request_uri": name}, **how))

    def opened(self, app: App, back: Back) -> Back:
        """Take an answer out of its JWT (JARM, section 2.4)."""
        if not self.signs or back.page is not None:
            return back
        assert set(back.said) - {"dummy1", "dummy2"} == {"response"}, back.said
        claims = self.suite.verified(back.said["response"])
        assert (claims.pop("iss"), claims.pop("aud")) == (self.suite.issuer, app.who.id)
        assert 0 < claims.pop("exp") - self.suite.now().timestamp() <= 10 * MINUTE
        return Back("query", {**claims, "iss": self.suite.issuer})

    def back(self, asked: Mapping[str, str], app: App | None = None, **how: Any) -> Back:
        """Push, walk and come back with a code, state and issuer."""
        back = self.go(self.pushed(asked, app, **how), app)
        assert back.page is None, back.page.words[:300]
        assert back.way == "query"
        assert back.said.get("state") == asked.get("state")
        assert back.said["iss"] == self.suite.issuer
        assert back.said["code"]
        return back

    def tokens(self, app: App | None = None, **changes: str | None) -> Tokens:
        """Walk the whole flow."""
        walker = app or self.app
        asked = self.asked(walker, **changes)
        return walker.redeemed(self.back(asked, walker), asked.get("nonce"))

    def refused(self, form: Mapping[str, str], *codes: str, app: App | None = None, **how: Any) -> None:
        """A push is refused with one of these codes (RFC 9126, section 2.3)."""
        is_refused(self.push(form, app, **how), *codes)

    def not_redeemed(self, *codes: str, back: Back | None = None, app: App | None = None, dpop: str | None = None, bent: Any = None, **changes: Any) -> None:
        """A code is refused at the token endpoint."""
        redeemer = app or self.app
        came = back or self.back(self.asked())
        is_refused(redeemer.token(redeemer.redemption(came, **changes), dpop=dpop, bent=bent), *codes)


def is_refused(answer: httpx2.Response, *codes: str) -> None:
    """An error of RFC 6749, section 5.2."""
    assert answer.status_code in {400, 401}, (answer.status_code, answer.text)
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["error"] in codes, answer.text
    assert not set("\r\n\t") & set(answer.json().get("error_description", ""))


Module = Callable[[Plan], None]
