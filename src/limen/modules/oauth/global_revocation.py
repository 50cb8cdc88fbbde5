"""Global Token Revocation (draft-parecki-oauth-global-token-revocation-06): who watches over accounts elsewhere ends all that a person has here.

A draft, so a tenant switches it on: `[tenant.oauth] global_token_revocation`. The caller shows an access token with the scope
`limen:sessions:write`; sessions, codes and every token end at once, offline ones too, and the apps are told.
"""

from __future__ import annotations

from typing import Final, TypeAlias, assert_never
from urllib.parse import unquote

import msgspec

from limen.kernel.ids import AccountId
from limen.modules import accounts, claims, clients, sessions, tenants
from limen.modules.oauth.settings import Tenant as Settings
from limen.modules.sessions import EndReason
from limen.platform.http import Answer, Call, Endpoint, NoSuchPlace, no_content, scope
from limen.platform.sql import Reader

PATH: Final = "/oauth/global-token-revocation"
AUTH_METHODS: Final = ("Bearer",)
_JSON: Final = "application/json"


class IssSub(msgspec.Struct, frozen=True, tag_field="format", tag="iss_sub", forbid_unknown_fields=True):
    """A person as this issuer's ID tokens call her, to the very client that asks (RFC 9493, section 3.2.4)."""

    iss: str
    sub: str


class Email(msgspec.Struct, frozen=True, tag_field="format", tag="email", forbid_unknown_fields=True):
    """By an address that leads to her account (section 3.2.2)."""

    email: str


class Acct(msgspec.Struct, frozen=True, tag_field="format", tag="account", forbid_unknown_fields=True):
    """By an `acct:` address, which is read as one for mail (section 3.2.1; RFC 7565)."""

    uri: str


class Opaque(msgspec.Struct, frozen=True, tag_field="format", tag="opaque", forbid_unknown_fields=True):
    """By the account's id (section 3.2.5)."""

    id: str


SubjectId: TypeAlias = IssSub | Email | Acct | Opaque


class Revocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose tokens are to end."""

    sub_id: SubjectId


async def _revoke(call: Call) -> Answer:
    """Answer 204 once all is dead; 404 where nobody is meant."""
    async with call.read() as reader:
        if not is_on(await tenants.find(reader)):
            raise NoSuchPlace
        account = await _meant(reader, call, call.taken(Revocation).sub_id)
    if account is None:
        raise accounts.NoSuchAccount("The subject identifier means nobody here.")
    async with call.work() as work:
        await sessions.end_all(work, account, EndReason.REVOKED)
    return no_content()


def is_on(tenant: tenants.Tenant) -> bool:
    """Whether the tenant has switched it on."""
    return tenants.settings_of(tenant, Settings.section, Settings).global_token_revocation


async def _meant(reader: Reader, call: Call, subject: SubjectId) -> AccountId | None:
    match subject:
        case IssSub(iss, sub):
            client = await clients.find(reader, call.access.client) if call.access else None
            account = await claims.account_of(reader, client, sub) if client is not None and iss == call.site.issuer else None
            return await _existing(reader, account)
        case Opaque(identifier):
            return await _existing(reader, AccountId(identifier))
        case Email(address):
            return await _by_address(reader, address)
        case Acct(uri):
            return await _by_address(reader, unquote(uri[len("acct:") :])) if uri.startswith("acct:") else None
        case _:
            assert_never(subject)


async def _existing(reader: Reader, account: AccountId | None) -> AccountId | None:
    found = await accounts.find(reader, account) if account else None
    return found.id if found else None


async def _by_address(reader: Reader, address: str) -> AccountId | None:
    try:
        found = await accounts.by_identifier(reader, accounts.EMAIL, address)
    except accounts.InvalidIdentifier:
        return None
    return found.id if found else None


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path=PATH,
        who=scope("limen:sessions:write"),
        call=_revoke,
        takes=Revocation,
        media=(_JSON,),
        summary="End every session and token of a person (Global Token Revocation, draft 06)",
        status=204,
        refusals=(accounts.NoSuchAccount,),
    ),
)
