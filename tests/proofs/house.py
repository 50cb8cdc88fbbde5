"""What the proofs stand on: a server of their own with three tenants, people who walk its pages, and apps, all over real HTTP."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import itertools
import json
import os
import re
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from tests.rig.postgres import Cluster, binaries
from tests.rig.server import LimenServer
from tests.rig.walker import Seen, Walker

PASSWORD: Final = "violet harbour tin whistle"
SECRET: Final = "a secret of the shop that only tests know"
CALLBACK: Final = "http://127.0.0.1:9009/callback"
BYE: Final = "http://127.0.0.1:9009/bye"
DOMAIN: Final = "elsewhere.example"
PATIENT: Final = "[http]\nrefusal_burst = 100000\nrefusal_rate = 100000\n"
"""So that a test that is refused thousands of times is not made to wait."""

_TENANT: Final = """
[[tenant]]
name = "{name}"
{where}
languages = ["en", "de", "ar"]
[tenant.signin]
resend_after = "0s"
[tenant.signup]
password = "optional"
[[tenant.resource]]
identifier = "https://api.acme.example"
scopes = {{ orders = "See your orders" }}
token_format = "opaque"
client = "svc"
[[tenant.client]]
id = "shop"
kind = "web"
secret = "{secret} of {name}"
redirect_uris = ["http://127.0.0.1:9009/callback"]
post_logout_redirect_uris = ["http://127.0.0.1:9009/bye"]
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "phone", "address", "offline_access", "orders"]
[[tenant.client]]
id = "other"
kind = "web"
secret = "{secret} of {name}, the other"
redirect_uris = ["http://127.0.0.1:9010/callback"]
grants = ["authorization_code", "refresh_token", "urn:openid:params:grant-type:ciba"]
backchannel_token_delivery_mode = "poll"
scopes = ["openid", "email", "offline_access"]
[[tenant.client]]
id = "spa"
kind = "spa"
redirect_uris = ["http://127.0.0.1:9011/spa"]
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "email", "offline_access"]
[[tenant.client]]
id = "svc"
kind = "service"
secret = "{secret} of {name}, its service"
grants = ["client_credentials"]
scopes = [
  "limen:accounts:read", "limen:accounts:write", "limen:profiles:read", "limen:profiles:write", "limen:sessions:read", "limen:sessions:write",
  "limen:clients:read", "limen:clients:write", "limen:consents:read", "limen:consents:write", "limen:outbox:read", "limen:outbox:write",
  "limen:approvals:read", "limen:approvals:write", "limen:audit:read", "orders",
]
"""
TENANTS: Final = "".join(
    _TENANT.format(name=name, where=where, secret=SECRET) for name, where in (("acme", "default = true"), ("rival", ""), ("elsewhere", f'domain = "{DOMAIN}"'))
)
API: Final = " ".join(
    f"limen:{subject}:{right}" for subject in ("accounts", "profiles", "sessions", "clients", "consents", "approvals", "outbox") for right in ("read", "write")
)


@dataclass
class House(LimenServer):
    """A server whose limen.toml has more sections."""

    extra: str = ""
    read: set[tuple[str, str, str]] = field(default_factory=set)
    """Codes that were taken out of the mailbox: the same address has them from several tenants."""

    def code_for(self, address: str, patience: float = 15.0) -> str:
        """Return the newest code to an address that nobody has asked for yet, once it is there."""

        def newest() -> str:
            for mail in self.mailbox():
                key = (mail["to"], mail["code"], mail["at"])
                if mail["to"] == address and mail["code"] and key not in self.read:
                    self.read.add(key)
                    return mail["code"]
            return ""

        code: str = until(newest, patience)
        return code

    def write(self) -> None:
        super().write()
        with self.config.open("a") as config:
            config.write(self.extra)

    def site(self, tenant: str = "acme") -> Site:
        """Return a tenant's addresses."""
        issuer = {"acme": self.issuer, "rival": f"{self.issuer}/t/rival", "elsewhere": f"http://{DOMAIN}:{self.port}"}[tenant]
        return Site(self, tenant, issuer, self.port)


@dataclass(frozen=True)
class Reply:
    """One answer to a program."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """OAuth's error code."""
        return str(self.json.get("error", ""))


