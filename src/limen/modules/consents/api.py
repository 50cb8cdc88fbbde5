"""Consents over HTTP, for machines."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType

from limen.kernel.ids import AccountId, ClientId
from limen.modules.consents import service
from limen.platform.http import Answer, Call, Endpoint, Json, no_content, scope
from limen.platform.wire.bodies import Timestamp


class ConsentShown(msgspec.Struct, frozen=True, kw_only=True):
    """A scope an app has."""

    client: ClientId
    scope: str
    given_at: Timestamp
    implied: bool
    """The person was not asked: the operator lets this app of her own in."""


class ConsentList(msgspec.Struct, frozen=True):
    """What the account lets apps have, by client and scope."""

    items: tuple[ConsentShown, ...]


class OfAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose consents are meant."""

    account: Annotated[AccountId, msgspec.Meta(description="The account's id.")]


class Withdrawal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is taken back: one scope of a client, or all it has."""

    account: Annotated[AccountId, msgspec.Meta(description="The account's id.")]
    client: Annotated[ClientId, msgspec.Meta(description="The client's id.")]
    scope: Annotated[str | UnsetType, msgspec.Meta(description="One scope; left out, all the client has.")] = UNSET


async def _list(call: Call) -> Answer:
    async with call.read() as reader:
        found = await service.list_of(reader, call.asked(OfAccount).account)
    return Json(ConsentList(tuple(ConsentShown(client=one.client, scope=one.scope, given_at=one.given_at, implied=one.implied) for one in found)))


async def _withdraw(call: Call) -> Answer:
    asked = call.asked(Withdrawal)
    async with call.work() as work:
        await service.withdraw(work, asked.account, asked.client, None if asked.scope is UNSET else (asked.scope,))
    return no_content()


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/v1/consents",
        who=scope("limen:consents:read"),
        call=_list,
        summary="List what an account lets apps have",
        query=OfAccount,
        gives=ConsentList,
    ),
    Endpoint(
        method="DELETE",
        path="/api/v1/consents",
        who=scope("limen:consents:write"),
        call=_withdraw,
        summary="Withdraw a consent, and end what the app was granted",
        query=Withdrawal,
        status=204,
    ),
)
