"""Claims over HTTP, for machines: a look at what an app would be told."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from limen.kernel.ids import AccountId, ClientId
from limen.modules import accounts, clients
from limen.modules.claims.errors import InvalidClaims
from limen.modules.claims.model import Use
from limen.modules.claims.service.preview import Line, drafted, preview
from limen.platform.http import Answer, Call, Endpoint, Json, scope


class DraftClaim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One claim, as under `[tenant.claims.add.NAME]`: `value` or `attribute`."""

    value: str = ""
    attribute: str = ""
    scopes: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    tokens: tuple[Use, ...] = (Use.USERINFO,)


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What is to stand under `[tenant.claims]`."""

    add: dict[str, DraftClaim] = {}
    scopes: dict[str, tuple[str, ...]] = {}


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who would be told of whom."""

    client: Annotated[ClientId, Meta(description="The client's id.")]
    account: Annotated[AccountId, Meta(description="The account's id.")]
    scopes: Annotated[tuple[str, ...] | UnsetType, Meta(description="What it is granted; left out, all that it may ask for.")] = UNSET
    claims: Annotated[Draft | UnsetType, Meta(description="To be tried; left out, the tenant's own settings.")] = UNSET


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One claim, and where it comes from."""

    name: str
    value: msgspec.Raw
    source: str
    failed: str = ""
    """Why it would be missing."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What the client would be told, place by place."""

    userinfo: tuple[Told, ...]
    id_token: tuple[Told, ...]
    access_token: tuple[Told, ...]
    introspection: tuple[Told, ...]


def _told(lines: tuple[Line, ...], use: Use) -> tuple[Told, ...]:
    return tuple(
        Told(name=one.name, value=msgspec.Raw(msgspec.json.encode(one.value)), source=one.source, failed=one.failed) for one in lines if one.use is use
    )


async def _preview(call: Call) -> Answer:
    wanted = call.taken(Wanted)
    draft = drafted(msgspec.to_builtins(wanted.claims)) if wanted.claims is not UNSET else None
    async with call.read() as read:
        client = await clients.find(read, wanted.client)
        if client is None:
            raise clients.NoSuchClient("there is no such client")
        if await accounts.find(read, wanted.account) is None:
            raise accounts.NoSuchAccount("there is no such account")
        lines = await preview(read, wanted.account, client, client.scopes if wanted.scopes is UNSET else wanted.scopes, draft)
    return Json(Preview(**{use.value: _told(lines, use) for use in Use}))


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/api/v1/claims/preview",
        who=scope("limen:profiles:read"),
        call=_preview,
        summary="Show what an app would be told of a person, and what gives each claim; nothing is changed",
        takes=Wanted,
        gives=Preview,
        refusals=(clients.NoSuchClient, accounts.NoSuchAccount, InvalidClaims),
    ),
)