def send(port: int, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, patience: float = 30.0) -> Reply:
    """Make one request to this machine, whatever host the address names."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        given = {"Host": parts.netloc, **(headers or {})}
        for name, value in given.items():
            connection.putheader(name, value.encode("latin-1", "replace"))
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


class Person(Walker):
    """A browser without script that reaches every tenant of one server, and can bring header fields of its own."""

    def __init__(self, port: int, *, agent: str = "", address: str = "") -> None:
        super().__init__()
        self.port = port
        self.headers: dict[str, str] = {}
        if agent:
            self.headers["User-Agent"] = agent
        if address:
            self.headers["X-Forwarded-For"] = address

    def once(self, url: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> Seen:
        parts = urlsplit(url)
        host = self.jar.setdefault(parts.netloc, {})
        sent = {"Accept-Language": self.language, "Accept": "text/html", **self.headers}
        if host:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in host.items())
        body = None
        if form is not None:
            body = urlencode(form).encode()
            sent |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"{parts.scheme}://{parts.netloc}"}
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("POST" if form is not None else "GET", target, body, {"Host": parts.netloc, **sent, **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, content = value.split(";", 1)[0].partition("=")
                if re.search(r"max-age=0\b", value, re.IGNORECASE):
                    host.pop(key, None)
                else:
                    host[key] = content
        self.trail.append(f"{answer.status} {url}")
        return Seen(url, answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)

    def go(self, seen: Seen) -> Seen:
        """Follow redirects within the server."""
        for _ in range(20):
            if "location" not in seen.headers:
                return seen
            seen = self.once(urljoin(seen.url, seen.headers["location"]))
        raise AssertionError(f"redirected in circles: {self.trail[-8:]}")

    def fill(self, seen: Seen, action: str = "continue", **values: str) -> Seen:
        """Fill the page's form and press a button, then follow."""
        return self.go(self.press(seen, values, action))

    def cookies(self, site: Site) -> dict[str, str]:
        """Return the cookies kept for a tenant's host."""
        return self.jar.setdefault(urlsplit(site.issuer).netloc, {})


