"""limen claims: Show what an app is told of a person, before it is."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

import msgspec

from limen.kernel.ids import AccountId, ClientId
from limen.modules import accounts, clients
from limen.modules.claims.service.preview import Line, drafted
from limen.modules.claims.service.preview import preview as looked_at
from limen.modules.claims.settings import Tenant
from limen.platform.commands import BadOption, Command, Ground, Reach
from limen.platform.sql import Reader


async def preview(ground: Ground, *, client: str, account: str, scopes: tuple[str, ...] = (), draft: Path | None = None) -> None:
    """Show which claims an app would get about somebody, where, and what gives each.

    Parameters
    ----------
    client
        The app's client_id.
    account
        An e-mail address, or an account's id.
    scopes
        What the app is granted; left out: all that it may ask for.
    draft
        A TOML file with what is to stand under [tenant.claims], to be tried before it is applied.
    """
    wanted = _drafted(draft) if draft is not None else None
    async with ground.db.read(ground.tenant) as read:
        app = await clients.find(read, ClientId(client))
        if app is None:
            raise clients.NoSuchClient(operator=f"{ground.tenant} has no client {client[:60]}; `limen client list` shows those it has")
        lines = await looked_at(read, await _found(read, account), app, scopes or app.scopes, wanted)
    ground.table(("Where", "Claim", "Value", "From"), [_row(line) for line in lines])


def _row(line: Line) -> tuple[str, ...]:
    value = f"none: {line.failed}" if line.failed else msgspec.json.encode(line.value).decode()
    return (line.use.value, line.name, value, line.source)


def _drafted(file: Path) -> Tenant:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadOption(operator=f"--draft: {file} cannot be read: {error}") from None
    return drafted(values)


async def _found(reader: Reader, who: str) -> AccountId:
    found = await accounts.by_identifier(reader, accounts.EMAIL, who) if "@" in who else await accounts.find(reader, AccountId(who))
    if found is None:
        raise accounts.NoSuchAccount(operator=f"{reader.tenant} has no such account")
    return found.id


COMMANDS: Final = (Command("preview", preview, Reach.TENANT),)
