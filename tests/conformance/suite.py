"""The side of a conformance suite: clients that ask, a browser without script that walks, and checks of what comes back, with strangers' libraries."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from limen.app.demo.people import PASSWORD, PEOPLE
from tests.rig.certificates import Certified
from tests.rig.fronted import Fronted
from tests.rig.prover import Prover
from tests.rig.walker import Seen

HOST: Final = "https://suite.example"
CALLBACK: Final = f"{HOST}/test/a/limen/callback"
QUERY: Final = f"{CALLBACK}?dummy1=lorem&dummy2=ipsum"
BYE: Final = f"{HOST}/test/a/limen/post_logout_redirect"
PERSON: Final = {"identifier": PEOPLE[0].email, "password": PASSWORD}
ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGS: Final = ["RS256", "PS256", "ES256"]
_SKEW: Final = 300
_PAGES: Final = 20


def b64(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def half(text: str) -> str:
    """`at_hash` and `c_hash` of the algorithms with SHA-256 (OpenID Connect Core 1.0, 3.1.3.6)."""
    return b64(hashlib.sha256(text.encode()).digest()[:16])


def unsigned(claims: Mapping[str, object]) -> str:
    """Return a JWT whose `alg` is none."""
    return f"{b64(json.dumps({'alg': 'none'}).encode())}.{b64(json.dumps(claims).encode())}."


def header(token: str) -> dict[str, Any]:
    """Return the header of a JWT."""
    return dict(json.loads(base64.urlsafe_b64decode(token.split(".", maxsplit=1)[0] + "==")))


@dataclass
class Back:
    """What a browser brought to the callback: parameters, and whether as query, fragment or form. Or the page of ours where it stayed."""

    way: str = ""
    said: dict[str, str] = field(default_factory=dict)
    page: Seen | None = None

    @property
    def error(self) -> str:
        return self.said.get("error", "")


@dataclass(frozen=True)
class Tokens:
    """A token response, with the verified claims of its id_token."""

    said: dict[str, Any]
    claims: dict[str, Any]

    @property
    def access(self) -> str:
        return str(self.said["access_token"])


@dataclass
class Suite:
    """A server under test as seen from outside."""

    front: Fronted
    metadata: dict[str, Any] = field(init=False)
    known: KeySet = field(init=False)
    """The server's keys as they were at the beginning: the suite does not look again in the middle of a module."""
    machines: dict[int, httpx2.Client] = field(default_factory=dict)
    offset: float = 0.0
    """So far the server's clock was turned."""

    def __post_init__(self) -> None:
        self.metadata = self.http.get(f"{self.front.issuer}/.well-known/openid-configuration").json()
        self.known = self.keys()

    @property
    def issuer(self) -> str:
        return self.front.issuer

    @property
    def http(self) -> httpx2.Client:
        """A machine without a certificate."""
        return self.machine(None)

    def machine(self, shown: Certified | None) -> httpx2.Client:
        """Return a machine that shows a certificate, or none; connections are kept."""
        number = shown.certificate.serial_number if shown else 0
        if number not in self.machines:
            self.machines[number] = self.front.app(shown)
        return self.machines[number]

    def close(self) -> None:
        """Let go of all connections."""
        for one in self.machines.values():
            one.close()

    def keys(self) -> KeySet:
        """Fetch the server's keys."""
        return KeySet.import_key_set(self.http.get(self.metadata["jwks_uri"]).json())

    def now(self) -> datetime:
        """Return the server's time: clients go with it."""
        return datetime.now(UTC) + timedelta(seconds=self.offset)

    def turn(self, seconds: float) -> None:
        """Turn the server's clock on, where the suite waits."""
        self.offset += seconds
        assert self.http.post(f"{self.issuer}/dev/clock", json={"advance": seconds}).status_code == 200

    def verified(self, token: str) -> dict[str, Any]:
        """Return the claims of a JWT that one of the server's keys signed, found by its `kid`."""
        assert header(token)["kid"]
        return dict(jwt.decode(token, self.known, algorithms=_ALGS).claims)


@dataclass(frozen=True)
class Identity:
    """How a client proves itself."""

    id: str
    method: str = "client_secret_basic"
    secret: str = ""
    key: RSAKey | ECKey | None = None
    alg: str = "PS256"
    certificate: Certified | None = None


