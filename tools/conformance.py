"""Starts Limen as conformance plans need it: in dev mode, on https behind HAProxy, with certificates made here (docs/guides/conformance.md)."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from pathlib import Path
from typing import Final

from joserfc.jwk import KeySet, RSAKey

from limen.app import ground, settings
from limen.app.compose import install
from limen.app.demo.people import PASSWORD, PEOPLE, TENANT, settle
from limen.kernel.facts import SYSTEM
from limen.modules import accounts, keys, profiles
from tests.rig.certificates import certified
from tests.rig.haproxy import HaProxy, in_front
from tests.rig.server import LimenServer

HERE: Final = Path(__file__).parents[1] / "docs" / "conformance"
PORT: Final = 8443
SUITE: Final = "https://localhost.emobix.co.uk:8443"
"""The suite's own name for itself, which leads to 127.0.0.1."""
CLIENTS: Final = ("client-one", "client-two")
"""Common names of the certificates that the plans' two clients may show."""
COMPLETE: Final = profiles.Changes(
    name="Ada Lovelace",
    middle_name="King",
    nickname="Ada",
    preferred_username="ada",
    profile="https://people.example/ada",
    picture="https://people.example/ada.png",
    website="https://ada.example/",
    gender="female",
    birthdate="1815-12-10",
    zoneinfo="Europe/London",
    phone_number="+442079460000",
    address=profiles.AddressChanges(street_address="12 St James's Square", locality="London", postal_code="SW1Y 4JH", country="United Kingdom"),
)
"""What the first person has beside a name: plans about scopes look for every standard claim."""
_RSA_BITS: Final = 2048
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
    text = (HERE / "tenants.toml").read_text().replace("SUITE/", f"{suite}/").replace("localhost:8444", f"localhost:{port + 1}")
    for name in CLIENTS:
        text = text.replace(f"'JWKS_{name.removeprefix('client-').upper()}'", f"'{_public(server.folder / f'{name}.jwks')}'")
    tenants.write_text(text)
    for words in (("init",), ("upgrade",), ("apply", str(tenants))):
        server.run(*words)
    people(server)


def _public(file: Path) -> str:
    """Return the public JWK Set of a client whose private one is in a file; it is made if it is not there. RSA, since plans sign with PS256 and RS256."""
    if not file.exists():
        key = RSAKey.generate_key(_RSA_BITS, {"use": "sig", "alg": "PS256"}, private=True, auto_kid=True)
        file.write_text(json.dumps({"keys": [key.as_dict(private=True)]}))
        file.chmod(0o600)
    return json.dumps(KeySet.import_key_set(json.loads(file.read_text())).as_dict(private=False))


def people(server: LimenServer) -> None:
    """Make the sample customers of a server that is prepared."""
    install()
    asyncio.run(_settle(server.config))


async def _settle(config: Path) -> None:
    async with ground.opened(settings.load(config)) as opened:
        await settle(opened.db)
        async with opened.db.read(TENANT) as reader:
            algorithms = await keys.algorithms(reader)
        for one in algorithms:
            await keys.ensure(opened.db, TENANT, one.value)  # plans read the keys before they get a token, and not again
        async with opened.db.work(TENANT, SYSTEM) as work:
            person = await accounts.by_identifier(work, "email", PEOPLE[0].email)
            if person is not None:
                await profiles.change(work, person.id, COMPLETE)


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
        print(f"Clients' keys       {server.folder}: {', '.join(f'{one}.jwks' for one in CLIENTS)}")
        print(f"Log                 {server.log}")
        print(f"People              {', '.join(person.email for person in PEOPLE)}")
        print(f"Their password      {PASSWORD}", flush=True)
        while all(one is not None and one.poll() is None for one in (server.process, proxy.process)):
            time.sleep(_PAUSE)
        sys.exit(f"Limen or HAProxy has ended: see {server.log} and {proxy.log}")


if __name__ == "__main__":
    main()
