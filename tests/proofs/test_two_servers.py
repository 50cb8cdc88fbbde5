"""Two servers on one PostgreSQL: what one used or ended is used and ended at the other, at once."""

from __future__ import annotations

import base64
import http.client
import json
import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest

from tests.proofs.house import new_database
from tests.rig.postgres import Cluster
from tests.rig.server import LimenServer
from tests.rig.walker import Walker

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serving")]

VERIFIER: Final = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, appendix B
BACK: Final = "http://127.0.0.1:9/callback"
SECRET: Final = "a secret of the shop that only this test knows"
ADA: Final = "ada@example.com"
TENANT: Final = f"""
[[tenant]]
name = "acme"
default = true
[[tenant.client]]
id = "shop"
kind = "web"
secret = "{SECRET}"
redirect_uris = ["{BACK}"]
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "email", "offline_access"]
"""


@dataclass
class Town:
    """Both servers, by the port each listens on, and a person who has an account."""

    issuer: str
    ports: tuple[int, int]
    ada: Walker

    def ask(self, port: int, path: str, **form: str) -> dict[str, Any]:
        """Ask one of them as the shop; return its answer with the status."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        headers = {
            "host": urlsplit(self.issuer).netloc,
            "content-type": "application/x-www-form-urlencoded",
            "authorization": "Basic " + base64.b64encode(f"shop:{SECRET.replace(' ', '+')}".encode()).decode(),
        }
        try:
            connection.request("POST", path, urlencode(form), headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        return {"status": answer.status, **(json.loads(body) if body else {})}

    def both(self, path: str, **form: str) -> list[dict[str, Any]]:
        """Ask both in the same moment."""
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda port: self.ask(port, path, **form), self.ports))

    def code(self) -> str:
        """Let the person come back to the shop with a code."""
        asked = {"client_id": "shop", "redirect_uri": BACK, "response_type": "code", "scope": "openid email offline_access"}
        where = f"{self.issuer}/oauth/authorize?{urlencode({**asked, 'code_challenge': CHALLENGE, 'code_challenge_method': 'S256'})}"
        address = self.ada.walk(where, ANSWERS, re.compile(re.escape(BACK)))
        assert isinstance(address, str), address.words
        return parse_qs(urlsplit(address).query)["code"][0]

    def redemption(self) -> Mapping[str, str]:
        return {"grant_type": "authorization_code", "code": self.code(), "redirect_uri": BACK, "code_verifier": VERIFIER}

    def active(self, token: str) -> list[bool]:
        """Return what each of them says of a token."""
        return [self.ask(port, "/oauth/introspect", token=token)["active"] for port in self.ports]


ANSWERS: Final = {"identifier": ADA, "password": "violet harbour tin whistle", "new_password": "violet harbour tin whistle"}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[Town]:
    """Both servers, running: one address, the same keys and database, each its own port."""
    first = LimenServer(tmp_path_factory.mktemp("first"), new_database(cluster))
    first.prepare(TENANT)
    second = LimenServer(tmp_path_factory.mktemp("second"), first.database)
    second.config.write_text(first.config.read_text().replace(f'listen = "127.0.0.1:{first.port}"', f'listen = "127.0.0.1:{second.port}"'))
    with ExitStack() as stack:
        for server in (first, second):
            stack.callback(server.stop)
            server.start()
        ada = Walker()
        ada.walk(f"{first.issuer}/signup", {**ANSWERS, "code": lambda: first.code_for(ADA)}, re.compile("/account$"))
        yield Town(first.issuer, (first.port, second.port), ada)


def test_a_code_is_used_once_in_both(town: Town) -> None:
    """Sent to both in the same moment it gives tokens once, and that it came twice ends them at both."""
    for _ in range(5):
        answers = town.both("/oauth/token", **town.redemption())
        assert sorted(answer["status"] for answer in answers) == [200, 400]
        given = next(answer for answer in answers if answer["status"] == 200)
        assert town.active(given["access_token"]) == [False, False]
        assert [answer["error"] for answer in town.both("/oauth/token", grant_type="refresh_token", refresh_token=given["refresh_token"])] == [
            "invalid_grant"
        ] * 2


def test_a_refresh_token_has_one_successor_in_both(town: Town) -> None:
    """Shown to both in the same moment it is followed by one and the same, and shown again later it ends the family at both."""
    given = town.ask(town.ports[0], "/oauth/token", **town.redemption())
    first = given["refresh_token"]
    for _ in range(5):
        answers = town.both("/oauth/token", grant_type="refresh_token", refresh_token=given["refresh_token"])
        assert [answer["status"] for answer in answers] == [200, 200]
        assert len({answer["refresh_token"] for answer in answers}) == 1
        given = answers[0]
    assert town.active(given["access_token"]) == [True, True]
    assert town.ask(town.ports[1], "/oauth/token", grant_type="refresh_token", refresh_token=first)["error"] == "invalid_grant"
    assert town.active(given["access_token"]) == [False, False]


@pytest.mark.parametrize("how", ["access_token", "refresh_token", "account"])
def test_revocation_is_known_to_both_at_once(town: Town, how: str) -> None:
    """What the app or the person takes back through one is dead at the other when it is asked next, within a second and without waiting for anything."""
    given = town.ask(town.ports[0], "/oauth/token", **town.redemption())
    assert town.active(given["access_token"]) == [True, True]
    if how == "account":
        page = town.ada.get(f"{town.issuer}/account/apps")
        form = next(one for one in page.forms if "remove" in one.buttons)
        assert town.ada.once(urljoin(page.url, form.action), {**form.fields, "action": "remove"}).status == 303
    else:
        assert town.ask(town.ports[0], "/oauth/revoke", token=given[how])["status"] == 200
    begun = time.monotonic()
    assert town.active(given["access_token"]) == [False, False]
    took = time.monotonic() - begun
    print(f"revoked by {how}: both knew when asked, {took * 1000:.0f} ms for the two questions")
    assert took < 3.0  # a second is judged where nothing else runs