@dataclass
class App:
    """A client of a plan."""

    suite: Suite
    who: Identity
    response_type: str = "code"
    response_mode: str = ""
    redirect_uri: str = CALLBACK
    scope: str = "openid"
    pkce: bool = False
    audience: str = ""
    """Of its assertions; empty: the issuer."""
    prover: Prover | None = None
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    answers: Mapping[str, str | Callable[[], str]] = field(default_factory=lambda: dict(PERSON))
    pressed: int = field(default=0, init=False)
    """So many buttons on the last walk."""

    def __post_init__(self) -> None:
        self.http = self.suite.machine(self.who.certificate)
        self.browser = self.suite.front.browser()

    def fresh(self, **changes: Any) -> App:
        """Return the same client with a browser that nobody used."""
        return replace(self, **changes)

    @property
    def base(self) -> str:
        return self.suite.front.mtls if self.who.certificate else self.suite.issuer

    # the authorization endpoint

    def asked(self, **changes: str | None) -> dict[str, str]:
        """Return the parameters of a request; what is changed to None is left out."""
        usual: dict[str, str | None] = {
            "client_id": self.who.id,
            "redirect_uri": self.redirect_uri,
            "response_type": self.response_type,
            "scope": self.scope,
            "state": secrets.token_urlsafe(12),
            "nonce": secrets.token_urlsafe(12),
        }
        if self.response_mode:
            usual["response_mode"] = self.response_mode
        if self.pkce:
            usual |= {"code_challenge": b64(hashlib.sha256(self.verifier.encode()).digest()), "code_challenge_method": "S256"}
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def go(self, asked: Mapping[str, str], *, action: str = "") -> Back:
        """Send the browser with a request and walk until it comes back, or stays on a page that has nothing to press."""
        return self.walked(self.browser.once(f"{self.suite.metadata['authorization_endpoint']}?{urlencode(asked)}"), action=action)

    def walked(self, seen: Seen, *, action: str = "") -> Back:
        """Go on from a page. `action` is pressed where a page offers it."""
        self.pressed = 0
        for _ in range(_PAGES):
            if (to := seen.headers.get("location")) is not None:
                target = urljoin(seen.url, to)
                if target.startswith(HOST):
                    return _landed(target)
                seen = self.browser.once(target)
                continue
            posted = next((one for one in seen.forms if one.action.startswith(HOST)), None)
            if posted is not None:
                return Back("form_post", dict(posted.fields))
            form = next((one for one in seen.forms if one.method == "post" and one.buttons), None)
            if form is None or seen.status >= 400:
                return Back(page=seen)
            self.pressed += 1
            wanted = action if action in form.buttons else ""
            seen = self.browser.press(seen, self.answers, wanted)
        raise AssertionError(f"walked in circles: {self.browser.trail}")

    def signed_in(self, **changes: str | None) -> Back:
        """Walk a good request to its end."""
        asked = self.asked(**changes)
        back = self.go(asked)
        self.check_answer(asked, back)
        return back

    def check_answer(self, asked: Mapping[str, str], back: Back) -> None:
        """An answer comes the way that was asked for, with state and issuer, and with all that the response type names."""
        assert back.page is None, back.page.words[:500]
        assert not back.error, back.said
        usual = "query" if asked["response_type"] == "code" else "fragment"
        assert back.way == asked.get("response_mode", usual)
        assert back.said.get("state") == asked.get("state")
        assert back.said["iss"] == self.suite.issuer
        types = asked["response_type"].split()
        names = {"code": "code", "token": "access_token", "id_token": "id_token"}
        assert {one for one in names.values() if one in back.said} == {names[one] for one in types}
        if "token" in types:
            assert back.said["token_type"].lower() == "bearer"
            assert int(back.said["expires_in"]) > 0
        if "id_token" in types:
            claims = self.check_id_token(back.said["id_token"], asked.get("nonce"))
            assert claims.get("at_hash") == (half(back.said["access_token"]) if "token" in types else None)
            assert claims.get("c_hash") == (half(back.said["code"]) if "code" in types else None)

    # the token endpoint

    def proof_of(self, **changes: Any) -> tuple[dict[str, str], dict[str, str]]:
        """Return form fields and header fields by which the client proves itself; `changes` bend its assertion."""
        method = self.who.method
        if method == "client_secret_basic":
            return {}, {
                "authorization": "Basic " + base64.b64encode(f"{self.who.id}:{self.who.secret}".replace(" ", "+").replace(",", "%2C").encode()).decode()
            }
        if method == "client_secret_post":
            return {"client_id": self.who.id, "client_secret": self.who.secret}, {}
        if method == "private_key_jwt":
            return {"client_id": self.who.id, "client_assertion_type": ASSERTION, "client_assertion": self.assertion(**changes)}, {}
        return {"client_id": self.who.id}, {}

    def assertion(self, *, alg: str = "", key: RSAKey | ECKey | None = None, **changes: Any) -> str:
        """Sign a client assertion; what is changed to None is left out."""
        now = int(self.suite.now().timestamp())
        about = {"iss": self.who.id, "sub": self.who.id, "aud": self.audience or self.suite.issuer}
        usual = {**about, "jti": secrets.token_urlsafe(12), "iat": now, "exp": now + 60}
        said = {name: value for name, value in {**usual, **changes}.items() if value is not None}
        return self.signed(said, alg=alg, key=key)

    def signed(self, said: Mapping[str, Any], *, alg: str = "", typ: str = "JWT", key: RSAKey | ECKey | None = None) -> str:
        """Sign claims with the client's key."""
        signs = key or self.who.key
        assert signs is not None
        return jwt.encode({"alg": alg or self.who.alg, "kid": signs.kid, "typ": typ}, dict(said), signs, algorithms=[alg or self.who.alg])

    def call(self, path: str, form: Mapping[str, str], *, dpop: str | None = None, **bent: Any) -> httpx2.Response:
        """Call an endpoint as the client, with a proof of its key where it has one; `dpop` sends another, "" none."""
        url = f"{self.base}{path}"
        fields, headers = self.proof_of(**bent)
        if dpop is None and self.prover is not None:
            headers["dpop"] = self.prover.proof("POST", f"{self.suite.issuer}{path}")
        elif dpop:
            headers["dpop"] = dpop
        return self.http.post(url, data={**fields, **form}, headers=headers)

    def token(self, form: Mapping[str, str | None], *, dpop: str | None = None, bent: Mapping[str, Any] | None = None) -> httpx2.Response:
        """Call the token endpoint."""
        return self.call("/oauth/token", {name: value for name, value in form.items() if value is not None}, dpop=dpop, **(bent or {}))

    def refresh(self, token: str, **more: str) -> httpx2.Response:
        """Use a refresh token."""
        return self.token({"grant_type": "refresh_token", "refresh_token": token, **more})

    def redemption(self, back: Back, **changes: str | None) -> dict[str, str | None]:
        """Return the form that redeems a code."""
        verifier = {"code_verifier": self.verifier} if self.pkce else {}
        return {"grant_type": "authorization_code", "code": back.said["code"], "redirect_uri": self.redirect_uri, **verifier, **changes}

    def redeemed(self, back: Back, nonce: str | None = None) -> Tokens:
        """Redeem a code and check the response (RFC 6749, section 5.1; OpenID Connect Core 1.0, 3.1.3.3)."""
        return self.checked(self.token(self.redemption(back)), nonce)

    def checked(self, answer: httpx2.Response, nonce: str | None = None) -> Tokens:
        """Check a good token response."""
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("application/json")
        assert "no-store" in answer.headers["cache-control"]
        said = answer.json()
        assert said["token_type"].lower() == ("dpop" if self.prover else "bearer")
        assert said["expires_in"] > 0
        claims = self.check_id_token(said["id_token"], nonce) if "id_token" in said else {}
        return Tokens(said, claims)

    def check_id_token(self, token: str, nonce: str | None) -> dict[str, Any]:
        """Check an id_token (OpenID Connect Core 1.0, 3.1.3.7) and return its claims."""
        claims = self.suite.verified(token)
        now = self.suite.now().timestamp()
        assert (claims["iss"], claims["aud"]) == (self.suite.issuer, self.who.id)
        assert 0 < len(claims["sub"]) <= 255
        assert claims["iat"] - _SKEW < now < claims["exp"]
        assert claims["auth_time"] <= now + _SKEW
        assert claims["acr"]
        if nonce is not None:
            assert claims["nonce"] == nonce
        return claims

    # userinfo

    def userinfo(self, token: str, *, scheme: str = "", way: str = "GET", dpop: str | None = None) -> httpx2.Response:
        """Ask for userinfo: by GET, by POST with the token in the header, or by POST with it in the body (`BODY`)."""
        url = f"{self.base}/oauth/userinfo"
        headers: dict[str, str] = {}
        if way != "BODY":
            headers["authorization"] = f"{scheme or ('DPoP' if self.prover else 'Bearer')} {token}"
        if self.prover is not None and dpop is None:
            headers["dpop"] = self.prover.proof("GET" if way == "GET" else "POST", f"{self.suite.issuer}/oauth/userinfo", token)
        elif dpop:
            headers["dpop"] = dpop
        if way == "GET":
            return self.http.get(url, headers=headers)
        return self.http.post(url, headers=headers, data={"access_token": token} if way == "BODY" else {})

    def known(self, token: str) -> dict[str, Any]:
        """Return what userinfo says; it must answer."""
        answer = self.userinfo(token)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def whole(self, **changes: str | None) -> Tokens:
        """Walk the happy flow: sign in, redeem what is to be redeemed, and ask userinfo; the same person is told everywhere."""
        asked = self.asked(**changes)
        back = self.go(asked)
        self.check_answer(asked, back)
        nonce = asked.get("nonce")
        first = self.check_id_token(back.said["id_token"], nonce) if "id_token" in back.said else {}
        if "access_token" in back.said:
            assert self.known(back.said["access_token"])["sub"] == first.get("sub", self.known(back.said["access_token"])["sub"])
        if "code" not in back.said:
            return Tokens(dict(back.said), first)
        tokens = self.redeemed(back, nonce)
        if "openid" in asked["scope"].split():
            assert first.get("sub", tokens.claims["sub"]) == tokens.claims["sub"] == self.known(tokens.access)["sub"]
        return tokens


def _landed(target: str) -> Back:
    parts = urlsplit(target)
    if parts.fragment:
        assert not {"code", "error"} & {name for name, _ in parse_qsl(parts.query)}, target
        return Back("fragment", dict(parse_qsl(parts.fragment)))
    return Back("query", dict(parse_qsl(parts.query)))


def stays(back: Back) -> None:
    """The browser was kept on a page of ours that says something is wrong."""
    assert back.page is not None, back.said
    assert back.page.status in {400, 404}
    assert re.search(r"\w", back.page.words)
