"""`limen export`: prints the configuration as a file that `apply` takes. Applied again it changes nothing, and it never holds a secret."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Final

import msgspec

from limen.app import ground
from limen.app.reading import key_of
from limen.app.wanted import CLIENT_KEYS, UNCHANGED, sections
from limen.app.writing import toml
from limen.kernel.ids import TenantId
from limen.modules import clients, tenants
from limen.modules.clients import Client
from limen.modules.tenants import Resource, Tenant, TokenFormat
from limen.platform.pages import Brand
from limen.platform.sql import Database

_PAGE: Final = 200


async def export(db: Database, names: Iterable[str] = ()) -> AsyncIterator[str]:
    """Yield the file piece by piece: the tenants named, or all of them. NoSuchTenant."""
    wanted = [await ground.tenant_named(db, name) for name in names]  # all of them first: half a file would look whole
    if wanted:
        for name in wanted:
            yield await _tenant(db, name)
        return
    after = ""
    while page := await tenants.all_names(db, after, _PAGE):
        for name in page:
            yield await _tenant(db, name)
        after = page[-1]


async def _tenant(db: Database, name: TenantId) -> str:
    async with db.read(name) as read:
        tenant = await tenants.find(read)
        known = [one async for one in clients.every(read) if not one.dynamic]  # what came by itself is no configuration
    lines = [*_own(tenant), *_brand(tenant.brand), *_settings(tenant)]
    for resource in tenant.resources:
        lines += _resource(resource)
    for client in known:
        lines += _client(client)
    return "\n".join(lines) + "\n\n"


def _own(tenant: Tenant) -> Iterator[str]:
    yield "[[tenant]]"
    yield f"name = {toml(tenant.name)}"
    if tenant.default:
        yield "default = true"
    if tenant.domain is not None:
        yield f"domain = {toml(tenant.domain)}"
    yield f"languages = {toml(tenant.languages)}"


def _brand(brand: Brand) -> Iterator[str]:
    yield "[tenant.brand]"
    for one in dataclasses.fields(brand):
        value = getattr(brand, one.name)
        if value not in (None, ()):
            yield f"{one.name} = {toml(value)}"


def _settings(tenant: Tenant) -> Iterator[str]:
    known = sections()
    for section, values in tenant.settings.items():
        if section not in known or not values:  # of a module that is gone: nothing could read it
            continue
        made: object = msgspec.convert(values, known[section])
        yield f"[tenant.{section}]"
        for name in values:
            yield f"{key_of(name)} = {toml(getattr(made, name))}"


def _resource(resource: Resource) -> Iterator[str]:
    yield "[[tenant.resource]]"
    yield f"identifier = {toml(resource.identifier)}"
    yield f"scopes = {toml(resource.scopes)}"
    if resource.token_format is not TokenFormat.JWT:
        yield f"token_format = {toml(resource.token_format)}"
    if resource.client is not None:
        yield f"client = {toml(resource.client)}"


def _client(client: Client) -> Iterator[str]:
    plain = Client(id=client.id, kind=client.kind)
    yield "[[tenant.client]]"
    yield f"id = {toml(client.id)}"
    for key in CLIENT_KEYS:
        value = getattr(client, key)
        if key == "kind" or (value != getattr(plain, key) and not (key == "auth_method" and client.public)):
            yield f"{key} = {toml(value)}"
    if client.needs_secret:
        yield f"secret = {toml(UNCHANGED)}"
