"""Groups of commands, which packages have: opens the ground for each, and takes `--config` and `--tenant` for all."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from limen.app.arguments import CONFIG, Parameter, Parsed, Spec
from limen.kernel.ids import SERVER, TenantId
from limen.platform.commands import Command, Console, Ground, Reach

if TYPE_CHECKING:
    from limen.app.cli import Entry
    from limen.platform.sql import Database

_CONFIG: Final = Parameter("config", Path, "The server's configuration.", CONFIG)


def verbs_of(entry: Entry) -> dict[str, tuple[Spec, Command]]:
    """Import a package's commands and return them by verb, each with the options all of them have."""
    commands: tuple[Command, ...] = importlib.import_module(entry.path).COMMANDS
    return {one.verb: (Spec.of(f"{entry.name} {one.verb}", one.run, skip=1, more=_options(one)), one) for one in commands}


def _options(command: Command) -> tuple[Parameter, ...]:
    return _CONFIG, Parameter("tenant", str, command.reach.words, "")


def run(command: Command, parsed: Parsed) -> None:
    """Run one command on the ground its options name."""
    options = dict(parsed.kwargs)
    config, tenant = options.pop("config", CONFIG), options.pop("tenant", "")
    asyncio.run(_run(command, Path(str(config)), str(tenant), parsed.args, options))


async def _run(command: Command, config: Path, tenant: str, args: list[object], options: dict[str, object]) -> None:
    from limen.app import ground, settings  # noqa: PLC0415 - neither is needed to tell what a command takes

    async with ground.opened(settings.load(config)) as opened:
        chosen = await _tenant(opened.db, tenant, command.reach)
        await command.run(Ground(opened.settings, opened.db, chosen, Console()), *args, **options)


async def _tenant(db: Database, name: str, reach: Reach) -> TenantId:
    """Return the tenant of that name, or the one a command is about where none is named; NoSuchTenant."""
    from limen.app import ground  # noqa: PLC0415 - as above
    from limen.modules import tenants  # noqa: PLC0415 - as above

    if name:
        return await ground.tenant_named(db, name)
    if reach is Reach.ALL:
        return SERVER
    default = await tenants.default(db)
    if default is None and reach is Reach.TENANT:
        raise tenants.NoSuchTenant(operator="there is no tenant yet: `limen apply` makes the first")
    return default.name if default else SERVER
