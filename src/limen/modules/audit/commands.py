"""limen audit: Read the log."""

from __future__ import annotations

from typing import Final

import msgspec

from limen.modules.audit import service
from limen.platform.commands import BadOption, Command, Ground


async def tail(ground: Ground, *, kind: str = "", last: int = 20, follow: bool = False, everybody: bool = False) -> None:
    """Print the last facts of the log, oldest first: instant, name, actor, subject, and the fact's own fields.

    Parameters
    ----------
    kind
        Only facts whose name begins so, such as `sessions.`.
    last
        How many.
    follow
        Go on with every further one, until interrupted.
    everybody
        The facts of all tenants and of the server itself, each with its tenant.
    """
    if last < 0:
        raise BadOption(operator=f"--last: {last} facts cannot be shown; 0 shows none, which makes sense with --follow")
    await service.settled(ground.db)
    tenant = None if everybody else ground.tenant
    async for fact in service.tail(ground.db, tenant=tenant, kind=kind, last=last, follow=follow):
        owner = (fact.tenant or "-",) if everybody else ()
        data = msgspec.json.encode(fact.data).decode() + (" +sealed" if fact.private else "")
        line = "\t".join((f"{fact.at:%Y-%m-%d %H:%M:%S.%f} UTC", *owner, fact.name, fact.actor, fact.subject or "-", data))
        ground.console.file.write(line + "\n")  # the console itself would turn tabs into blanks
        ground.console.file.flush()


COMMANDS: Final = (Command("tail", tail),)
