"""The demo as a command: what it says, what it keeps, how it ends."""

from __future__ import annotations

import base64
import json
import re
import signal
import urllib.request

import pytest

from tests.journeys.browser.conftest import PASSWORD, Demo
from tests.rig.walker import Walker

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]


def test_it_says_where_everything_is(demo: Demo) -> None:
    """The addresses answer, the sample customers and their password are told, and the line for programs gives a token."""
    said = demo.log.read_text()
    for address in (demo.shop, *(demo.issuer + path for path in ("/account", "/dev/mailbox", "/api/openapi.json", "/.well-known/openid-configuration"))):
        assert address in said
        assert Walker().get(address).status == 200
    assert PASSWORD in said
    assert {"ada@example.com", "jonas@example.com", "layla@example.com"} <= set(said.split())
    line = re.search(r"curl -u (\S+) -d (\S+) -d (\S+) (\S+)", said)
    assert line is not None
    basic = base64.b64encode(line[1].encode()).decode()
    request = urllib.request.Request(line[4], f"{line[2]}&{line[3]}".encode(), {"authorization": f"Basic {basic}"})
    with urllib.request.urlopen(request, timeout=10) as answered:
        answer = json.load(answered)
    assert answer["token_type"] == "Bearer"
    assert answer["scope"] == "orders"


def test_it_ends_in_order_and_keeps_what_it_has(demo: Demo) -> None:
    """Ctrl+C ends it without a word of complaint; started again it has the same customers, and makes nobody twice."""
    assert demo.process is not None
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(20) == 0
    assert not re.search("Traceback|Error", demo.log.read_text())
    demo.start()
    walker = Walker()
    walker.walk(f"{demo.issuer}/signin", {"identifier": "layla@example.com", "password": PASSWORD}, re.compile("/account$"))
    assert "Layla Haddad" in walker.get(f"{demo.issuer}/account").words
