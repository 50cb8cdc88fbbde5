"""Profiles over HTTP, for services."""

from __future__ import annotations

from typing import Final

from limen.kernel.ids import AccountId
from limen.modules import keys
from limen.modules.profiles import service
from limen.modules.profiles.errors import InvalidProfile, ProfileChangedMeanwhile
from limen.modules.profiles.model import Changes, Profile
from limen.platform.http import Answer, Call, Endpoint, Json, scope
from limen.platform.sql import Reader
from limen.platform.wire import etags

_ACCOUNT: Final = {"account": "The account's id."}
MERGE_PATCH: Final = "application/merge-patch+json"


async def _answer(reader: Reader, account: AccountId) -> Answer:
    await keys.subject_box(reader, account)  # an empty profile of somebody and a profile of nobody are two answers
    profile, version = await service.versioned(reader, account)
    return Json(profile, headers=(("etag", etags.tag(version)),))


async def _read(call: Call) -> Answer:
    async with call.read() as read:
        return await _answer(read, AccountId(call.parts["account"]))


async def _change(call: Call) -> Answer:
    account = AccountId(call.parts["account"])
    async with call.work() as work:
        await service.change(work, account, call.taken(Changes), expected=etags.expected(call.headers.get("if-match")))
        return await _answer(work, account)


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/v1/profiles/{account}",
        who=scope("limen:profiles:read"),
        call=_read,
        summary="Read a profile",
        parts=_ACCOUNT,
        etag=True,
        gives=Profile,
        refusals=(keys.Forgotten,),
    ),
    Endpoint(
        method="PATCH",
        path="/api/v1/profiles/{account}",
        who=scope("limen:profiles:write"),
        call=_change,
        summary="Change a profile by merge patch (RFC 7396): what is absent stays, null goes",
        parts=_ACCOUNT,
        etag=True,
        if_match=True,
        takes=Changes,
        gives=Profile,
        media=("application/json", MERGE_PATCH),
        refusals=(keys.Forgotten, InvalidProfile, ProfileChangedMeanwhile),
    ),
)
