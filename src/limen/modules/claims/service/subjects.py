"""By which `sub` an app knows a person (OpenID Connect Core 1.0, section 8): her account's id, or one of its sector's own."""

from __future__ import annotations

from typing import Final

from limen.kernel import secrets
from limen.kernel.facts import SYSTEM
from limen.kernel.ids import AccountId
from limen.modules.claims import store
from limen.modules.claims.model import sector_of
from limen.modules.clients import Client
from limen.platform.sql import Cached, Reader, Work


async def _load(reader: Reader, key: str) -> str | None:
    account, _, sector = key.partition(" ")
    return await store.find(reader, AccountId(account), sector)


_SUBJECTS: Final[Cached[str, str]] = Cached("claims.subjects", load=_load)


async def subject(reader: Reader, account: AccountId, client: Client) -> str:
    """Return by which `sub` the client knows the account.

    A public one is the account's id. A pairwise one is 256 random bits (base64url), the same for all clients of the sector; it is made
    when first asked for, in the Work in hand, or beside a Read in one of its own. Of two who make it at once both get the same one.
    """
    sector = sector_of(client)
    if sector is None:
        return account
    found = await _SUBJECTS.get(reader, _key(account, sector))
    return found if found is not None else await _made(reader, account, sector)


async def account_of(reader: Reader, client: Client, sub: str) -> AccountId | None:
    """Return whom the client means by a `sub`; None if its sector knows nobody by it. Whether a public one leads to an account is not asked."""
    sector = sector_of(client)
    return AccountId(sub) if sector is None else await store.whose(reader, sector, sub)


async def forget(work: Work, account: AccountId) -> None:
    """Delete every pairwise `sub` of an account: no sector can tell whose it was."""
    for sector in await store.drop_of(work, account):
        _SUBJECTS.changed(work, _key(account, sector))


def _key(account: AccountId, sector: str) -> str:
    return f"{account} {sector}"


async def _made(reader: Reader, account: AccountId, sector: str) -> str:
    if not isinstance(reader, Work):
        async with reader.tx.db.work(reader.tenant, SYSTEM) as work:
            return await _made(work, account, sector)
    fresh = secrets.token()
    if await store.add(reader, account, sector, fresh):
        return fresh
    found = await store.find(reader, account, sector)
    return found if found is not None else await _made(reader, account, sector)  # it was there a moment ago and was forgotten
