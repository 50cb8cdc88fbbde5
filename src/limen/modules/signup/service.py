"""What a tenant asks of new customers, and keeping what they say."""

from __future__ import annotations

from limen.kernel.ids import AccountId
from limen.modules import profiles, tenants
from limen.modules.signup.model import Wish
from limen.modules.signup.settings import Tenant
from limen.platform.sql import Reader, Work


async def wishes(reader: Reader) -> Tenant:
    """Return what this tenant asks for."""
    return await tenants.settings(reader, Tenant.section, Tenant)


async def stages(reader: Reader) -> int:
    """Return how many pages there are: address, code, and what the tenant asks for besides."""
    asked = await wishes(reader)
    return 2 + (asked.password is not Wish.NONE) + (asked.name is not Wish.NONE)


async def keep_name(work: Work, account: AccountId, given: str, family: str) -> None:
    """Write the name into the profile."""
    await profiles.change(work, account, profiles.Profile(given_name=given or None, family_name=family or None))
