"""What `limen check` looks at: hardly anything is wrong enough to refuse to start, all of it is worth a sentence."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from limen.app import discover, ground
from limen.app.ground import Opened
from limen.app.settings import DatabaseSettings, ServerSettings
from limen.app.wanted import sections
from limen.kernel.ids import TenantId
from limen.modules import keys, tenants
from limen.platform.crypto import KeyringSettings
from limen.platform.duties import BadSetting, Settings
from limen.platform.mail import Server as Mail
from limen.platform.outbox import count_dead
from limen.platform.sql import Database, Reader, ahead
from limen.platform.telemetry import Server as Metrics

_PAGE: Final = 200
_LATE: Final = timedelta(days=7)
"""How much later than meant an epoch may begin before it is worth a sentence."""


async def advice(chosen: Settings) -> list[str]:
    """Return what should be mended, a sentence each; nothing where all is well."""
    return [*_of_interpreter(), *_of_settings(chosen), *await _of_database(chosen)]


def is_optimised() -> bool:
    """Whether this Python was built with profile-guided optimisation, as distributions do (whose build flags do not say so)."""
    built_so = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    return built_so or Path(sys.executable).resolve().is_relative_to("/usr/bin")


def _of_interpreter() -> Iterator[str]:
    if not is_optimised():
        yield f"{sys.executable} was built without optimisation: a token costs a quarter more CPU than on a distribution's Python"


def _of_settings(chosen: Settings) -> Iterator[str]:
    server = chosen.of(ServerSettings)
    if server.dev:
        yield 'server.mode is "dev": mail stays in the mailbox, anybody on this machine may turn the clock; write "production" to serve customers'
    elif not chosen.of(Mail).url:
        yield "mail.url is not set: codes and notices wait in the outbox, and are given up in the end"
    if not (server.dev or server.trusted_proxies):
        yield "server.trusted_proxies is empty: all customers have your proxy's address, and no client certificate is heard; write the proxy's own"
    for opens in (one for _, found in discover.everywhere("AT_START", tuple) for one in found):
        try:
            opens(chosen)
        except BadSetting as refused:
            yield f"servers will not start: {refused.operator}"
    metrics = chosen.of(Metrics).address
    if metrics and metrics[0] not in {"127.0.0.1", "::1", "localhost"}:
        yield f"metrics.listen is {metrics[0]}: the figures tell of your traffic; loopback or a private network is advised"
    keyring = chosen.of(KeyringSettings)
    database = chosen.of(DatabaseSettings)
    if not database.is_postgresql and Path(database.place).parent == keyring.epochs.parent:
        yield f"the keyring lies beside the database in {keyring.epochs.parent}: whoever copies the folder has both; keep the keys elsewhere"


async def _of_database(chosen: Settings) -> list[str]:
    async with ground.opened(chosen) as opened:
        return [*await _of_versions(opened.db), *await _of_keys(opened.db), *await _of_jobs(opened.db), *[line async for line in _of_tenants(opened)]]


async def _of_versions(db: Database) -> list[str]:
    beyond = await ahead(db)
    return [f"the database was brought up by a newer Limen ({', '.join(beyond)}): bring this one up to it"] if beyond else []


async def _of_keys(db: Database) -> list[str]:
    """Tell of people whose key is gone, and of an epoch that should have ended."""
    held, needed = db.keyring.epochs(), await keys.needed(db)
    lines = [
        f"people whose data cannot be read: {count:,}, since the epoch key {name} is not in {db.keyring.place.epochs}"
        for name, count in needed.epochs.items()
        if name not in {epoch.id for epoch in held}
    ]
    if (late := db.clock.now() - held[0].created - db.keyring.place.epoch) > _LATE:
        why = f", and see why no server did: it has to be able to write to {db.keyring.place.epochs}" if db.keyring.place.by_itself else ""
        lines.append(f"the epoch is {late.days} days longer than meant, and so is the time until erasure reaches backups: run `limen key rotate --epoch`{why}")
    return lines


async def _of_jobs(db: Database) -> list[str]:
    dead = await count_dead(db)
    return [f"jobs that were given up: {dead:,}; see `limen outbox dead`, and `limen outbox retry` to send them again"] if dead else []


async def _of_tenants(opened: Opened) -> AsyncIterator[str]:
    """Yield what each tenant's settings cost, and what tenants under one host mean."""
    base = opened.settings.of(ServerSettings).base_url
    together, after = 0, ""
    while page := await tenants.all_names(opened.db, after, _PAGE):
        for name in page:
            async with opened.db.read(name) as reader:
                tenant = await tenants.find(reader)
                together += tenant.domain is None
                for line in await _of_signing(name, reader):
                    yield line
                for section, kind in sections().items():
                    said: object = await tenants.settings(reader, section, kind)
                    for line in said.advice() if hasattr(said, "advice") else ():
                        yield f"{name}: {section}.{line}"
        after = page[-1]
    if not after:
        yield "there is no tenant yet: `limen apply` makes the first"
    if together > 1:
        yield f"{together} tenants stand under {base}: one host is one site to browsers, so they must belong to one owner; give others a domain of their own"


async def _of_signing(name: TenantId, reader: Reader) -> list[str]:
    """Tell of signing keys that no server replaced when their time had come."""
    return [
        f"{name}: the {alg.value} key signs {late.days} days longer than meant: a server that runs rotates it, or `limen key rotate --signing {alg.value}`"
        for alg, late in await keys.overdue(reader)
        if late > _LATE
    ]
