"""Opens what everything stands on: settings, keyring, database. Used by the server and by every command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from limen.app import discover, settings
from limen.app.arguments import meant
from limen.kernel.clock import SystemClock
from limen.kernel.ids import TenantId
from limen.modules import keys, tenants
from limen.platform.crypto import Keyring, KeyringSettings
from limen.platform.duties import Running
from limen.platform.sql import Database, Reaction, check_schema, open_database, read_clock, refuse_missing

if TYPE_CHECKING:
    from limen.platform.duties import Settings


@dataclass(frozen=True, slots=True)
class Opened:
    """Settings and an open database with every module's reactions."""

    settings: Settings
    db: Database


def reactions() -> dict[str, list[Reaction]]:
    """Gather what modules do about facts of others, by the fact's wire name."""
    found: dict[str, list[Reaction]] = {}
    for _, table in discover.gathered(("reactions",), "REACTIONS", dict):
        for name, reaction in table.items():
            found.setdefault(name, []).append(reaction)
    return found


async def tenant_named(db: Database, name: str) -> TenantId:
    """Return the name of a tenant that there is; NoSuchTenant suggests the nearest of the first thousand."""
    if await tenants.by_name(db, name) is None:
        near = meant(name, await tenants.all_names(db, limit=1000))
        raise tenants.NoSuchTenant(operator=f"there is no tenant `{name[:60]}`{near} `limen export` shows those that are")
    return TenantId(name)


@cache
def install_kept() -> None:
    """Tell what modules keep under tenants' keys: nothing may rotate before."""
    keys.install(found for _, found in discover.gathered(("jobs",), "KEPT", dict))


@asynccontextmanager
async def opened(chosen: Settings, *, url: str = "", any_schema: bool = False) -> AsyncIterator[Opened]:
    """Open keyring and database for the length of the block; refuses a database whose schema this version cannot serve.

    A keyring of another database is refused too. `url` is another database than that of the settings, `any_schema` lets an outdated one pass.
    In dev mode the clock is as far turned as the database says.
    """
    install_kept()
    keyring = Keyring.load(chosen.of(KeyringSettings))
    url = url or chosen.of(settings.DatabaseSettings).url
    refuse_missing(url)
    db = await open_database(url, keyring, SystemClock(), reactions())
    try:
        if not any_schema:
            await check_schema(db)
            await keys.check_keyring(db)
            if chosen.of(Running).dev:
                await read_clock(db)
        yield Opened(chosen, db)
    finally:
        await db.close()