@dataclass(frozen=True)
class Site:
    """A tenant of a server: what people and programs do there."""

    server: House
    tenant: str
    issuer: str
    port: int

    def secret(self, client: str = "shop") -> str:
        """Return a client's secret."""
        return f"{SECRET} of {self.tenant}" + {"shop": "", "other": ", the other", "svc": ", its service"}[client]

    def person(self, **about: str) -> Person:
        """Return a fresh browser."""
        return Person(self.port, **about)

    def sign_up(self, person: Person, email: str, *, password: str = "") -> Seen:
        """Make an account through the pages; ends at the portal, signed in."""
        page = person.go(person.once(f"{self.issuer}/signup"))
        page = person.fill(page, identifier=email)
        page = person.fill(page, code=self.server.code_for(email))
        if "new_password" in page.text:
            page = person.fill(page, new_password=password) if password else person.fill(page, "skip")
        assert page.url.endswith("/account"), f"{page.url}: {page.words[:400]}"
        return page

    def sign_in(self, person: Person, email: str, password: str = PASSWORD) -> Seen:
        """Sign in by password through the pages."""
        page = person.go(person.once(f"{self.issuer}/signin"))
        page = person.fill(page, identifier=email)
        return person.fill(page, password=password)

    def authorize(self, client: str = "shop", **parameters: str) -> tuple[str, str]:
        """Return the address of an authorization request, and its PKCE verifier."""
        verifier = secrets.token_urlsafe(40)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        callbacks = {"shop": CALLBACK, "other": "http://127.0.0.1:9010/callback", "spa": "http://127.0.0.1:9011/spa"}
        asked = {
            "client_id": client,
            "response_type": "code",
            "redirect_uri": callbacks.get(client, CALLBACK),
            "scope": "openid email offline_access",
            "state": "s",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        } | parameters
        return f"{self.issuer}/oauth/authorize?{urlencode({name: value for name, value in asked.items() if value})}", verifier

    def code(self, person: Person, client: str = "shop", **parameters: str) -> tuple[str, str]:
        """Lead somebody who is signed in through an authorization; return code and verifier."""
        url, verifier = self.authorize(client, **parameters)
        seen = person.once(url)
        for _ in range(12):
            if "location" in seen.headers:
                to = urljoin(seen.url, seen.headers["location"])
                if urlsplit(to).netloc != urlsplit(self.issuer).netloc and "code=" in to:
                    return parse_qs(urlsplit(to).query)["code"][0], verifier
                seen = person.once(to)
            else:
                seen = person.press(seen, {}, "allow")
        raise AssertionError(f"no code: {person.trail[-6:]} {seen.words[:300]}")

    def post(self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Reply:
        """Post a form as a program does."""
        given = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return send(self.port, "POST", f"{self.issuer}{path}", urlencode(form).encode(), given)

    def _as(self, client: str) -> dict[str, str]:
        return {"client_id": client} if client == "spa" else {"client_id": client, "client_secret": self.secret(client)}

    def ask(self, email: str) -> str:
        """Have the other app ask somebody who is not at it; return the name it waits under."""
        reply = self.post("/oauth/backchannel_authentication", {"scope": "openid", "login_hint": email, **self._as("other")})
        assert reply.status == 200, reply.body
        return str(reply.json["auth_req_id"])

    def exchange(self, code: str, verifier: str, client: str = "shop", redirect: str = CALLBACK) -> Reply:
        """Exchange a code."""
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, "redirect_uri": redirect}
        return self.post("/oauth/token", form | self._as(client))

    def refresh(self, token: str, client: str = "shop") -> Reply:
        """Refresh."""
        return self.post("/oauth/token", {"grant_type": "refresh_token", "refresh_token": token} | self._as(client))

    def revoke(self, token: str, client: str = "shop") -> Reply:
        """Give a token back."""
        return self.post("/oauth/revoke", {"token": token} | self._as(client))

    def introspect(self, token: str, client: str = "shop") -> Reply:
        """Ask what a token means."""
        return self.post("/oauth/introspect", {"token": token} | self._as(client))

    def tokens(self, person: Person, **parameters: str) -> dict[str, str]:
        """Return tokens of the shop for somebody who is signed in."""
        code, verifier = self.code(person, **parameters)
        reply = self.exchange(code, verifier)
        assert reply.status == 200, reply.body
        found: dict[str, str] = reply.json
        return found

    def service(self, scope: str = API) -> str:
        """Return a token of the service for the API."""
        reply = self.post("/oauth/token", {"grant_type": "client_credentials", "scope": scope} | self._as("svc"))
        assert reply.status == 200, reply.body
        return str(reply.json["access_token"])

    def userinfo(self, token: str) -> Reply:
        """Ask who the person is."""
        return send(self.port, "GET", f"{self.issuer}/oauth/userinfo", None, {"Authorization": f"Bearer {token}"})

    def api(self, token: str, method: str, path: str, body: object = None) -> Reply:
        """Call the API."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return send(self.port, method, f"{self.issuer}/api/v1{path}", None if body is None else json.dumps(body).encode(), headers)


_NUMBERS: Final = itertools.count(1)


def new_database(cluster: Cluster) -> str:
    """Make an empty PostgreSQL database; return its address."""
    name = f"proof_{os.getpid()}_{next(_NUMBERS)}"
    words = ["-h", "127.0.0.1", "-p", str(cluster.port), "-U", "postgres", name]
    subprocess.run([binaries() / "createdb", *words], check=True, capture_output=True)
    return cluster.url(name)


@contextmanager
def house(folder: Path, database: str = "", *, extra: str = PATIENT, metrics: int = 0) -> Iterator[House]:
    """Prepare and start a server with the three tenants."""
    server = House(folder, database, extra=extra, metrics=metrics)
    server.prepare(TENANTS)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def advance(server: House, seconds: float) -> None:
    """Turn the server's clock on."""
    raw = json.dumps({"advance": seconds}).encode()
    reply = send(server.port, "POST", f"{server.issuer}/dev/clock", raw, {"Content-Type": "application/json"})
    assert reply.status == 200, reply.body


def until(what: Any, patience: float = 15.0) -> Any:
    """Ask again and again until the answer is true; return it."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")
