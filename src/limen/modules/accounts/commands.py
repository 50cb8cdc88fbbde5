"""limen account: Make accounts, find them, suspend, resume and close them."""

from __future__ import annotations

from typing import Final

from limen.kernel.ids import AccountId
from limen.modules.accounts import service
from limen.modules.accounts.errors import IdentifierTaken, NoSuchAccount
from limen.modules.accounts.model import EMAIL, PHONE, USERNAME, Account, Taken
from limen.platform.commands import Command, Ground, Reach
from limen.platform.sql import Reader


async def add(ground: Ground, identifier: str, /, *, kind: str = EMAIL) -> None:
    """Make an account for an identifier that was proved elsewhere, and print its id.

    Parameters
    ----------
    identifier
        The e-mail address, telephone number or username; you vouch that it is hers.
    kind
        `email`, `phone` or `username`; the tenant says which it has.
    """
    await service.prepare(kind)
    async with ground.db.work(ground.tenant, ground.actor("account add")) as work:
        made = await service.create(work, kind, identifier)
    if isinstance(made, Taken):
        raise IdentifierTaken(operator=f"the identifier belongs to {made.account} already")
    ground.say(made.id)


async def show(ground: Ground, who: str, /) -> None:
    """Find an account and print its state and identifiers.

    Parameters
    ----------
    who
        An account's id, or an e-mail address, a telephone number or a username.
    """
    await service.prepare(_kind_of(who))
    async with ground.db.read(ground.tenant) as read:
        found = await _found(read, who)
        own = await service.identifiers(read, found.id)
    ground.table(
        ("Account", "State", "Created", "Identifiers"),
        [(found.id, found.state.value, f"{found.created:%Y-%m-%d %H:%M} UTC", " ".join(one.value for one in own))],
    )


async def suspend(ground: Ground, who: str, /, *, reason: str = "operator") -> None:
    """Keep an account out until it is resumed: its sessions and grants end.

    Parameters
    ----------
    who
        An account's id, or an e-mail address, a telephone number or a username.
    reason
        A code for the log, such as `chargeback`.
    """
    await service.prepare(_kind_of(who))
    async with ground.db.work(ground.tenant, ground.actor("account suspend")) as work:
        moved = await service.suspend(work, (await _found(work, who)).id, reason)
    ground.say(f"{moved.id} is {moved.state.value}")


async def resume(ground: Ground, who: str, /, *, reason: str = "operator") -> None:
    """Let a suspended account in again.

    Parameters
    ----------
    who
        An account's id, or an e-mail address, a telephone number or a username.
    reason
        A code for the log.
    """
    await service.prepare(_kind_of(who))
    async with ground.db.work(ground.tenant, ground.actor("account resume")) as work:
        moved = await service.resume(work, (await _found(work, who)).id, reason)
    ground.say(f"{moved.id} is {moved.state.value}")


async def close(ground: Ground, who: str, /, *, reason: str = "operator") -> None:
    """Close an account for good.

    Parameters
    ----------
    who
        An account's id, or an e-mail address, a telephone number or a username.
    reason
        A code for the log.
    """
    await service.prepare(_kind_of(who))
    async with ground.db.work(ground.tenant, ground.actor("account close")) as work:
        moved = await service.close(work, (await _found(work, who)).id, reason)
    ground.say(f"{moved.id} is {moved.state.value}")


async def _found(reader: Reader, who: str) -> Account:
    kind = _kind_of(who)
    found = await service.by_identifier(reader, kind, who) if kind else await service.find(reader, AccountId(who))
    if found is None:
        raise NoSuchAccount(operator=f"{reader.tenant} has no such account")
    return found


def _kind_of(who: str) -> str:
    """Return the kind of an identifier by its looks, which no two kinds share; empty for an account's id."""
    if who.startswith("acc_"):
        return ""
    if "@" in who:
        return EMAIL
    return USERNAME if any(sign.isalpha() for sign in who) else PHONE


_VERBS: Final = (("add", add), ("find", show), ("suspend", suspend), ("resume", resume), ("close", close))
COMMANDS: Final = tuple(Command(verb, run, Reach.TENANT) for verb, run in _VERBS)
