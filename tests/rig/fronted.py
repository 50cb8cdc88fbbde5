"""Limen on an https address of HAProxy's, for clients that take nothing else: a server, its proxy, and what strangers need to trust both."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.rig.certificates import Certified, certified
from tests.rig.haproxy import HaProxy, in_front
from tests.rig.server import LimenServer
from tests.rig.walker import Walker
from tools.conformance import HERE, people

__all__ = ["Fronted", "configured", "fronted", "people"]


@dataclass
class Fronted:
    """What stands there."""

    server: LimenServer
    proxy: HaProxy

    @property
    def issuer(self) -> str:
        return self.proxy.origin

    @property
    def mtls(self) -> str:
        """The same for clients with certificates."""
        return f"https://localhost:{self.proxy.mtls}"

    @property
    def authority(self) -> Path:
        """The certificate to trust, for programs that take a file."""
        return self.proxy.folder / "clients.pem"

    def client(self, name: str) -> Certified:
        """Return a certificate that the proxy's authority gave a client."""
        return certified(name, self.proxy.authority)

    def app(self, shown: Certified | None = None) -> httpx2.Client:
        """Return a machine that calls, perhaps with a certificate."""
        return httpx2.Client(verify=self.tls(shown), trust_env=False, timeout=20)

    def tls(self, shown: Certified | None = None) -> ssl.SSLContext:
        return self.proxy.client(shown)

    def browser(self) -> Walker:
        """Return a browser without script."""
        return Walker(tls=self.proxy.client())


def configured(folder: Path) -> Fronted:
    """Choose ports and write the documented configuration with them (docs/conformance)."""
    server, proxy = LimenServer(folder), HaProxy(folder / "proxy")
    text = (HERE / "limen.toml").read_text().replace("8445", str(server.port)).replace("8443", str(proxy.https))
    folder.mkdir(parents=True, exist_ok=True)
    server.config.write_text(text)
    return Fronted(server, proxy)


@contextmanager
def fronted(made: Fronted) -> Iterator[Fronted]:
    """Serve a prepared server behind its proxy for the length of the block."""
    made.server.start()
    try:
        with in_front(made.proxy, made.server.port):
            yield made
    finally:
        made.server.stop()
