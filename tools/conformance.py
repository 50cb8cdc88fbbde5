"""Starts Limen as conformance plans need it: in dev mode, on https behind HAProxy, with certificates made here (docs/guides/conformance.md)."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import Final

from limen.app import ground, settings
from limen.app.compose import install
from limen.app.demo.people import PASSWORD, PEOPLE, settle
from tests.rig.certificates import certified
from tests.rig.haproxy import HaProxy, in_front
from tests.rig.server import LimenServer

HERE: Final = Path(__file__).parents[1] / "docs" / "conformance"
PORT: Final = 8443
SUITE: Final = "https://localhost.emobix.co.uk:8443"
"""The suite's own name for itself, which leads to 127.0.0.1."""
CLIENTS: Final = ("client-one", "client-two")
"""Common names of the certificates that the plans' two clients may show."""
_PAUSE: Final = 0.2


def main(words: list[str] | None = None) -> None:
    """Prepare what is missing and serve until SIGINT or SIGTERM."""
    chosen = _options().parse_args(words)
    server = LimenServer(chosen.folder.resolve(), port=chosen.port + 2)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        prepare(server, chosen.port, chosen.suite)
        _serve(server, front(server, chosen.port, chosen.also))
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="make conformance ARGS=...", description=__doc__)
    options.add_argument("--port", type=int, default=PORT, help="https; with client certificates it is one above, Limen itself two above (%(default)s)")
    options.add_argument("--suite", default=SUITE, help="address of the suite, where its callbacks are (%(default)s)")
    options.add_argument("--also", default="", metavar="ADDRESS", help="address to serve beside 127.0.0.1, such as that of docker's bridge; never a public one")
    options.add_argument("--folder", type=Path, default=Path("var/conformance"), help="configuration, keys, certificates and database (%(default)s)")
    return options


def prepare(server: LimenServer, port: int, suite: str) -> None:
    """Make configuration, keys, database, the tenant and people to sign in as. What was done there before stays."""
    server.folder.mkdir(parents=True, exist_ok=True)
    server.config.write_text((HERE / "limen.toml").read_text().replace("8445", str(server.port)).replace("8443", str(port)))
    tenants = server.folder / "tenants.toml"
    tenants.write_text((HERE / "tenants.toml").read_text().replace("SUITE/", f"{suite}/"))
    for words in (("init",), ("upgrade",), ("apply", str(tenants))):
        server.run(*words)
    people(server)


def people(server: LimenServer) -> None:
    """Make the sample customers of a server that is prepared."""
    install()
    asyncio.run(_settle(server.config))


async def _settle(config: Path) -> None:
    async with ground.opened(settings.load(config)) as opened:
        await settle(opened.db)


def front(server: LimenServer, port: int, also: str = "") -> HaProxy:
    """Return the proxy, with certificates for the plans' clients in its folder."""
    proxy = HaProxy(server.folder / "certificates", https=port, mtls=port + 1, also=also)
    for name in CLIENTS:
        file = proxy.folder / f"{name}.pem"
        if not file.exists():
            certified(name, proxy.authority).write(file)
    return proxy


def _serve(server: LimenServer, proxy: HaProxy) -> None:
    server.start()
    with in_front(proxy, server.port):
        print(f"Issuer              {proxy.origin}")
        print(f"With certificates   https://localhost:{proxy.mtls}")
        print(f"Mailbox             {proxy.origin}/dev/mailbox")
        print(f"Certificates        {proxy.folder}: authority.pem, {', '.join(f'{one}.pem' for one in CLIENTS)}")
        print(f"Log                 {server.log}")
        print(f"People              {', '.join(person.email for person in PEOPLE)}")
        print(f"Their password      {PASSWORD}", flush=True)
        while all(one is not None and one.poll() is None for one in (server.process, proxy.process)):
            time.sleep(_PAUSE)
        sys.exit(f"Limen or HAProxy has ended: see {server.log} and {proxy.log}")


if __name__ == "__main__":
    main()
