"""A server in production mode: https addresses (a proxy would end TLS before it), real mail, secrets from the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from unittest import mock

from tests.proofs.house import House, Site
from tests.proofs.post import Post, post_office
from tests.rig.server import free_port

ISSUER: Final = "https://id.acme.example"
CALLBACK: Final = "https://shop.acme.example/callback"
SECRETS: Final = {"SHOP_SECRET": "a secret of the shop that only tests know, long", "SVC_SECRET": "a secret of the service that only tests know"}
TENANTS: Final = f"""
[[tenant]]
name = "acme"
default = true
languages = ["en", "de", "ar"]
[tenant.signup]
name = "required"
[[tenant.client]]
id = "shop"
kind = "web"
secret = "env:SHOP_SECRET"
redirect_uris = ["{CALLBACK}"]
grants = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "phone", "address", "offline_access"]
[[tenant.client]]
id = "svc"
kind = "service"
secret = "env:SVC_SECRET"
grants = ["client_credentials"]
scopes = [
  "limen:accounts:read", "limen:accounts:write", "limen:profiles:read", "limen:profiles:write", "limen:sessions:read", "limen:sessions:write",
  "limen:clients:read", "limen:clients:write", "limen:consents:read", "limen:consents:write", "limen:audit:read",
  "limen:approvals:read", "limen:approvals:write", "limen:outbox:read", "limen:outbox:write",
]
"""


@dataclass
class Public(House):
    """Behind a proxy on this machine, whose word about the client's address is believed."""

    post: Post | None = None
    traces: str = ""
    """Where a collector of spans listens."""

    def write(self) -> None:
        super().write()
        text = self.config.read_text()
        text = text.replace(f'base_url = "{self.issuer}"', f'base_url = "{ISSUER}"\ntrusted_proxies = ["127.0.0.1"]').replace('"dev"', '"production"')
        mail = f'[mail]\nurl = "smtp://127.0.0.1:{self.post.port}"\nsender = "no-reply@acme.example"\ntimeout = 5\n' if self.post else ""
        traces = f'[traces]\nendpoint = "{self.traces}"\nratio = 1.0\n' if self.traces else ""
        self.config.write_text(text + mail + traces)

    def code_for(self, address: str, patience: float = 20.0) -> str:
        assert self.post is not None
        return self.post.code_for(address, patience)

    def site(self, tenant: str = "acme") -> Site:
        return PublicSite(self, tenant, ISSUER, self.port)


@dataclass(frozen=True)
class PublicSite(Site):
    """The one tenant of it."""

    def secret(self, client: str = "shop") -> str:
        return SECRETS[f"{client.upper()}_SECRET"]

    def authorize(self, client: str = "shop", **parameters: str) -> tuple[str, str]:
        return super().authorize(client, **{"redirect_uri": CALLBACK} | parameters)


@contextmanager
def public(folder: Path, database: str = "", *, traces: str = "") -> Iterator[Public]:
    """Prepare and start one, with a mail server of its own."""
    with post_office() as post, mock.patch.dict(os.environ, SECRETS):
        server = Public(folder, database, metrics=free_port(), post=post, traces=traces)
        server.prepare(TENANTS)
        server.start()
        try:
            yield server
        finally:
            server.stop()
