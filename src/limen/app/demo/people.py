"""The demo's sample customers, made through the same front doors as everyone else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from limen.kernel.facts import SYSTEM
from limen.kernel.ids import TenantId
from limen.modules import accounts, factors, profiles
from limen.platform.sql import Database

PASSWORD: Final = "violet harbour tin whistle"  # noqa: S105 a sample login, printed at start
TENANT: Final = TenantId("acme")


@dataclass(frozen=True, slots=True)
class Person:
    """A sample customer."""

    email: str
    given_name: str
    family_name: str
    locale: str


PEOPLE: Final = (
    Person("ada@example.com", "Ada", "Lovelace", "en"),
    Person("jonas@example.com", "Jonas", "Weber", "de"),
    Person("layla@example.com", "Layla", "Haddad", "ar"),
)


async def settle(db: Database) -> None:
    """Make the sample customers who are not there yet."""
    for person in PEOPLE:
        async with db.read(TENANT) as reader:
            if await accounts.by_identifier(reader, "email", person.email) is not None:
                continue
        prepared = await factors.prepare(db, TENANT, SYSTEM, "password", PASSWORD, factors.Context())
        if isinstance(prepared, factors.Unfit):
            raise TypeError(f"the sample password is refused: {prepared}")
        async with db.work(TENANT, SYSTEM) as work:
            made = await accounts.create(work, "email", person.email)
            if isinstance(made, accounts.Taken):
                continue
            await profiles.change(work, made.id, profiles.Changes(given_name=person.given_name, family_name=person.family_name, locale=person.locale))
            await factors.enrol(work, made.id, prepared)
