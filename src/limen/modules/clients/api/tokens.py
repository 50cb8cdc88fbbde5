"""Initial access tokens over HTTP (RFC 7591, section 1.2). One is shown once, in the answer to the call that made it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

import msgspec

from limen.modules.clients import service
from limen.modules.clients.errors import NoSuchRegistrationToken
from limen.modules.clients.store.tokens import RegistrationToken
from limen.platform.http import Answer, Call, Endpoint, Json, no_content, scope
from limen.platform.wire.bodies import Timestamp

PATH: Final = "/api/v1/registration-tokens"

_READ: Final = scope("limen:clients:read")
_WRITE: Final = scope("limen:clients:write")
_TOKEN: Final = {"token": "The token's id."}
_LONGEST: Final = 400 * 24 * 3600


class NewRegistrationToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many applications may register with it, and for how many seconds; 0 is no limit. `note` says for whom, in the list."""

    uses: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 1
    expires_in: Annotated[int, msgspec.Meta(ge=0, le=_LONGEST)] = 604_800
    note: Annotated[str, msgspec.Meta(max_length=200)] = ""


class RegistrationTokenShown(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its secret."""

    id: str
    made: Timestamp
    note: str
    uses: int | None
    used: int
    expires: Timestamp | None


class RegistrationTokenShownOnce(RegistrationTokenShown, frozen=True, kw_only=True):
    """A token with its secret, which is not shown again."""

    token: str


class RegistrationTokenList(msgspec.Struct, frozen=True):
    """A page of tokens, the oldest first. `after` begins the next page; it is null on the last."""

    items: tuple[RegistrationTokenShown, ...]
    after: str | None = None


class TokenPaging(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the page begins, and how long it is at most."""

    after: Annotated[str, msgspec.Meta(description="`after` of the page before.")] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200, description="Tokens on the page at most.")] = 50


def _shown(one: RegistrationToken) -> RegistrationTokenShown:
    return RegistrationTokenShown(id=one.id, made=one.made, note=one.note, uses=one.uses, used=one.used, expires=one.expires)


async def _make(call: Call) -> Answer:
    wanted = call.taken(NewRegistrationToken)
    lasts = timedelta(seconds=wanted.expires_in) if wanted.expires_in else None
    async with call.work() as work:
        made, secret = await service.make_token(work, uses=wanted.uses or None, lasts=lasts, note=wanted.note)
    shown = RegistrationTokenShownOnce(id=made.id, made=made.made, note=made.note, uses=made.uses, used=made.used, expires=made.expires, token=secret.reveal())
    return Json(shown, 201, (("location", call.url(f"{PATH}/{made.id}")),))


async def _list(call: Call) -> Answer:
    asked = call.asked(TokenPaging)
    async with call.read() as read:
        found = await service.list_tokens(read, asked.after, asked.limit)
    return Json(RegistrationTokenList(tuple(_shown(one) for one in found), found[-1].id if len(found) == asked.limit else None))


async def _find(call: Call) -> Answer:
    async with call.read() as read:
        found = await service.find_token(read, call.parts["token"])
    if found is None:
        raise NoSuchRegistrationToken("there is no such token")
    return Json(_shown(found))


async def _drop(call: Call) -> Answer:
    async with call.work() as work:
        if not await service.drop_token(work, call.parts["token"]):
            raise NoSuchRegistrationToken("there is no such token")
    return no_content()


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path=PATH,
        who=_WRITE,
        call=_make,
        summary="Make an initial access token for registering applications; the answer shows it, this once",
        takes=NewRegistrationToken,
        gives=RegistrationTokenShownOnce,
        status=201,
    ),
    Endpoint(
        method="GET",
        path=PATH,
        who=_READ,
        call=_list,
        summary="List initial access tokens, page by page",
        query=TokenPaging,
        gives=RegistrationTokenList,
    ),
    Endpoint(
        method="GET",
        path=f"{PATH}/{{token}}",
        who=_READ,
        call=_find,
        summary="Read an initial access token, without its secret",
        parts=_TOKEN,
        gives=RegistrationTokenShown,
        refusals=(NoSuchRegistrationToken,),
    ),
    Endpoint(
        method="DELETE",
        path=f"{PATH}/{{token}}",
        who=_WRITE,
        call=_drop,
        summary="Delete an initial access token; what registered with it stays",
        parts=_TOKEN,
        status=204,
        refusals=(NoSuchRegistrationToken,),
    ),
)
