"""`limen export`: prints the configuration as a file that `apply` takes. Applied again it changes nothing, and it never holds a secret."""

from __future__ import annotations

import dataclasses
import enum
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Final

import msgspec

from limen.app.apply import CLIENT_KEYS, all_clients
from limen.app.reading import duration_text, key_of
from limen.app.wanted import UNCHANGED, sections
from limen.kernel.ids import TenantId
from limen.modules import tenants
from limen.modules.clients import Client
from limen.modules.tenants import Resource, Tenant, TokenFormat
from limen.platform.pages import Brand
from limen.platform.sql import Database

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_PAGE: Final = 200


async def export(db: Database, names: Iterable[str] = ()) -> AsyncIterator[str]:
    """Yield the file piece by piece: the tenants named, or all of them. NoSuchTenant."""
    wanted = [TenantId(name) for name in names]
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
        clients = [one async for one in all_clients(read)]
    lines = [*_own(tenant), *_brand(tenant.brand), *_settings(tenant)]
    for resource in tenant.resources:
        lines += _resource(resource)
    for client in clients:
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
    if not client.public:
        yield f"secret = {toml(UNCHANGED)}"


def toml(value: object) -> str:
    """Return a value as TOML 1.0 writes it on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, timedelta):
        return toml(duration_text(value))
    if isinstance(value, enum.Enum):
        return toml(value.value)
    if isinstance(value, Mapping):
        return _table((str(key), one) for key, one in value.items())
    if isinstance(value, (tuple, list, frozenset)):
        return f"[{', '.join(toml(one) for one in value)}]"
    if dataclasses.is_dataclass(value):
        return _table((key_of(one.name), getattr(value, one.name)) for one in dataclasses.fields(value))
    return _text(str(value))


def _table(items: Iterable[tuple[str, object]]) -> str:
    inner = ", ".join(f"{key if _BARE.fullmatch(key) else _text(key)} = {toml(one)}" for key, one in items)
    return f"{{ {inner} }}" if inner else "{}"


def _text(text: str) -> str:
    """Write a basic string: JSON's escapes are TOML's, but TOML wants DEL escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
