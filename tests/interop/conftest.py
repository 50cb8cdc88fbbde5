"""One server for all foreign clients, with a customer who can sign in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop import modern
from tests.interop.modern import Keys
from tests.rig.fronted import Fronted, configured, fronted, people
from tests.rig.server import LimenServer, free_port, serving
from tests.rig.walker import Walker

TENANT = """
[[tenant]]
name = "acme"
default = true
languages = ["en", "de", "ar"]
[tenant.brand]
name = "Acme"
[[tenant.client]]
id = "shop"
kind = "web"
secret = "a secret of the shop that only tests know"
redirect_uris = ["http://127.0.0.1:9009/callback", "http://127.0.0.1:{apache}/shop/back"]
post_logout_redirect_uris = ["http://127.0.0.1:9009/bye", "http://127.0.0.1:{apache}/bye.html"]
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "offline_access"]
[[tenant.client]]
id = "phone"
kind = "native"
redirect_uris = ["http://127.0.0.1/callback", "http://[::1]/callback", "com.example.phone:/callback"]
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "email", "offline_access"]
[[tenant.client]]
id = "spa"
kind = "spa"
redirect_uris = ["http://127.0.0.1:{site}/spa.html"]
post_logout_redirect_uris = ["http://127.0.0.1:{site}/spa.html"]
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "offline_access"]
"""

PASSWORD = "violet harbour tin whistle"


@pytest.fixture(scope="session")
def ports() -> dict[str, int]:
    """Ports of the apps, chosen before the server learns their redirect addresses."""
    return {"apache": free_port(), "site": free_port()}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]) -> Iterator[LimenServer]:
    """A running server with the tenant of the foreign clients."""
    folder: Path = tmp_path_factory.mktemp("interop")
    with serving(folder, TENANT.format(**ports)) as running:
        yield running


@pytest.fixture(scope="session")
def customer(server: LimenServer) -> dict[str, str]:
    """Somebody who signed up through the pages, with a password."""
    walker = Walker()
    email = "ada@example.com"

    walker.walk(
        f"{server.issuer}/signup",
        {
            "identifier": email,
            "code": lambda: server.code_for(email),
            "new_password": PASSWORD,
            "password": PASSWORD,
            "given_name": "Ada",
            "family_name": "Lovelace",
        },
        re.compile("/account$"),
    )
    return {"identifier": email, "password": PASSWORD}


@pytest.fixture(scope="session")
def keys() -> Keys:
    """Keys of the clients that have some."""
    return Keys()


@pytest.fixture(scope="session")
def front(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Fronted]:
    """A server behind HAProxy, on https as strangers' clients want it, with its people."""
    made = configured(tmp_path_factory.mktemp("front"))
    made.server.prepare(modern.TENANT.format(mtls=made.mtls, jwks=keys.public))
    people(made.server)
    with fronted(made) as running:
        yield running
