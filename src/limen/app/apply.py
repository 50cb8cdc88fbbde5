"""`limen apply`: brings tenants, brands, resources, clients and settings to what a file says, and tells the difference.

What the file describes is described in full: a client's key that is left out gets its default. What the file does not mention (another
client, another resource, a tenant's languages) stays as it is, and goes only with `prune`. Tenants are never deleted this way: with a
tenant go all its customers.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from limen.app.difference import Change, Diff, of_client, of_dethroned, of_dropped, of_tenant
from limen.app.settings import ServerSettings
from limen.app.wanted import Wanted, WantedClient, WantedTenant, note, read
from limen.kernel.facts import Actor, ActorKind
from limen.kernel.ids import ClientId, TenantId
from limen.modules import clients, tenants
from limen.modules.clients import Client, ClientKind
from limen.modules.tenants import Tenant
from limen.platform.sql import Database

R = TypeVar("R")
T = TypeVar("T")

ACTOR: Final = Actor(ActorKind.OPERATOR, "command:apply")

_BATCH: Final = 25
"""Clients saved in one Work: it must not hold the writer for long."""
_AT_ONCE: Final = 16
"""Tenants looked at or written at the same time: their Works share commits on SQLite, and on PostgreSQL nobody waits for another's round trips."""
_BREATH_SECONDS: Final = 0.01
"""Pause after so many tenants, in which a server on the same SQLite file gets its turn."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One tenant's part: what it is to be, what the database has, and what differs."""

    wanted: WantedTenant
    before: Tenant | None
    after: Tenant
    clients: Mapping[ClientId, Client]
    dropped: tuple[ClientId, ...]
    services: frozenset[ClientId]
    """Clients of kind service there will be, among those that resources name."""
    changes: tuple[Change, ...]
    differing: tuple[WantedClient, ...]

    @property
    def name(self) -> TenantId:
        return self.after.name

    @property
    def gives_up(self) -> str | None:
        """The domain that others may have once this step is done."""
        return self.before.domain if self.before and self.before.domain != self.after.domain else None

    @property
    def has_place(self) -> bool:
        """Whether it matters when it is done: what it takes, another may hold, or want."""
        return self.after.default != (self.before is not None and self.before.default) or self.gives_up is not None


async def apply(  # noqa: PLR0913 - each is an option of the command
    db: Database,
    file: Path,
    server: ServerSettings,
    environ: Mapping[str, str] = os.environ,
    *,
    dry_run: bool = False,
    prune: bool = False,
    told: Callable[[str], None] = lambda _: None,
) -> Diff:
    """Apply a tenant file; return what differed. With `dry_run` nothing is written. `Misconfigured` has all mistakes, and then nothing is either.

    `told` hears how far it is.
    """
    told("reading")
    wanted = await asyncio.to_thread(read, file, environ, base_url=server.base_url, dev=server.dev)
    now = db.clock.now()
    steps = await _each(wanted.tenants, lambda one: _compared(db, one, now, prune=prune), lambda count: told(f"{count:,} tenants compared"))
    for step in steps:
        _check(wanted, step, now, dev=server.dev)
    in_order = _in_order(steps)
    await _check_domains(db, wanted, [*in_order[0], *in_order[1]])
    wanted.source.finish()
    diff = Diff((*(change for step in steps for change in step.changes), *await _dethroned(db, steps)))
    if not dry_run:
        await _carry_out(db, in_order, dev=server.dev, told=told)
    return diff


async def _each(things: Sequence[T], do: Callable[[T], Awaitable[R]], told: Callable[[int], None], *, breath: float = 0.0) -> list[R]:
    """Do something with each, a few at a time; return what came of it, in order. The first error is raised once nothing is under way any more."""
    done: list[R] = []
    for start in range(0, len(things), _AT_ONCE):
        came = await asyncio.gather(*(do(one) for one in things[start : start + _AT_ONCE]), return_exceptions=True)
        for one in came:
            if isinstance(one, BaseException):
                raise one
            done.append(one)
        told(len(done))
        await asyncio.sleep(breath)
    return done


