"""Approvals over HTTP, for machines: what waits for a person. Her answer takes her session, so it is the portal's to bring."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from limen.kernel.ids import AccountId, ApprovalId, ClientId
from limen.modules.approvals import service
from limen.modules.approvals.model import State
from limen.platform.http import Answer, Call, Endpoint, Json, scope
from limen.platform.wire.bodies import Timestamp


class ApprovalShown(msgspec.Struct, frozen=True, kw_only=True):
    """A question, and how it stands."""

    id: ApprovalId
    client: ClientId
    state: State
    scopes: tuple[str, ...]
    details: tuple[str, ...]
    """Sentences beyond scopes."""
    message: str
    """What the app shows on its side too; the person compares both."""
    acr_values: tuple[str, ...]
    """A yes takes a session as strong as one of these; empty: any."""
    asked: Timestamp
    until: Timestamp


class ApprovalList(msgspec.Struct, frozen=True):
    """What was asked of the account lately, the latest first, fifty at most."""

    items: tuple[ApprovalShown, ...]


class OfAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who was asked."""

    account: Annotated[AccountId, msgspec.Meta(description="The account's id.")]


async def _list(call: Call) -> Answer:
    async with call.read() as reader:
        found = await service.list_of(reader, call.asked(OfAccount).account)
        items = tuple(
            ApprovalShown(
                id=one.approval.id,
                client=one.approval.client,
                state=one.approval.standing(reader.now),
                scopes=one.question.scopes,
                details=one.question.details,
                message=one.question.message,
                acr_values=one.question.acr_values,
                asked=one.approval.asked,
                until=one.approval.until,
            )
            for one in found
        )
    return Json(ApprovalList(items))


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/v1/approvals",
        who=scope("limen:approvals:read"),
        call=_list,
        summary="List what apps asked a person",
        query=OfAccount,
        gives=ApprovalList,
    ),
)
