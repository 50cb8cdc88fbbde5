"""`limen apply`: brings tenants, brands, resources, clients and settings to what a file says, and tells the difference.

What the file describes is described in full: a client's key that is left out gets its default. What the file does not mention (another
client, another resource, a tenant's languages) stays as it is, and goes only with `prune`. Tenants are never deleted this way: with a
tenant go all its customers.
"""

from __future__ import annotations

import enum
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from limen.app.reading import key_of
from limen.app.settings import ServerSettings
from limen.app.wanted import Wanted, WantedClient, WantedTenant, note, read
from limen.kernel.facts import Actor, ActorKind
from limen.kernel.ids import ClientId, TenantId
from limen.modules import clients, tenants
from limen.modules.clients import Client, ClientKind
from limen.modules.tenants import Resource, Tenant
from limen.platform.commands import Console, Style
from limen.platform.sql import Database, Reader

ACTOR: Final = Actor(ActorKind.OPERATOR, "command:apply")

_BATCH: Final = 25
"""Clients saved in one Work: it must not hold the writer for long."""
CLIENT_KEYS: Final = (
    *("kind", "name", "auth_method", "redirect_uris", "post_logout_redirect_uris", "grants", "scopes", "pkce_required"),
    *("consent", "id_token_signed_response_alg", "client_uri", "policy_uri", "tos_uri", "contacts"),
)
_LONGEST_SHOWN: Final = 100


class Sign(enum.Enum):
    """What becomes of a thing."""

    ADDED = "+"
    CHANGED = "~"
    DROPPED = "-"


_COLOURS: Final = {Sign.ADDED: Style.GREEN, Sign.CHANGED: Style.YELLOW, Sign.DROPPED: Style.RED}


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the difference: `~ acme client shop: scopes ["openid"] -> ["openid", "email"]`."""

    sign: Sign
    tenant: TenantId
    thing: str
    key: str = ""
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        words = f"{self.sign.value} {self.tenant} {self.thing}".rstrip()
        if not self.key:
            return words
        return f"{words}: {self.key} {self.before or '(nothing)'} -> {self.after or '(nothing)'}"


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs, or differed before it was applied."""

    changes: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.changes)

    def show(self, console: Console) -> None:
        """Print it, a line a change."""
        for one in self.changes:
            console.say((str(one), _COLOURS[one.sign]))
        if not self.changes:
            console.say("Nothing to change.")


@dataclass(frozen=True, slots=True)
class _Step:
    """One tenant's part: what it is to be, and what the database has."""

    wanted: WantedTenant
    before: Tenant | None
    after: Tenant
    clients: Mapping[ClientId, Client]
    dropped: tuple[ClientId, ...]
    services: frozenset[ClientId]
    """Clients of kind service there will be, among those that resources name."""


async def apply(
    db: Database, file: Path, server: ServerSettings, environ: Mapping[str, str] = os.environ, *, dry_run: bool = False, prune: bool = False
) -> Diff:
    """Apply a tenant file; return what differed. With `dry_run` nothing is written. `Misconfigured` has all mistakes, and then nothing is either."""
    wanted = read(file, environ, base_url=server.base_url, dev=server.dev)
    steps = [await _compared(db, one, prune=prune) for one in wanted.tenants]
    now = db.clock.now()
    for step in steps:
        _check(wanted, step, now, dev=server.dev)
    wanted.source.finish()
    changes = [change for step in steps for change in _differences(step, now)]
    diff = Diff((*changes, *await _dethroned(db, steps)))
    if not dry_run:
        for step in steps:
            await _carry_out(db, step, now, dev=server.dev)
    return diff


async def _compared(db: Database, wanted: WantedTenant, *, prune: bool) -> _Step:
    named = {one.client.id for one in wanted.clients}
    before = await tenants.by_name(db, wanted.tenant.name)
    async with db.read(wanted.tenant.name) as read:
        known = {one.id: one async for one in all_clients(read)} if prune else {name: one for name in named if (one := await clients.find(read, name))}
        dropped = tuple(sorted(known.keys() - named))
        after = wanted.over(before, prune=prune)
        there = [await clients.find(read, one.client) for one in after.resources if one.client and one.client not in (*named, *dropped)]
    staying = [one for one in (*there, *(one.client for one in wanted.clients)) if one is not None]
    services = frozenset(one.id for one in staying if one.kind is ClientKind.SERVICE)
    return _Step(wanted, before, after, known, dropped, services)


async def all_clients(reader: Reader) -> AsyncIterator[Client]:
    """Go through a tenant's clients, page by page."""
    after = ""
    while found := await clients.list_of(reader, after):
        for one in found:
            yield one
        after = found[-1].id


