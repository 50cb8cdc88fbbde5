"""Tenants: who they are, where they stand, how they look, the APIs they protect, and what each module is set to for them.

Knows no customer, no key and no client. It holds nothing personal and no secret, so export may print all of it.
The web's view of it (`Directory`, which `compose` hands to `platform.http`) is in `api`, apart, so that commands need no HTTP.
"""

from __future__ import annotations

from limen.modules.tenants.errors import InvalidTenant, NoSuchTenant, UnusableSettings
from limen.modules.tenants.facts import TenantChanged
from limen.modules.tenants.model import API_SCOPES, OWN_SCOPES, Flaw, Resource, Tenant, TokenFormat, api_resource, flaws, is_identifier, plain
from limen.modules.tenants.service import all_names, by_domain, by_name, default, find, place, save, settings, settings_of

__all__ = [
    "API_SCOPES",
    "OWN_SCOPES",
    "Flaw",
    "InvalidTenant",
    "NoSuchTenant",
    "Resource",
    "Tenant",
    "TenantChanged",
    "TokenFormat",
    "UnusableSettings",
    "all_names",
    "api_resource",
    "by_domain",
    "by_name",
    "default",
    "find",
    "flaws",
    "is_identifier",
    "place",
    "plain",
    "save",
    "settings",
    "settings_of",
]