async def _compared(db: Database, wanted: WantedTenant, now: datetime, *, prune: bool) -> _Step:
    named = {one.client.id for one in wanted.clients}
    before = await tenants.by_name(db, wanted.tenant.name)
    after = wanted.over(before, prune=prune)
    known: dict[ClientId, Client] = {}
    if before is not None:
        async with db.read(wanted.tenant.name) as read:
            asked = {*named, *(one.client for one in after.resources if one.client)}
            known = {one.id: one async for one in clients.every(read) if not one.dynamic or one.id in named} if prune else await clients.named(read, asked)
    dropped = tuple(sorted(known.keys() - named)) if prune else ()
    staying = [*(one for name, one in known.items() if name not in (*named, *dropped)), *(one.client for one in wanted.clients)]
    services = frozenset(one.id for one in staying if one.kind is ClientKind.SERVICE)
    told = {one.client.id: tuple(of_client(after.name, one, known.get(one.client.id), now)) for one in wanted.clients}
    changes = (*of_tenant(before, after), *(change for some in told.values() for change in some), *(of_dropped(after.name, one) for one in dropped))
    return _Step(wanted, before, after, known, dropped, services, changes, tuple(one for one in wanted.clients if told[one.client.id]))


def _check(wanted: Wanted, step: _Step, now: datetime, *, dev: bool) -> None:
    """Find what is wrong only beside what the database has, before anything is written."""
    for flaw in tenants.flaws(step.after):
        note(wanted.source, step.wanted.way, flaw)
    for number, resource in enumerate(step.wanted.tenant.resources):
        if resource.client and resource.client not in step.services:
            way = (*step.wanted.way, "resource", number, "client")
            wanted.source.wrong(way, f"`{resource.client[:60]}` is no client of kind service", "Name one that may introspect its tokens, or leave it out")
    for one in step.wanted.clients:
        client = one.over(step.clients.get(one.client.id), now)
        for flaw in (*clients.flaws(client, dev=dev), *clients.flaws_beside(client, step.after)):
            note(wanted.source, one.way, flaw)


def _in_order(steps: Sequence[_Step]) -> tuple[list[_Step], list[_Step]]:
    """Return those that are done one after another, and those that may then be done together.

    The first tenant ever made is the default one where none says so, so the file's first is made before those that are made together.
    """
    alone, rest = [step for step in steps if step.has_place], [step for step in steps if not step.has_place]
    return [*alone, *rest[:1]], rest[1:]


async def _check_domains(db: Database, wanted: Wanted, steps: Sequence[_Step]) -> None:
    """Find domains that belong to another tenant, which does not give them up before they are taken."""
    free: set[str | None] = set()
    for step in steps:
        domain = step.after.domain
        if domain is not None and domain not in free and (step.before is None or step.before.domain != domain):
            holder = await tenants.by_domain(db, domain)
            if holder is not None and holder.name != step.name:
                wanted.source.wrong((*step.wanted.way, "domain"), f"`{domain}` belongs to the tenant {holder.name}", "Give that one another domain first")
        free.add(step.gives_up)


async def _carry_out(db: Database, in_order: tuple[list[_Step], list[_Step]], *, dev: bool, told: Callable[[str], None]) -> None:
    alone, together = in_order
    for step in alone:
        await _write(db, step, dev=dev)
    count = len(alone) + len(together)
    await _each(
        together,
        lambda step: _write(db, step, dev=dev),
        lambda done: told(f"{len(alone) + done:,} of {count:,} tenants written"),
        breath=_BREATH_SECONDS,
    )


async def _write(db: Database, step: _Step, *, dev: bool) -> None:
    """Write one tenant and its clients in Works of bounded size, itself in the first. What is as it should be is not touched."""
    differs = step.before is None or replace(step.after, made=step.before.made) != step.before
    for start in range(0, max(len(step.differing), differs), _BATCH):
        some = step.differing[start : start + _BATCH]
        async with db.work(step.name, ACTOR) as work:
            if differs and not start:
                await tenants.save(work, step.after)
            held = await clients.hold(work, [one.client.id for one in some])
            for one in some:
                wanted = await clients.sealing(work, one.over(held.clients.get(one.client.id), work.now), one.secret)
                await clients.save(work, wanted, dev=dev, held=held)
    for start in range(0, len(step.dropped), _BATCH):
        async with db.work(step.name, ACTOR) as work:
            for client in step.dropped[start : start + _BATCH]:
                await clients.drop(work, client)


async def _dethroned(db: Database, steps: Sequence[_Step]) -> list[Change]:
    """Tell which tenant is the default no longer because another one takes that, unless its own part of the file says so."""
    held = await tenants.default(db)
    if held is None or not held.default or not any(step.after.default and step.name != held.name for step in steps):
        return []
    told = any(step.name == held.name and not step.after.default for step in steps)
    return [] if told else [of_dethroned(held.name)]