def _check(wanted: Wanted, step: _Step, now: datetime, *, dev: bool) -> None:
    """Find what is wrong only beside what the database has, before anything is written."""
    for flaw in tenants.flaws(step.after):
        note(wanted.source, step.wanted.way, flaw)
    for number, resource in enumerate(step.wanted.tenant.resources):
        if resource.client and resource.client not in step.services:
            way = (*step.wanted.way, "resource", number, "client")
            wanted.source.wrong(way, f"`{resource.client[:60]}` is no client of kind service", "Name one that may introspect its tokens, or leave it out")
    for one in step.wanted.clients:
        client = _with_secret(one, step.clients.get(one.client.id), now)
        for flaw in (*clients.flaws(client, dev=dev), *clients.flaws_beside(client, step.after)):
            note(wanted.source, one.way, flaw)


def _with_secret(one: WantedClient, before: Client | None, now: datetime) -> Client:
    """Return the client with the secrets it has, the file's as the current one where it gives one."""
    held = replace(one.client, secrets=before.secrets if before and not one.client.public else ())
    return clients.with_secret(held, one.secret, now) if one.secret else held


async def _carry_out(db: Database, step: _Step, now: datetime, *, dev: bool) -> None:
    """Write one tenant: itself first, then its clients in Works of bounded size. What is as it should be is not touched."""
    name = step.after.name
    if step.before is None or replace(step.after, made=step.before.made) != step.before:
        async with db.work(name, ACTOR) as work:
            await tenants.save(work, step.after)
    differing = [one for one in step.wanted.clients if any(_of_client(name, one, step.clients.get(one.client.id), now))]
    for start in range(0, len(differing), _BATCH):
        async with db.work(name, ACTOR) as work:
            for one in differing[start : start + _BATCH]:
                before = await clients.find(work, one.client.id)
                await clients.save(work, _with_secret(one, before, work.now), dev=dev)
    for start in range(0, len(step.dropped), _BATCH):
        async with db.work(name, ACTOR) as work:
            for client in step.dropped[start : start + _BATCH]:
                await clients.drop(work, client)


def _differences(step: _Step, now: datetime) -> Iterator[Change]:
    name = step.after.name
    if step.before is None:
        yield Change(Sign.ADDED, name, "tenant")
    else:
        for key in ("default", "domain", "languages", "brand"):
            yield from _difference(name, "tenant", key, getattr(step.before, key), getattr(step.after, key))
    yield from _of_resources(name, step.before.resources if step.before else (), step.after.resources)
    yield from _of_settings(name, step.before.settings if step.before else {}, step.after.settings)
    for one in step.wanted.clients:
        yield from _of_client(name, one, step.clients.get(one.client.id), now)
    for client in step.dropped:
        yield Change(Sign.DROPPED, name, f"client {client}")


async def _dethroned(db: Database, steps: list[_Step]) -> list[Change]:
    """Tell which tenant is the default no longer because another one takes that, unless its own part of the file says so."""
    held = await tenants.default(db)
    if held is None or not held.default or not any(step.after.default and step.after.name != held.name for step in steps):
        return []
    told = any(step.after.name == held.name and not step.after.default for step in steps)
    return [] if told else [Change(Sign.CHANGED, held.name, "tenant", "default", "true", "false")]


def _difference(tenant: TenantId, thing: str, key: str, before: object, after: object) -> Iterator[Change]:
    if before != after:
        yield Change(Sign.CHANGED, tenant, thing, key, _shown(before), _shown(after))


def _of_resources(tenant: TenantId, before: tuple[Resource, ...], after: tuple[Resource, ...]) -> Iterator[Change]:
    old, new = {one.identifier: one for one in before}, {one.identifier: one for one in after}
    for identifier, one in new.items():
        if identifier not in old:
            yield Change(Sign.ADDED, tenant, f"resource {identifier}")
            continue
        for key in ("scopes", "token_format", "client"):
            yield from _difference(tenant, f"resource {identifier}", key, getattr(old[identifier], key), getattr(one, key))
    for identifier in old.keys() - new.keys():
        yield Change(Sign.DROPPED, tenant, f"resource {identifier}")


def _of_settings(tenant: TenantId, before: Mapping[str, Mapping[str, object]], after: Mapping[str, Mapping[str, object]]) -> Iterator[Change]:
    for section in sorted(before.keys() | after.keys()):
        old, new = before.get(section, {}), after.get(section, {})
        for key in sorted(old.keys() | new.keys()):
            yield from _difference(tenant, section, key_of(key), old.get(key), new.get(key))


def _of_client(tenant: TenantId, one: WantedClient, before: Client | None, now: datetime) -> Iterator[Change]:
    thing = f"client {one.client.id}"
    if before is None:
        yield Change(Sign.ADDED, tenant, thing)
        return
    for key in CLIENT_KEYS:
        yield from _difference(tenant, thing, key, getattr(before, key), getattr(one.client, key))
    if _with_secret(one, before, now).secrets != before.secrets:
        yield Change(Sign.CHANGED, tenant, thing, "secret", "one", "another")


def _shown(value: object) -> str:
    if value in (None, "", (), {}):
        return ""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
