"""Debian's HAProxy in front of Limen, as docs/conformance has it: ports of loopback, stopped by the process it started."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.rig.certificates import Certified, certified
from tests.rig.server import free_port

CONFIG: Final = Path(__file__).parents[2] / "docs" / "conformance" / "haproxy.cfg"
PROGRAM: Final = "/usr/sbin/haproxy"
ADDRESS: Final = "127.0.0.2"
"""Where it speaks to Limen from: the one to trust. The tests speak from 127.0.0.1."""
_START_SECONDS: Final = 20.0


@dataclass
class HaProxy:
    """One proxy with an authority of its own, kept in its folder. Its ports are known before it starts, since Limen has to know them."""

    folder: Path
    https: int = field(default_factory=free_port)
    """The port without client certificates."""
    mtls: int = field(default_factory=free_port)
    """The port that takes them: those of `authority`, and self-signed ones."""
    also: str = ""
    """An address beside 127.0.0.1 to listen on."""
    config: Path = CONFIG
    process: subprocess.Popen[bytes] | None = None
    authority: Certified = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = self.folder / "authority.pem"
        self.authority = Certified.read(kept) if kept.exists() else certified("Authority for trying", authority=True)
        self.authority.write(kept)

    @property
    def origin(self) -> str:
        """What Limen is to be called: `base_url`."""
        return f"https://localhost:{self.https}"

    @property
    def log(self) -> Path:
        return self.folder / "haproxy.log"

    def client(self, certificate: Certified | None = None) -> ssl.SSLContext:
        """Return what a client needs that trusts the proxy and shows a certificate, if it has one."""
        context = ssl.create_default_context(cadata=self.authority.pem.decode())
        if certificate is not None:
            context.load_cert_chain(certificate.write(self.folder / f"shown-{certificate.certificate.serial_number}.pem"))
        return context

    def environment(self, backend: int) -> dict[str, str]:
        """Return what haproxy.cfg asks for, with Limen on a port of 127.0.0.1."""
        return os.environ | {
            "HTTPS": self._addresses(self.https),
            "MTLS": self._addresses(self.mtls),
            "NAME": f"localhost:{self.https}",
            "LIMEN": f"127.0.0.1:{backend}",
            "PROXY": ADDRESS,
            "CERTIFICATES": str(self.folder),
        }

    def _addresses(self, port: int) -> str:
        return ",".join(f"{address}:{port}" for address in ("127.0.0.1", self.also) if address)

    def certify(self) -> None:
        """Write the proxy's own certificate, and the authority whose clients it knows."""
        certified("localhost", self.authority).write(self.folder / "server.pem")
        (self.folder / "clients.pem").write_bytes(self.authority.pem)

    def start(self, backend: int) -> None:
        """Start it in front of a port of 127.0.0.1 on which Limen answers, and wait until it listens."""
        self.certify()
        with self.log.open("ab") as out:
            words = [PROGRAM, "-db", "-f", str(self.config)]
            process = subprocess.Popen(words, stdout=out, stderr=out, cwd=self.folder, env=self.environment(backend))
        self.process = process
        within(_START_SECONDS, lambda: listens(self.https) and listens(self.mtls), self.log, process)

    def stop(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
        self.process = None


def listens(port: int) -> bool:
    """Whether somebody takes connections on a port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def within(seconds: float, done: Callable[[], bool], log: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a program has come so far; AssertionError with its log where it has ended or is late."""
    until = time.monotonic() + seconds
    while not done():
        if process.poll() is not None or time.monotonic() > until:
            raise AssertionError(f"{process.args!r} does not start:\n{log.read_text()[-4000:] if log.exists() else ''}")
        time.sleep(0.01)


@contextmanager
def in_front(proxy: HaProxy, backend: int) -> Iterator[HaProxy]:
    """Run the proxy for the length of the block."""
    try:
        proxy.start(backend)
        yield proxy
    finally:
        proxy.stop()
