"""Where tenants are found on the web."""

from __future__ import annotations

from urllib.parse import urlsplit

from limen.modules.tenants import service
from limen.modules.tenants.model import Tenant
from limen.platform.http import Site
from limen.platform.sql import Database


class Directory:
    """Maps Host and path to a tenant; `platform.http` calls it `Sites` and keeps its answers for a moment.

    The default tenant stands at the base URL, one with a domain at that domain (scheme and port are the base URL's), any other under
    `<base>/t/<name>`. Each has exactly one issuer: what has a domain is not found under the base URL too, since two issuers are two services.
    """

    __slots__ = ("_base", "_db", "_dev", "_host", "_port")

    def __init__(self, base_url: str, db: Database, *, dev: bool) -> None:
        parts = urlsplit(base_url)
        self._base = base_url
        self._host = parts.netloc
        self._port = f":{parts.port}" if parts.port else ""
        self._db = db
        self._dev = dev

    async def find(self, host: str, path: str) -> Site | None:
        """Return the site of a Host (lower case, the scheme's own port left out) and path; None where nobody lives."""
        tenant = await self._candidate(host, path)
        if tenant is None:
            return None
        site = await self.site(tenant)
        asked = f"{service.UNDER}{path[len(service.UNDER) :].partition('/')[0]}" if path.startswith(service.UNDER) else ""
        return site if (site.host, site.prefix) == (host, asked) else None

    async def site(self, tenant: Tenant) -> Site:
        """Return where a tenant stands; commands and links in mails ask here."""
        origin, prefix = await service.place(self._db, self._base, tenant)
        return Site(
            tenant=tenant.name,
            issuer=f"{origin}{prefix}",
            origin=origin,
            prefix=prefix,
            host=origin.partition("://")[2],
            dev=self._dev,
            name=tenant.display,
            brand=tenant.brand,
            languages=tenant.languages,
        )

    async def _candidate(self, host: str, path: str) -> Tenant | None:
        if host != self._host:
            return await service.by_domain(self._db, host.removesuffix(self._port))
        if path.startswith(service.UNDER):
            return await service.by_name(self._db, path[len(service.UNDER) :].partition("/")[0])
        return await service.default(self._db)
