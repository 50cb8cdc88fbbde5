"""Limen in dev mode on an https address of HAProxy's, as `make conformance` starts it."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from limen.app.demo.people import PASSWORD, PEOPLE
from tests.rig.haproxy import ADDRESS
from tests.rig.server import free_port
from tests.rig.walker import Walker

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proxied")]

ROOT = Path(__file__).parents[2]
SUITE = "https://suite.example"
CALLBACK = f"{SUITE}/test/a/limen/callback"
SECRET = "a secret of the first client, for trying only"
VERIFIER = "a-verifier-of-forty-three-letters-and-more._~"


@dataclass
class Front:
    """What a suite sees of it."""

    folder: Path
    port: int

    @property
    def issuer(self) -> str:
        return f"https://localhost:{self.port}"

    def tls(self, client: str = "") -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.folder / "certificates" / "authority.pem"))
        if client:
            context.load_cert_chain(self.folder / "certificates" / f"{client}.pem")
        return context

    def app(self, client: str = "") -> httpx2.Client:
        return httpx2.Client(verify=self.tls(client), trust_env=False, timeout=20)


def three_free_ports() -> int:
    """Return a port that is free with the two above it."""
    while True:
        first = free_port()
        try:
            for port in (first + 1, first + 2):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The program behind `make conformance`, on ports of the test's own, ended by SIGTERM."""
    found = Front(tmp_path_factory.mktemp("conformance"), three_free_ports())
    words = ("--port", str(found.port), "--folder", str(found.folder), "--suite", SUITE)
    with (found.folder / "said").open("w+") as said:
        process = subprocess.Popen([sys.executable, "-m", "tools.conformance", *words], cwd=ROOT, stdout=said, stderr=said, env=os.environ.copy())
        try:
            until = time.monotonic() + 90
            while "Their password" not in (text := (found.folder / "said").read_text()):
                assert process.poll() is None, text
                assert time.monotonic() < until, text
                time.sleep(0.05)
            assert found.issuer in text
            yield found
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


def challenge() -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def test_all_addresses_are_the_proxys(front: Front) -> None:
    """Issuer and every endpoint of the metadata stand under the https address, whichever port and host was asked; both ports serve them."""
    with front.app("client-one") as app:
        for port in (front.port, front.port + 1):
            metadata = app.get(f"https://localhost:{port}/.well-known/openid-configuration").json()
            assert metadata["issuer"] == front.issuer
            addresses = [value for name, value in metadata.items() if name.endswith(("_endpoint", "_uri")) and isinstance(value, str)]
            assert len(addresses) > 5
            assert all(one.startswith(f"{front.issuer}/") for one in addresses)


def test_a_customer_signs_in_over_https(front: Front) -> None:
    """In dev mode too the cookies of an https address are `__Host-` and Secure; links stay there, and code and tokens come of it."""
    walker = Walker(tls=front.tls())
    asked = {
        "client_id": "one",
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid email",
        "state": "s",
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
    }
    back = walker.walk(
        f"{front.issuer}/oauth/authorize?{urlencode(asked)}",
        {"identifier": PEOPLE[0].email, "password": PASSWORD},
        re.compile(re.escape(CALLBACK)),
    )
    assert isinstance(back, str)
    answer = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    assert answer["iss"] == front.issuer
    assert walker.jar["localhost"]
    assert all(name.startswith("__Host-lmn_") for name in walker.jar["localhost"])
    grant = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    with front.app() as app:
        tokens = app.post(f"{front.issuer}/oauth/token", data=grant, auth=("one", SECRET)).json()
        said = app.get(f"{front.issuer}/oauth/userinfo", headers={"authorization": f"Bearer {tokens['access_token']}"}).json()
    assert said["email"] == PEOPLE[0].email


def test_what_dev_mode_opens_is_there_behind_the_proxy(front: Front) -> None:
    """Mailbox and clock answer under localhost, and HSTS, which would hold for every other port of it, is not sent."""
    with front.app() as app:
        assert app.get(f"{front.issuer}/dev/mailbox.json").json() == []
        assert app.post(f"{front.issuer}/dev/clock", json={"advance": 0}).status_code == 200
        page = app.get(f"{front.issuer}/signin", follow_redirects=True)
        assert page.status_code == 200
        assert "strict-transport-security" not in page.headers


def test_the_configuration_is_the_documented_one(front: Front) -> None:
    """The folder has docs/conformance with the ports and the suite that were asked for; only the proxy's own address is trusted."""
    text = (front.folder / "limen.toml").read_text()
    assert f'base_url = "{front.issuer}"' in text
    assert f'listen = "127.0.0.1:{front.port + 2}"' in text
    assert f'trusted_proxies = ["{ADDRESS}"]' in text
    assert f'"{CALLBACK}"' in (front.folder / "tenants.toml").read_text()
