"""The suite's own web server: documents that a server under test fetches, and endpoints that it calls. https on loopback, in a thread."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from tests.rig.certificates import certified


@dataclass
class Heard:
    """A call that came: its path, its header fields with names in small letters, its body, and its form where it is one."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body))


@dataclass
class Host:
    """What stands there, by path, and what was called."""

    port: int = 0
    pages: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """Status and body for POSTs to a path; 200 and nothing for others."""
    heard: list[Heard] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"https://localhost:{self.port}{path}"

    def tell(self, path: str, what: object) -> str:
        """Tell something at a path from here on: octets as they are, else JSON. Return its address."""
        self.pages[path] = what if isinstance(what, bytes) else json.dumps(what).encode()
        return self.url(path)

    def wait(self, path: str, count: int = 1, patience: float = 15.0) -> list[Heard]:
        """Wait until a path was called so often."""
        until = time.monotonic() + patience
        while len(found := [one for one in self.heard if one.path.partition("?")[0] == path]) < count:
            assert time.monotonic() < until, (path, self.heard)
            time.sleep(0.02)
        return found


@contextmanager
def hosting(folder: Path) -> Iterator[Host]:
    """Serve for the length of the block."""
    host = Host()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if 300 <= status < 400:
                self.send_header("Location", host.url("/elsewhere"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            host.heard.append(Heard(self.path, {name.lower(): value for name, value in self.headers.items()}, ""))
            page = host.pages.get(self.path)
            self._answer(200 if page is not None else 404, page or b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
            host.heard.append(Heard(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self._answer(*host.answers.get(self.path, (200, b"")))

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified("localhost").write(folder / "host.pem"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    host.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
