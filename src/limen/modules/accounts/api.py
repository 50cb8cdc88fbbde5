"""Accounts over HTTP, for services. Who calls vouches for the identifiers it gives: they count as proved."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final

import msgspec

from limen.kernel.ids import AccountId
from limen.modules.accounts import service
from limen.modules.accounts.errors import (
    AccountChangedMeanwhile,
    IdentifierTaken,
    InvalidIdentifier,
    KindNotAllowed,
    LastIdentifier,
    NoSuchAccount,
    NoSuchIdentifier,
    StateForbids,
    TooManyIdentifiers,
)
from limen.modules.accounts.model import EMAIL, Account, AccountState, Identifier, Taken
from limen.platform.http import Answer, Call, Endpoint, Json, no_content, scope
from limen.platform.sql import Reader
from limen.platform.wire import etags
from limen.platform.wire.bodies import Timestamp

_READ: Final = scope("limen:accounts:read")
_WRITE: Final = scope("limen:accounts:write")
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=320)]
_ACCOUNT: Final = {"account": "The account's id."}
_KIND: Final = "The kind of the identifier: `email`, `phone` (E.164) or `username`."
_Reason = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,49}$")]


class NewIdentifier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An identifier the caller has proved, or vouches for."""

    value: _Text
    kind: Annotated[str, msgspec.Meta(description=_KIND)] = EMAIL


class NewAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody, by all identifiers she has."""

    identifiers: Annotated[tuple[NewIdentifier, ...], msgspec.Meta(min_length=1, max_length=20)]


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, as a code for the log."""

    reason: _Reason = "api"


class AccountQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either the identifier to find, or where the page begins."""

    identifier: Annotated[str, msgspec.Meta(description="An identifier, to find the account that has it.")] = ""
    kind: Annotated[str, msgspec.Meta(description=_KIND)] = EMAIL
    after: Annotated[str, msgspec.Meta(description="`after` of the page before.")] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200, description="Accounts on the page at most.")] = 50


class IdentifierShown(msgspec.Struct, frozen=True):
    """An identifier."""

    id: str
    kind: str
    value: str
    verified_at: Timestamp


class AccountShown(msgspec.Struct, frozen=True):
    """An account; its version is also its ETag."""

    id: AccountId
    state: AccountState
    created: Timestamp
    version: int
    identifiers: tuple[IdentifierShown, ...]


class AccountList(msgspec.Struct, frozen=True):
    """A page of accounts, the oldest first. `after` begins the next page; it is null on the last."""

    items: tuple[AccountShown, ...]
    after: str | None = None


def _shown(account: Account, identifiers: Sequence[Identifier]) -> AccountShown:
    listed = tuple(IdentifierShown(one.id, one.kind, one.value, one.verified_at) for one in identifiers)
    return AccountShown(account.id, account.state, account.created, account.version, listed)


async def _answer(reader: Reader, account: Account, status: int = 200, location: str = "") -> Answer:
    shown = _shown(account, await service.identifiers(reader, account.id))
    headers = (("etag", etags.tag(account.version)), *((("location", location),) if location else ()))
    return Json(shown, status, headers)


def _id(call: Call) -> AccountId:
    return AccountId(call.parts["account"])


async def _create(call: Call) -> Answer:
    wanted = call.taken(NewAccount).identifiers
    await service.prepare(*(one.kind for one in wanted))
    async with call.work() as work:
        made = await service.create(work, wanted[0].kind, wanted[0].value)
        if isinstance(made, Taken):
            raise IdentifierTaken("the identifier belongs to an account already")
        for one in wanted[1:]:
            if isinstance(await service.add_identifier(work, made.id, one.kind, one.value), Taken):
                raise IdentifierTaken("one of the identifiers belongs to an account already")
        return await _answer(work, made, 201, call.url(f"/api/v1/accounts/{made.id}"))


async def _list(call: Call) -> Answer:
    asked = call.asked(AccountQuery)
    await service.prepare(asked.kind)
    async with call.read() as read:
        if asked.identifier:
            found = await service.by_identifier(read, asked.kind, asked.identifier)
            accounts = [found] if found else []
        else:
            accounts = await service.list_of(read, asked.after, asked.limit)
        identifiers = await service.identifiers_of(read, [one.id for one in accounts])
    after = accounts[-1].id if len(accounts) == asked.limit and not asked.identifier else None
    return Json(AccountList(tuple(_shown(one, identifiers.get(one.id, ())) for one in accounts), after))


async def _find(call: Call) -> Answer:
    async with call.read() as read:
        found = await service.find(read, _id(call))
        if found is None:
            raise NoSuchAccount("there is no such account")
        return await _answer(read, found)


async def _add_identifier(call: Call) -> Answer:
    wanted = call.taken(NewIdentifier)
    await service.prepare(wanted.kind)
    async with call.work() as work:
        if isinstance(await service.add_identifier(work, _id(call), wanted.kind, wanted.value), Taken):
            raise IdentifierTaken("the identifier belongs to an account already")
        held = await service.find(work, _id(call))
        if held is None:
            raise NoSuchAccount("there is no such account")
        return await _answer(work, held)


async def _drop_identifier(call: Call) -> Answer:
    async with call.work() as work:
        await service.drop_identifier(work, _id(call), call.parts["identifier"])
    return no_content()


class _Verb:
    """An endpoint that moves an account to another state."""

    def __init__(self, move: Callable[..., Awaitable[Account]]) -> None:
        self.move = move

    async def __call__(self, call: Call) -> Answer:
        async with call.work() as work:
            moved = await self.move(work, _id(call), call.taken(Reason).reason, expected=etags.expected(call.headers.get("if-match")))
            return await _answer(work, moved)


def _verb(name: str, move: Callable[..., Awaitable[Account]], summary: str) -> Endpoint:
    return Endpoint(
        method="POST",
        path=f"/api/v1/accounts/{{account}}/{name}",
        who=_WRITE,
        call=_Verb(move),
        summary=summary,
        parts=_ACCOUNT,
        takes=Reason,
        gives=AccountShown,
        etag=True,
        if_match=True,
        refusals=(NoSuchAccount, StateForbids, AccountChangedMeanwhile),
    )


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/api/v1/accounts",
        who=_WRITE,
        call=_create,
        summary="Create an account; its identifiers count as proved",
        takes=NewAccount,
        gives=AccountShown,
        status=201,
        etag=True,
        refusals=(InvalidIdentifier, KindNotAllowed, IdentifierTaken),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/accounts",
        who=_READ,
        call=_list,
        summary="Find an account by an identifier, or list all of them page by page",
        query=AccountQuery,
        gives=AccountList,
        refusals=(InvalidIdentifier,),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/accounts/{account}",
        who=_READ,
        call=_find,
        summary="Read an account",
        parts=_ACCOUNT,
        gives=AccountShown,
        etag=True,
        refusals=(NoSuchAccount,),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/accounts/{account}/identifiers",
        who=_WRITE,
        call=_add_identifier,
        summary="Add an identifier, which counts as proved",
        parts=_ACCOUNT,
        takes=NewIdentifier,
        gives=AccountShown,
        etag=True,
        refusals=(InvalidIdentifier, KindNotAllowed, IdentifierTaken, NoSuchAccount, StateForbids, TooManyIdentifiers),
    ),
    Endpoint(
        method="DELETE",
        path="/api/v1/accounts/{account}/identifiers/{identifier}",
        who=_WRITE,
        call=_drop_identifier,
        summary="Take an identifier from an account",
        parts={**_ACCOUNT, "identifier": "The identifier's id, as the account shows it."},
        status=204,
        refusals=(NoSuchAccount, NoSuchIdentifier, LastIdentifier),
    ),
    _verb("suspend", service.suspend, "Suspend an account: its sessions and grants end"),
    _verb("resume", service.resume, "Let a suspended account in again"),
    _verb("close", service.close, "Close an account for good"),
)
