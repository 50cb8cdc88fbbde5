"""Hundreds of clients that never finish a request, against a server of its own: it serves on, and lets each of them go."""

from __future__ import annotations

import contextlib
import socket
import time
from pathlib import Path
from typing import Final

import pytest

from tests.proofs.house import PATIENT, TENANTS, House, Site, send

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("proofs")]

MANY: Final = 400
PATIENCE: Final = PATIENT + 'head_time = "2s"\nbody_time = "2s"\n'
HEAD: Final = "GET /signin HTTP/1.1\r\nHost: localhost:{port}\r\nX: "
BODY: Final = "POST /oauth/token HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9999\r\n\r\n"


def _answer(one: socket.socket) -> bytes:
    """Return everything that is said until the end."""
    pieces = []
    while piece := one.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)


def _slowest_while_they_drip(site: Site, slow: list[socket.socket]) -> float:
    """Let all of them send drops for a second; return how long an honest client waited at most."""
    began, waited = time.monotonic(), 0.0
    while time.monotonic() - began < 1:
        for one in slow:
            one.sendall(b"a")
        asked = time.monotonic()
        assert send(site.port, "GET", f"{site.issuer}/oauth/jwks").status == 200
        waited = max(waited, time.monotonic() - asked)
    return waited


def test_hundreds_that_never_finish(tmp_path: Path) -> None:
    """Heads and bodies in drops: an honest client is answered all the while, the others get 408 in time, and nothing of them stays open."""
    server = House(tmp_path, extra=PATIENCE)
    server.prepare(TENANTS)
    server.start()
    try:
        assert server.process is not None
        opened = Path(f"/proc/{server.process.pid}/fd")
        site = server.site()
        site.service()
        before = len(tuple(opened.iterdir()))
        with contextlib.ExitStack() as stack:
            slow = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10)) for _ in range(MANY)]
            began = time.monotonic()
            for number, one in enumerate(slow):
                one.sendall((HEAD if number % 2 else BODY).format(port=server.port).encode())
            assert _slowest_while_they_drip(site, slow) < 1.0
            for one in slow:
                answer = _answer(one)
                assert answer.startswith(b"HTTP/1.1 408 "), answer
                assert answer.count(b"HTTP/1.1 ") == 1
            assert time.monotonic() - began < 12
            assert len(tuple(opened.iterdir())) <= before + 2
        assert site.service()
    finally:
        server.stop()
