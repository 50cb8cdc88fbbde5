"""What a tenant asks of new customers, and keeping what they say."""

from __future__ import annotations

from msgspec import UNSET

from limen.modules import profiles, tenants
from limen.modules.signup.model import Wish
from limen.modules.signup.settings import Tenant
from limen.platform.sql import Reader


async def wishes(reader: Reader) -> Tenant:
    """Return what this tenant asks for."""
    return await tenants.settings(reader, Tenant.section, Tenant)


async def stages(reader: Reader) -> int:
    """Return how many pages there are: address, code, and what the tenant asks for besides."""
    asked = await wishes(reader)
    return 2 + (asked.password is not Wish.NONE) + (asked.name is not Wish.NONE)


def named(given: str, family: str) -> profiles.Changes:
    """Return what a name as typed changes in a profile; what is empty is left alone."""
    return profiles.tidied(profiles.Changes(given_name=given.strip() or UNSET, family_name=family.strip() or UNSET))
