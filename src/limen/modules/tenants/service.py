"""Finding, reading and saving tenants."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from limen.kernel.ids import SERVER, TenantId
from limen.modules.tenants import store
from limen.modules.tenants.errors import InvalidTenant, NoSuchTenant, UnusableSettings
from limen.modules.tenants.facts import TenantChanged
from limen.modules.tenants.model import Flaw, Tenant, flaws
from limen.platform.sql import Cached, Database, Reader, Work

T = TypeVar("T")

UNDER: Final = "/t/"
"""Begins the path of a tenant without a domain of its own."""

_FIELDS: Final = ("default", "domain", "brand", "languages", "resources", "settings")


class _Known:
    """A tenant in memory, with what modules made of their settings."""

    __slots__ = ("settings", "tenant")

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.settings: dict[tuple[str, type], object] = {}


async def _load(reader: Reader, key: str) -> _Known | None:
    del key
    found = await store.find(reader)
    return _Known(found) if found else None


_CACHE: Final[Cached[str, _Known]] = Cached("tenants", load=_load, limit=5_000)
_ONLY: Final = ""
"""A tenant has one entry in the cache, so its key says nothing."""


async def _known(reader: Reader) -> _Known:
    found = await _CACHE.get(reader, _ONLY)
    if found is None:
        raise NoSuchTenant(operator=f"there is no tenant {reader.tenant!r}")
    return found


async def find(reader: Reader) -> Tenant:
    """Return the reader's tenant, from memory where it is there; NoSuchTenant."""
    return (await _CACHE.get(reader, _ONLY) or await _known(reader)).tenant


async def by_name(db: Database, name: str) -> Tenant | None:
    """Return a tenant by its name, from memory where it is there."""
    async with db.read(TenantId(name)) as read:
        known = await _CACHE.get(read, _ONLY)
    return known.tenant if known else None


async def by_domain(db: Database, host: str) -> Tenant | None:
    """Return the tenant whose own domain `host` (no port) is."""
    async with db.read(SERVER) as read:
        name = await store.of_domain(read, host)
    return await by_name(db, name) if name else None


async def default(db: Database) -> Tenant | None:
    """Return the default tenant: the one that says so, else the first ever made; None before there is any."""
    async with db.read(SERVER) as read:
        name = await store.default(read)
    return await by_name(db, name) if name else None


async def place(db: Database, base_url: str, tenant: Tenant) -> tuple[str, str]:
    """Return origin and path prefix of a tenant, which together are its issuer: its own domain, the base URL, or `/t/<name>` under that.

    A domain has scheme and port of the base URL.
    """
    if tenant.domain is not None:
        parts = urlsplit(base_url)
        return f"{parts.scheme}://{tenant.domain}{f':{parts.port}' if parts.port else ''}", ""
    first = await default(db)
    return base_url, "" if first is not None and first.name == tenant.name else f"{UNDER}{tenant.name}"


async def all_names(db: Database, after: str = "", limit: int = 500) -> list[TenantId]:
    """Return up to `limit` tenants' names after `after`, in order; a full page means there may be more."""
    async with db.read(SERVER) as read:
        return await store.names(read, after, limit)


async def save(work: Work, tenant: Tenant) -> tuple[str, ...]:
    """Write the work's tenant if it differs from what is there; return the fields that changed, all of them for a new one.

    A tenant that becomes the default takes that from the one that was. InvalidTenant says what forbids it.
    """
    if tenant.name != work.tenant:
        raise InvalidTenant(Flaw("name", f"`{tenant.name[:60]}` is not the tenant in hand, {work.tenant}"))
    if found := flaws(tenant):
        raise InvalidTenant(*found)
    before = await store.find(work)
    changed = tuple(name for name in _FIELDS if before is None or getattr(before, name) != getattr(tenant, name))
    if not changed:
        return ()
    if tenant.domain is not None and await store.of_domain(work, tenant.domain) not in (None, tenant.name):
        raise InvalidTenant(Flaw("domain", f"`{tenant.domain}` belongs to another tenant"))
    dethroned = await store.put(work, replace(tenant, made=before.made if before else None))
    _CACHE.changed(work, _ONLY)
    for name in dethroned:
        work.tx.note_change(_CACHE.name, name, _ONLY)
    work.record(TenantChanged(made=before is None, changed=changed))
    return changed


async def settings(reader: Reader, module: str, kind: type[T]) -> T:
    """Return what the tenant set for a module, as the module's own dataclass; its defaults where nothing is set."""
    known = await _CACHE.get(reader, _ONLY) or await _known(reader)
    made = known.settings.get((module, kind))
    if not isinstance(made, kind):
        made = known.settings[module, kind] = settings_of(known.tenant, module, kind)
    return made


def settings_of(tenant: Tenant, module: str, kind: type[T]) -> T:
    """Return what `settings` does, of a tenant at hand."""
    values = tenant.settings.get(module)
    if not values:
        return kind()
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise UnusableSettings(operator=f"[tenant.{module}] of {tenant.name}: {error}; apply the tenant's file again") from error
