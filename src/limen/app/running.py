"""Turns a module's commands into verbs of the command line: opens the ground for each, and takes `--config` and `--tenant` for all."""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter
from rich.console import Console

from limen.app import ground, settings
from limen.kernel.ids import SERVER, TenantId
from limen.platform.commands import Command, Ground
from limen.platform.sql import Database

CONFIG: Final = Path("limen.toml")
Config = Annotated[Path, Parameter(name="--config", help="The server's configuration.")]


def group_of(name: str, path: str, words: str) -> App:
    """Import a module's commands and return them as a group of verbs."""
    app = App(name=name, help=words)
    for command in importlib.import_module(path).COMMANDS:
        app.command(_verb(command), name=command.verb)
    return app


def _verb(command: Command) -> Callable[..., None]:
    """Return a plain function with the command's own parameters and `--config` and `--tenant` beside them."""
    signature = inspect.signature(command.run, eval_str=True)
    own = list(signature.parameters.values())[1:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    extra = [
        inspect.Parameter("config", keyword, default=CONFIG, annotation=Config),
        inspect.Parameter("tenant", keyword, default="", annotation=Annotated[str, Parameter(help="A tenant's name; the default tenant if left out.")]),
    ]

    def verb(*args: object, config: Path = CONFIG, tenant: str = "", **kwargs: object) -> None:
        asyncio.run(_run(command.run, config, tenant, args, kwargs))

    verb.__name__, verb.__doc__ = command.verb, command.run.__doc__
    verb.__signature__ = signature.replace(parameters=[*own, *extra], return_annotation=None)  # type: ignore[attr-defined] # a function takes attributes
    verb.__annotations__ = {one.name: one.annotation for one in [*own, *extra]}
    return verb


async def _run(run: Callable[..., Awaitable[None]], config: Path, tenant: str, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
    async with ground.opened(settings.load(config)) as opened:
        chosen = await tenant_named(opened.db, tenant)
        await run(Ground(opened.settings, opened.db, chosen, Console()), *args, **kwargs)


async def tenant_named(db: Database, name: str) -> TenantId:
    """Return the tenant of that name, or the default one; the server itself where there is none yet."""
    from limen.modules import tenants  # noqa: PLC0415 only commands that open the ground pay for it

    if name:
        found = await tenants.by_name(db, TenantId(name))
        if found is None:
            raise tenants.NoSuchTenant(operator=f"there is no tenant {name!r}")
        return found.name
    default = await tenants.default(db)
    return default.name if default else SERVER
