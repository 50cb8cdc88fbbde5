"""Who was forgotten, as the log knows it, and forgetting somebody in every module at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, cast

from limen.app import discover
from limen.kernel.facts import Actor
from limen.kernel.ids import AccountId, TenantId
from limen.modules import audit, keys, tenants
from limen.platform.duties import Done, Holder, More, Pending
from limen.platform.sql import Database, Reader, Work

Person = tuple[TenantId, AccountId]

_PAGE: Final = 200


async def forgotten(db: Database) -> AsyncIterator[Person]:
    """Go through everybody whose key was ever destroyed, tenant by tenant."""
    after = ""
    while names := await tenants.all_names(db, after, _PAGE):
        for name in names:
            async for account in _of_tenant(db, name):
                yield name, account
        after = names[-1]


async def _of_tenant(db: Database, tenant: TenantId) -> AsyncIterator[AccountId]:
    wanted = audit.Search(kind=keys.SubjectForgotten.name)
    page = audit.Page((), None)
    while True:
        async with db.read(tenant) as read:
            page = await audit.search(read, wanted, page.after, _PAGE)
        for entry in page.entries:
            if entry.subject is not None:
                yield entry.subject
        if page.after is None:
            return


async def has_key(db: Database, person: Person) -> bool:
    """Whether what is sealed under her key can be read."""
    tenant, account = person
    async with db.read(tenant) as read:
        try:
            await keys.subject_box(read, account)
        except keys.Forgotten:
            return False
        return True


async def forget(db: Database, person: Person, actor: Actor) -> None:
    """Have every module forget her, the one with her key last: what another could not delete is unreadable then."""
    tenant, account = person
    holders = [cast("Holder[Reader, Work]", held) for _, held in discover.gathered(("holder",), "HOLDER", object)]
    for holder in sorted(holders, key=lambda one: one.name == "keys"):
        more = True
        while more:
            async with db.work(tenant, actor) as work:
                match await holder.forget(work, account):
                    case More():
                        more = True
                    case Done() | Pending():
                        more = False
